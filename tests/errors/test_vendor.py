"""Bad inputs of ``envbuild vendor`` and of what reads its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.workspace import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "ws")
    made.profile("one")
    return made


def said(folder: Folder, *argv: str, code: int = 2) -> str:
    done = folder.run(*argv)
    assert done.returncode == code, done.stderr
    return done.stderr


def test_a_profile_where_the_folder_should_be(folder: Folder) -> None:
    assert said(folder, "vendor", "one") == (
        "error: one is a profile: the folder is missing\n  hint: envbuild vendor one DIR\n"
    )


def test_no_folder_at_all(folder: Folder) -> None:
    assert "missing argument 'DIR'" in said(folder, "vendor")


def test_a_file_where_the_folder_should_be(folder: Folder) -> None:
    (folder.root / "file").write_text("")
    assert "file is no folder" in said(folder, "vendor", "one", "file")


def test_a_stale_lock(folder: Folder) -> None:
    told = said(folder, "vendor", "one", "dir")
    assert "one: lock is missing" in told
    assert "hint: envbuild lock one" in told
    assert not (folder.root / "dir").exists()


def test_a_variant_that_is_none(folder: Folder) -> None:
    assert "one has no variant 'x'" in said(folder, "vendor", "one", "dir", "--variant", "x")


def test_a_mirror_that_is_none(folder: Folder) -> None:
    assert "--mirror takes PREFIX=PLACE" in said(folder, "vendor", "one", "dir", "--mirror", "x")


def test_a_check_of_no_vendored_folder(folder: Folder) -> None:
    assert "holds no vendor.json" in said(folder, "vendor", "--check", "dir")
    told = said(folder, "vendor", "--check", "-n", "dir")
    assert "--check fetches nothing: it does not go with --dry-run" in told


def test_a_manifest_that_is_none(folder: Folder) -> None:
    place = folder.root / "dir"
    place.mkdir()
    for text in ("", "[]", "{", '{"format": 1}', '{"format": 1, "targets": 3}'):
        (place / "vendor.json").write_text(text)
        told = said(folder, "vendor", "--check", "dir")
        assert "vendor.json" in told
        assert "bug" not in told
    (place / "vendor.json").write_text('{"format": 99}')
    assert "upgrade envbuild" in said(folder, "vendor", "--check", "dir")


@pytest.mark.parametrize("option", ["--audit", "--sarif"])
def test_options_that_are_no_question_of_reach(folder: Folder, option: str) -> None:
    told = said(folder, "check", "--reachable", option)
    assert f"--reachable does not go with {option}" in told


def test_reach_without_a_lock(folder: Folder) -> None:
    assert "one: lock is missing" in said(folder, "check", "--reachable", "one")
    assert "--mirror goes with --reachable alone" in said(folder, "check", "--mirror", "a=b")
