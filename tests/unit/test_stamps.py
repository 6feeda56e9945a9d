"""Stamps: when an answer of last time still stands, and when it must be asked again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from envbuild import stamps
from envbuild.stamps import Stamps

LATER = time.time_ns() + 3600 * 10**9
"""The moment at which the program is said to begin: all files of these tests are older."""

PATHS = ("envs/one.yaml", "envs/base.yaml", "lockfiles/one/a.txt", "templates/x.j2")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in PATHS[:3]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def write(root: Path, stage: str = "lock", paths: tuple[str, ...] = PATHS) -> None:
    Stamps(str(root), stage, started=LATER).write("one", paths)


def fresh(root: Path, stage: str = "lock") -> bool:
    return Stamps(str(root), stage).fresh("one")


def test_without_a_stamp_nothing_is_known(root: Path) -> None:
    assert not fresh(root)


def test_an_answer_stands_while_nothing_moves(root: Path) -> None:
    write(root)
    assert fresh(root)
    assert not fresh(root, "render")
    assert not Stamps(str(root), "lock").fresh("two")


def test_the_same_bytes_written_again_are_the_same(root: Path) -> None:
    write(root)
    (root / "envs/one.yaml").write_text("envs/one.yaml")
    assert fresh(root)


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_changed_or_came_makes_it_stale(root: Path, path: str) -> None:
    write(root)
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text("other")
    assert not fresh(root)


@pytest.mark.parametrize("path", PATHS[:3])
def test_a_file_that_is_gone_makes_it_stale(root: Path, path: str) -> None:
    write(root)
    (root / path).unlink()
    assert not fresh(root)


@pytest.mark.parametrize("name", [".envbuild-commit", "more.txt"])
def test_a_file_too_many_in_the_lock_folder_makes_it_stale(root: Path, name: str) -> None:
    write(root)
    (root / "lockfiles/one" / name).write_text("")
    assert not fresh(root)


def test_a_file_too_many_among_the_dockerfiles_matters_to_render_alone(root: Path) -> None:
    (root / "Dockerfiles/one").mkdir(parents=True)
    write(root)
    write(root, "render")
    (root / "Dockerfiles/one/Dockerfile.old").write_text("")
    assert fresh(root)
    assert not fresh(root, "render")


def test_another_program_asks_again(root: Path) -> None:
    write(root)
    assert not Stamps(str(root), "lock", program="envbuild 9.9.9").fresh("one")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\n\n"])
def test_a_stamp_that_is_broken_is_none(root: Path, data: bytes) -> None:
    write(root)
    (root / stamps.FOLDER / "lock/one").write_bytes(data)
    assert not fresh(root)


def test_a_file_touched_after_the_program_began_leaves_no_stamp(root: Path) -> None:
    Stamps(str(root), "lock").write("one", PATHS)
    assert not (root / stamps.FOLDER).exists()


def test_a_shipped_profile_is_shadowed_by_one_of_that_name(root: Path) -> None:
    shipped = f"{stamps.shipped_folder()}/envs/isaaclab.yaml"
    assert os.path.isfile(shipped)
    write(root, paths=(*PATHS, shipped))
    assert fresh(root)
    (root / "envs/isaaclab.yaml").write_text("")
    assert not fresh(root)


def test_the_folder_ignores_itself_in_git(root: Path) -> None:
    write(root)
    assert (root / ".envbuild/.gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_written_is_no_error(root: Path) -> None:
    (root / ".envbuild").write_text("a file")
    write(root)
    assert not fresh(root)


def test_profiles_are_found_by_their_file_names(root: Path) -> None:
    (root / "envs/deep/er").mkdir(parents=True)
    (root / "envs/deep/er/two.yaml").write_text("")
    for name in (".hidden.yaml", "three.yml", "four.txt", ".hidden/five.yaml"):
        (root / "envs" / name).parent.mkdir(exist_ok=True)
        (root / "envs" / name).write_text("")
    assert stamps.profiles(str(root)) == {
        "base": "envs/base.yaml",
        "one": "envs/one.yaml",
        "two": "envs/deep/er/two.yaml",
    }


def test_two_profiles_of_one_name_are_for_the_slow_way(root: Path) -> None:
    (root / "envs/deep").mkdir()
    (root / "envs/deep/one.yaml").write_text("")
    assert stamps.profiles(str(root)) is None


def test_a_circle_of_links_comes_to_an_end(root: Path) -> None:
    (root / "envs/self").symlink_to(root / "envs")
    (root / "envs/linked.yaml").symlink_to(root / "envs/one.yaml")
    assert sorted(stamps.profiles(str(root)) or ()) == ["base", "linked", "one"]


def test_no_envs_folder_is_no_profile(tmp_path: Path) -> None:
    assert stamps.profiles(str(tmp_path)) == {}


def test_the_identity_is_that_of_this_program() -> None:
    program, version, digest = stamps.identity().split()
    assert (program, len(digest)) == ("envbuild", 64)
    assert version[0].isdigit()
    assert stamps.identity() is stamps.identity()


def test_what_was_said_is_kept_beside_the_files(root: Path) -> None:
    Stamps(str(root), "lock", started=LATER).write("one", PATHS, said="one: something > else")
    assert Stamps(str(root), "lock").said("one") == "one: something > else"
    assert Stamps(str(root), "lock").fresh("one")
    Stamps(str(root), "lock", started=LATER).write("one", PATHS)
    assert Stamps(str(root), "lock").said("one") == ""
