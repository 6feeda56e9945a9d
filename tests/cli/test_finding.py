"""Commands in a folder below the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.running import process


@pytest.fixture
def below(tmp_path: Path) -> Path:
    samples.profile(tmp_path, "one")
    (tmp_path / "src/deep").mkdir(parents=True)
    return tmp_path / "src/deep"


def test_the_workspace_above_is_used_and_named_once(below: Path) -> None:
    said = process(["list"], below)
    assert (said.exit, said.stderr) == (0, "workspace: ../..\n")
    assert said.stdout.splitlines()[1].startswith("one ")
    assert process(["-q", "list"], below).stderr == ""


def test_messages_point_into_it(below: Path, tmp_path: Path) -> None:
    samples.profile(tmp_path, "two", more="apt: git\n")
    said = process(["show", "two"], below)
    assert said.exit == 2
    assert said.stderr.startswith(
        "workspace: ../..\nenvs/two.yaml:16:1: error: apt: expected a list; found 'git'\n"
        "  16 | apt: git\n"
    )


@pytest.mark.parametrize("directory", [".", "..", "../deep"])
def test_a_folder_that_was_named_is_taken(below: Path, directory: str) -> None:
    said = process(["-C", directory, "list", "one"], below)
    assert (said.exit, "workspace" in said.stderr) == (2, False)


def test_stamps_of_the_workspace_answer_the_next_check(below: Path, tmp_path: Path) -> None:
    samples.locked(tmp_path, "one")
    for _ in range(2):
        said = process(["render", "--check"], below)
        assert (said.exit, said.stderr) == (
            0,
            "workspace: ../..\n1 profile, all Dockerfiles fresh\n",
        )
    assert list(below.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["schema", "-o", "s.json"], "s.json"),
        (["init", "new", "--name", "two"], "new/envs/two.yaml"),
        (["init", "--name", "two"], "envs/two.yaml"),
        (["knowledge", "--markdown", "--output", "pages"], "pages/rules.md"),
    ],
)
def test_what_is_written_stands_where_the_command_says(
    below: Path, arguments: list[str], written: str
) -> None:
    said = process(arguments, below)
    assert (said.exit, "workspace" in said.stderr) == (0, False)
    assert (below / written).is_file()


def test_a_command_that_looks_at_no_profile_names_no_workspace(below: Path) -> None:
    for arguments in (["list", "--help"], ["completion", "bash"], ["schema"]):
        assert process(arguments, below).stderr == ""
