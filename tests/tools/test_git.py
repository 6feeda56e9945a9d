"""Files at a revision, read from real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from envbuild.errors import InputError, ToolError
from envbuild.tools import proc
from envbuild.tools.git import Git
from envbuild.tools.proc import Command, Outcome

pytestmark = pytest.mark.git

ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(
        ["git", *identity, *arguments], cwd=root, env=ENVIRON, check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose workspace is a folder of it, with two commits."""
    folder = tmp_path / "space"
    (folder / "lockfiles/one").mkdir(parents=True)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for text in ("old ü\n", "new\n"):
        (folder / "lockfiles/one/x.txt").write_text(text)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "--message", text.strip())
    return folder


def test_a_file_as_it_was_and_as_it_is(repository: Path) -> None:
    found = Git(str(repository), ENVIRON, proc.run)
    before, now = found.commit("HEAD~1"), found.commit("main")
    assert before is not None
    assert now is not None
    assert before != now
    assert found.read(before, "lockfiles/one/x.txt") == "old ü\n".encode()
    assert found.read(now, "lockfiles/one/x.txt") == b"new\n"
    assert found.read(now, "lockfiles/two/x.txt") is None


@pytest.mark.parametrize("revision", ["none", "", "--all", "HEAD:space", "HEAD~9", "a b", "\n"])
def test_what_names_no_revision(repository: Path, revision: str) -> None:
    assert Git(str(repository), ENVIRON, proc.run).commit(revision) is None


def test_a_folder_without_a_repository(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no git repository"):
        Git(str(tmp_path), ENVIRON, proc.run).commit("HEAD")


def test_git_is_not_installed(repository: Path) -> None:
    with pytest.raises(ToolError, match="not installed"):
        Git(str(repository), {"PATH": ""}, _missing).commit("HEAD")


def test_git_fails(repository: Path) -> None:
    def refuses(command: Command) -> Outcome:
        words = "fatal: detected dubious ownership in repository at '/x'"
        return Outcome(command=command, code=128, stdout="", stderr=words, seconds=0.0)

    with pytest.raises(ToolError) as caught:
        Git(str(repository), ENVIRON, refuses).commit("HEAD")
    assert "safe.directory" in (caught.value.hint or "")
    assert "dubious" in caught.value.output
    with pytest.raises(ToolError, match="could not read"):
        Git(str(repository), ENVIRON, refuses).read("0" * 40, "x")


def _missing(command: Command) -> Outcome:
    return Outcome(
        command=command, code=127, stdout="", stderr="git: no", seconds=0.0, missing=True
    )
