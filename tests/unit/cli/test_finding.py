"""Which folder is the workspace, when nobody says it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envbuild.cli.finding import way_up

NOWHERE = "/no/such/home"


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder two below a workspace, which is the current one."""
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/one.yaml").write_text("schema: 1\n")
    deep = tmp_path / "src/deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    return deep


def test_the_nearest_folder_above_with_profiles(below: Path) -> None:
    assert way_up(NOWHERE) == "../.."
    (below.parent / "envs").mkdir()
    assert way_up(NOWHERE) == "../.."
    (below.parent / "envs/two.yaml").write_text("schema: 1\n")
    assert way_up(NOWHERE) == ".."


@pytest.mark.parametrize("sign", ["envs", "lockfiles", "Dockerfiles", ".envbuild"])
def test_a_folder_that_is_a_workspace_itself(below: Path, sign: str) -> None:
    (below / sign).mkdir()
    assert way_up(NOWHERE) == "."


def test_environments_of_conda_are_no_profiles(below: Path) -> None:
    (below.parents[1] / "envs/one.yaml").unlink()
    (below.parents[1] / "envs/base").mkdir()
    (below.parents[1] / "envs/environment.yml").touch()
    assert way_up(NOWHERE) == "."


def test_nothing_is_searched_above_the_home(below: Path, tmp_path: Path) -> None:
    assert way_up(str(tmp_path)) == "../.."
    assert way_up(str(below.parent)) == "."
    assert way_up(str(below)) == "."
    link = tmp_path / "link"
    link.symlink_to(below.parent)
    assert way_up(str(link)) == "."


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: only the superuser gives files away")
def test_a_folder_of_another_user_is_none(below: Path, tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    assert way_up(NOWHERE) == "."


def test_a_folder_that_was_removed(below: Path) -> None:
    below.rmdir()
    assert way_up(NOWHERE) == "."
