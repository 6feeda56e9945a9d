"""Standard streams that are full or closed: no traceback, and a status that says what was lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.running import ENVBUILD, Said, environment

SPEAKING = (
    "list",
    "list --json",
    "show one",
    "schema",
    "lock --dry-run",
    "completion bash",
    "--help",
)
"""Command lines that answer on stdout: through the console, or through click itself."""


def shell(root: Path, arguments: str, redirection: str, *, buffered: bool = True) -> Said:
    """A command line with a redirection, as a shell does it."""
    more = {} if buffered else {"PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" {arguments} {redirection}', ENVBUILD],
        cwd=root,
        env=environment(root, more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    samples.profile(tmp_path, "one")
    return tmp_path


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", SPEAKING)
def test_a_full_device(root: Path, arguments: str, buffered: bool) -> None:
    said = shell(root, arguments, "> /dev/full", buffered=buffered)
    assert said.exit == 3
    assert said.stderr == (
        "error: the output cannot be written: no space left on device\n"
        "  hint: free some space, then run it again\n"
    )
    assert not list(root.glob(".envbuild/report-*"))


def test_a_stdout_that_is_only_read(root: Path) -> None:
    said = shell(root, "list", "1< /dev/null")
    assert said.exit == 3
    assert said.stderr == "error: the output cannot be written: bad file descriptor\n"


@pytest.mark.parametrize("arguments", SPEAKING)
def test_a_closed_stdout(root: Path, arguments: str) -> None:
    said = shell(root, arguments, ">&-")
    assert (said.exit, said.stdout, said.stderr) == (0, "", "")


def test_every_stream_closed(root: Path) -> None:
    said = shell(root, "list", "<&- >&- 2>&-")
    assert (said.exit, said.stdout, said.stderr) == (0, "", "")


@pytest.mark.parametrize("redirection", ["2> /dev/full", "2>&-"])
@pytest.mark.parametrize(("arguments", "status"), [("lst", 2), ("", 2), ("lock --check", 1)])
def test_talk_that_is_lost_changes_no_status(
    root: Path, arguments: str, status: int, redirection: str
) -> None:
    assert shell(root, arguments, redirection).exit == status


def test_work_goes_on_when_its_talk_is_lost(root: Path) -> None:
    said = shell(root, "init --name two", "2> /dev/full")
    assert said.exit == 0
    assert (root / "envs/two.yaml").is_file()
