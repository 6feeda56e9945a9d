"""Files by their content, and answers by their question."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.tools.answers import Answers
from envbuild.tools.store import Store, WrongHashError, cache_folder, digest, place

DATA = b"a wheel\n" * 1000
SHA = hashlib.sha256(DATA).hexdigest()
NAME = "one-1.0-py3-none-any.whl"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "files"))


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return str(path)


def test_what_was_put_in_is_found_by_its_hash(store: Store, source: str, tmp_path: Path) -> None:
    assert store.find(SHA, NAME) is None
    path = store.add(source, SHA, NAME)
    assert path == f"{tmp_path}/files/{SHA[:2]}/{SHA}/{NAME}"
    assert store.find(SHA, NAME) == path
    assert digest(path) == SHA
    assert os.listdir(os.path.dirname(path)) == [NAME]


def test_under_another_name_it_is_the_same_file(store: Store, source: str) -> None:
    path = store.add(source, SHA, NAME)
    other = store.find(SHA, "other.whl")
    assert other is not None
    assert other.endswith("/other.whl")
    assert os.path.samefile(path, other)
    assert store.add(source, SHA, "third.whl").endswith("/third.whl")


@pytest.mark.parametrize("broken", [b"", DATA[:-1], b"x" + DATA[1:]])
def test_a_broken_file_is_none_and_goes(store: Store, source: str, broken: bytes) -> None:
    path = store.add(source, SHA, NAME)
    os.chmod(path, 0o644)
    Path(path).write_bytes(broken)
    assert store.find(SHA, NAME) is None
    assert not os.path.exists(path)
    assert store.add(source, SHA, NAME) == path
    assert store.find(SHA, NAME) == path


def test_other_bytes_than_were_told_do_not_come_in(store: Store, source: str) -> None:
    with pytest.raises(WrongHashError) as caught:
        store.add(source, "0" * 64, NAME)
    assert caught.value.found == SHA
    assert store.find("0" * 64, NAME) is None


def test_without_a_hash_a_file_is_what_it_is(store: Store, source: str) -> None:
    path = store.add(source, "", NAME)
    assert store.find(SHA, NAME) == path


def test_a_missing_source_and_a_folder_are_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="missing cannot be read: no such file"):
        store.add(f"{tmp_path}/missing", SHA, NAME)
    with pytest.raises(ToolError, match="cannot be read: is a directory"):
        store.add(str(tmp_path), SHA, NAME)


@pytest.mark.parametrize("name", ["", ".part", "../x", "a/b", "a\0b"])
def test_a_name_is_one_part_of_a_path(store: Store, source: str, name: str) -> None:
    with pytest.raises(ToolError, match="is no name for a file"):
        store.add(source, SHA, name)


def begin(store: Store, data: bytes, *, fail: Exception | None = None) -> None:
    """Let some bytes come in; the file is whole, or the connection ends as it is said."""
    with store.writing(SHA, NAME) as part:
        part.write(data)
        if fail is not None:
            raise fail
        part.finish()


def test_what_came_of_an_interrupted_file_is_gone_on_with(store: Store) -> None:
    with pytest.raises(EOFError):
        begin(store, DATA[:500], fail=EOFError())
    assert store.find(SHA, NAME) is None
    with store.writing(SHA, NAME) as part:
        assert part.size == 500
        part.write(DATA[500:])
        part.finish()
    assert store.find(SHA, NAME) is not None


def test_what_came_wrong_is_dropped(store: Store, tmp_path: Path) -> None:
    with pytest.raises(WrongHashError):
        begin(store, b"<html>")
    with store.writing(SHA, NAME) as part:
        assert part.size == 0
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


def test_of_two_who_want_one_file_the_second_waits_and_finds_it(store: Store) -> None:
    first, found = threading.Event(), []

    def other() -> None:
        first.wait(10)
        with store.writing(SHA, NAME) as part:
            found.append((part.file, part.path))

    thread = threading.Thread(target=other)
    thread.start()
    with store.writing(SHA, NAME) as part:
        part.write(DATA[:5])
        first.set()
        thread.join(0.2)
        assert not found
        part.write(DATA[5:])
        path = part.finish()
    thread.join(10)
    assert found == [(None, path)]


def test_who_waits_can_be_stopped(store: Store) -> None:
    second = store.writing(SHA, NAME, stop=lambda: True)
    with store.writing(SHA, NAME), pytest.raises(ToolError, match="stopped while waiting"):
        second.__enter__()


def test_a_place_is_the_same_file_and_not_to_be_written(
    store: Store, source: str, tmp_path: Path
) -> None:
    path = store.add(source, SHA, NAME)
    target = f"{tmp_path}/context/wheels-1/files/{NAME}"
    place(path, target)
    assert os.path.samefile(path, target)
    assert os.stat(target).st_mode & 0o777 == 0o444


def test_where_no_link_can_be_a_copy_is_made(
    store: Store, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    path = store.add(source, SHA, NAME)
    monkeypatch.setattr(os, "link", refuse)
    target = f"{tmp_path}/context/{NAME}"
    place(path, target)
    assert digest(target) == SHA
    assert not os.path.samefile(path, target)


def test_a_place_that_is_taken_is_an_error(store: Store, source: str, tmp_path: Path) -> None:
    path = store.add(source, SHA, NAME)
    with pytest.raises(ToolError, match="cannot be written: file exists"):
        place(path, source)


def test_where_the_cache_is() -> None:
    assert cache_folder({"HOME": "/home/lab"}) == "/home/lab/.cache/envbuild"
    assert cache_folder({"HOME": "/home/lab", "XDG_CACHE_HOME": "/c"}) == "/c/envbuild"


def test_an_answer_is_kept_by_its_question(tmp_path: Path) -> None:
    answers = Answers(str(tmp_path / "answers"))
    assert answers.recall(("q", 1), list[int]) is None
    answers.remember(("q", 1), [1, 2])
    assert answers.recall(("q", 1), list[int]) == [1, 2]
    assert answers.recall(("q", 2), list[int]) is None
    assert answers.recall(("q", 1), dict[str, str]) is None
    (path,) = (tmp_path / "answers").iterdir()
    path.write_bytes(b"[1, ")
    assert answers.recall(("q", 1), list[int]) is None
