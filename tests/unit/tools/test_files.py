"""Writing a folder: all new files or none, whatever stood there before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envbuild.errors import InputError, ToolError
from envbuild.tools import files


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_new_files_are_written_and_nothing_else_is_left(folder: Path) -> None:
    assert files.write_tree(str(folder), {"a": b"1", "deep/er/b": b"2"})
    assert tree(folder) == {"a": b"1", "deep/er/b": b"2"}
    assert sorted(os.listdir(folder)) == ["a", "deep"]


def test_equal_bytes_are_not_written_again(folder: Path) -> None:
    files.write_tree(str(folder), {"a": b"1"})
    before = (folder / "a").stat()
    assert not files.write_tree(str(folder), {"a": b"1"}, remove=["never-there"])
    assert (folder / "a").stat() == before


def written(path: Path) -> tuple[int, ...]:
    """Which file it is and when it was last written; when it was read does not count."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_mode, found.st_mtime_ns, found.st_ctime_ns


def test_only_what_differs_is_replaced(folder: Path) -> None:
    files.write_tree(str(folder), {"a": b"1", "b": b"2"})
    before = written(folder / "a")
    assert files.write_tree(str(folder), {"a": b"1", "b": b"3"})
    assert written(folder / "a") == before
    assert tree(folder) == {"a": b"1", "b": b"3"}


def test_removals_take_their_empty_folders_along(folder: Path) -> None:
    files.write_tree(str(folder), {"a": b"1", "deep/er/b": b"2", "kept/c": b"3"})
    (folder / "kept/by-hand").write_bytes(b"4")
    assert files.write_tree(str(folder), {"a": b"1"}, remove=["deep/er/b", "kept/c"])
    assert tree(folder) == {"a": b"1", "kept/by-hand": b"4"}
    assert not (folder / "deep").exists()


def test_an_empty_folder_of_files_is_no_work(folder: Path) -> None:
    assert not files.write_tree(str(folder), {})
    assert not folder.exists()


@pytest.mark.parametrize("path", ["../out", "/etc/x", "a/../../b", "", "a//b", "./a", "a\0b"])
def test_a_path_that_leaves_the_folder_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(InputError, match="is not a path inside"):
        files.write_tree(str(folder), {path: b"1"})
    with pytest.raises(InputError, match="is not a path inside"):
        files.write_tree(str(folder), {}, remove=[path])
    assert not folder.exists()


def test_a_link_is_replaced_and_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"theirs")
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    assert files.write_tree(str(folder), {"a": b"theirs"})
    assert not (folder / "a").is_symlink()
    assert files.write_tree(str(folder), {"a": b"ours"})
    assert outside.read_bytes() == b"theirs"


def test_a_linked_folder_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.mkdir()
    (folder / "deep").symlink_to(outside)
    with pytest.raises(ToolError, match="out/deep is a symbolic link"):
        files.write_tree(str(folder), {"a": b"1", "deep/b": b"2"})
    assert list(outside.iterdir()) == []
    assert not (folder / "a").exists()


def test_a_folder_that_is_itself_a_link_is_the_users_choice(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    assert files.write_tree(str(folder), {"a": b"1"})
    assert tree(tmp_path / "elsewhere") == {"a": b"1"}


def test_a_file_where_a_folder_must_be_leaves_the_old_files(folder: Path) -> None:
    files.write_tree(str(folder), {"a": b"1", "deep": b"a file"})
    with pytest.raises(ToolError, match="out/deep is a file, and a folder must be there"):
        files.write_tree(str(folder), {"a": b"2", "deep/b": b"3"})
    assert tree(folder) == {"a": b"1", "deep": b"a file"}


def test_a_folder_where_a_file_must_be_is_an_error(folder: Path) -> None:
    (folder / "a").mkdir(parents=True)
    with pytest.raises(InputError, match="out/a cannot be read: is a directory"):
        files.write_tree(str(folder), {"a": b"1", "b": b"2"})
    assert tree(folder) == {}


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ToolError, match="file/out cannot be written: not a directory"):
        files.write_tree(str(tmp_path / "file/out"), {"a": b"1"})


class TestRecovery:
    """What a killed process left: ``.envbuild-new`` was not committed, ``-commit`` was."""

    def test_what_was_not_committed_is_dropped(self, folder: Path) -> None:
        files.write_tree(str(folder), {"a": b"old"})
        (folder / ".envbuild-new").mkdir()
        (folder / ".envbuild-new/a").write_bytes(b"half")
        files.recover(str(folder))
        assert tree(folder) == {"a": b"old"}
        assert os.listdir(folder) == ["a"]

    def test_what_was_committed_is_completed(self, folder: Path) -> None:
        files.write_tree(str(folder), {"a": b"old", "gone/b": b"old", "c": b"old"})
        committed = folder / ".envbuild-commit"
        (committed / "deep").mkdir(parents=True)
        (committed / "deep/d").write_bytes(b"new")
        (committed / "a").write_bytes(b"new")
        (committed / ".envbuild-remove").write_bytes(b"gone/b\0never-there")
        files.recover(str(folder))
        assert tree(folder) == {"a": b"new", "c": b"old", "deep/d": b"new"}
        assert sorted(os.listdir(folder)) == ["a", "c", "deep"]

    def test_both_at_once(self, folder: Path) -> None:
        for name, text in ((".envbuild-commit", b"new"), (".envbuild-new", b"half")):
            (folder / name).mkdir(parents=True)
            (folder / name / "a").write_bytes(text)
        files.recover(str(folder))
        assert tree(folder) == {"a": b"new"}

    def test_writing_recovers_first(self, folder: Path) -> None:
        (folder / ".envbuild-commit").mkdir(parents=True)
        (folder / ".envbuild-commit/a").write_bytes(b"new")
        assert not files.write_tree(str(folder), {"a": b"new"})
        assert tree(folder) == {"a": b"new"}

    def test_a_folder_that_is_not_there_needs_nothing(self, folder: Path) -> None:
        files.recover(str(folder))
        assert not folder.exists()


def test_reading_says_what_is_wrong_in_words(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"ok\nna\xefve\n")
    with pytest.raises(InputError, match=r"^.*/nothing does not exist$"):
        files.read_bytes(str(tmp_path / "nothing"))
    with pytest.raises(InputError, match=r"^the list cannot be read: is a directory$"):
        files.read_bytes(str(tmp_path), label="the list")
    with pytest.raises(InputError) as caught:
        files.read_text(str(tmp_path / "latin"), label="latin")
    assert [str(problem) for problem in caught.value.problems] == [
        "latin:2:3: byte 0xef is not UTF-8"
    ]


def test_line_ends_and_marks_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r")
    assert files.read_text(str(tmp_path / "a")) == "\ufeffone\r\ntwo\r"


def test_missing_is_not_unreadable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert files.read_if_exists(str(tmp_path / "nothing")) is None
    assert files.read_if_exists(str(tmp_path / "file/below")) is None
    with pytest.raises(InputError):
        files.read_if_exists(str(tmp_path))


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256(str(tmp_path / "a")).startswith("ba7816bf8f01cfea414140de5dae2223")
