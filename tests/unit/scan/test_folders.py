"""Folders of a disk as trees: hostile, changing, deep."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envbuild.scan.sources import folders
from envbuild.scan.sources.collecting import CHANGED
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.tree import Entry, Tree

ELF = b"\x7fELF" + bytes(60)


def read(*roots: Path | str) -> Tree:
    return folders.read([str(root) for root in roots], Wish())


def write(path: Path, data: bytes | str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "x/VERSION", "5.1.0")
    write(tmp_path / "x/a.py", "pass")
    write(tmp_path / "site-packages/numpy/core.so", ELF)
    (tmp_path / "link").symlink_to("x/VERSION")
    (tmp_path / "empty").mkdir()
    tree = read(tmp_path)
    assert tree.roots == (str(tmp_path),)
    assert tree.names(str(tmp_path)) == ("empty", "link", "site-packages", "x")
    assert tree.folders[f"{tmp_path}/x"] == {"VERSION": Entry("file", 5), "a.py": Entry("file", 4)}
    assert tree.entry(f"{tmp_path}/link") == Entry("link", 0, "x/VERSION")
    assert tree.text(f"{tmp_path}/link") == "5.1.0"
    assert list(tree.modules) == list(tree.digests) == [f"{tmp_path}/site-packages/numpy/core.so"]
    assert tree.folders[f"{tmp_path}/empty"] == {}
    assert (tree.missing, tree.troubles) == ((), ())


def test_a_root_within_another_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / "a/b/VERSION", "1")
    write(tmp_path / "ab/VERSION", "2")
    tree = read(tmp_path / "a/b", tmp_path / "ab", tmp_path / "a", f"{tmp_path}/a/", tmp_path / "a")
    assert tree.roots == (f"{tmp_path}/a", f"{tmp_path}/ab")
    assert len(tree.texts) == 2


def test_roots_that_are_not_there_or_no_folders(tmp_path: Path) -> None:
    file = write(tmp_path / "file", "x")
    (tmp_path / "link").symlink_to("/etc")
    tree = read(tmp_path / "none", file, tmp_path / "link", file / "below")
    assert tree.missing == (f"{tmp_path}/none",)
    assert {one.why for one in tree.troubles} == {"it is no folder"}
    assert tree.folders == {}


def test_links_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside / "VERSION", "secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to(outside)
    (root / "VERSION").symlink_to(outside / "VERSION")
    (root / "loop").symlink_to("loop")
    (root / "up").symlink_to(".")
    tree = read(root)
    assert tree.texts == {}
    assert list(tree.folders) == [str(root)]
    assert tree.place(f"{root}/out/VERSION").state == "outside"
    assert tree.place(f"{root}/loop").state == "loop"
    assert tree.place(f"{root}/up/up/VERSION").state == "outside"
    assert tree.troubles == ()


def test_nothing_but_plain_files_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.so")  # opening it would wait for a writer
    os.mkfifo(tmp_path / "VERSION")
    tree = read(tmp_path)
    assert {entry.kind for entry in tree.folders[str(tmp_path)].values()} == {"other"}
    assert (dict(tree.modules), dict(tree.texts), tree.troubles) == ({}, {}, ())


def test_names_of_any_bytes(tmp_path: Path) -> None:
    names = [b"new\nline.so", b"\xff\xfe.so", "é.so".encode(), b" ", b"-rf"]
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(ELF)
    tree = read(tmp_path)
    assert sorted(map(os.fsencode, tree.folders[str(tmp_path)])) == sorted(names)
    assert len(tree.modules) == 3
    assert tree.troubles == ()


def test_hard_links_are_read_under_each_name(tmp_path: Path) -> None:
    one = write(tmp_path / "a/libx.so", ELF)
    os.link(one, tmp_path / "liby.so.1")
    os.link(one, tmp_path / "plain")
    tree = read(tmp_path)
    assert list(tree.modules) == [f"{tmp_path}/a/libx.so", f"{tmp_path}/liby.so.1"]
    assert len(set(map(id, tree.modules.values()))) == 1


def test_a_large_file_with_holes_is_read_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "libhuge.so", ELF)
    os.truncate(path, 5 << 30)
    before = time.monotonic()
    tree = read(tmp_path)
    assert tree.folders[str(tmp_path)]["libhuge.so"].size == 5 << 30
    assert list(tree.modules) == [str(path)]
    assert time.monotonic() - before < 30


def test_a_text_that_is_too_long_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "x.dist-info/RECORD", "x")
    os.truncate(path, 5 << 30)
    tree = read(tmp_path)
    assert tree.texts == {}
    assert [one.path for one in tree.troubles] == [str(path)]


def test_weights_of_a_model_are_no_list_of_paths(tmp_path: Path) -> None:
    os.truncate(write(tmp_path / "site-packages/model.pth", "x"), 5 << 30)
    write(tmp_path / "site-packages/a.pth", "/more")
    tree = read(tmp_path)
    assert list(tree.texts.values()) == [b"/more"]
    assert tree.troubles == ()


@contextlib.contextmanager
def deep(root: Path, levels: int, name: str) -> Iterator[None]:
    """Folders within folders, deeper than a path can say."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with os.fdopen(os.open("x.so", os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as file:
        file.write(ELF)
    try:
        yield
    finally:
        os.unlink("x.so", dir_fd=here)
        for _ in range(levels):
            above = os.open("..", os.O_RDONLY, dir_fd=here)
            os.close(here)
            os.rmdir(name, dir_fd=above)
            here = above
        os.close(here)


def test_deeper_than_linux_takes_a_path(tmp_path: Path) -> None:
    with deep(tmp_path, 50, "d" * 200):
        tree = read(tmp_path)
    assert 15 < len(tree.folders) < 25
    (trouble,) = tree.troubles
    assert trouble.why == "file name too long"


def test_deeper_than_python_calls_itself(tmp_path: Path) -> None:
    levels = sys.getrecursionlimit() + 200
    with deep(tmp_path, levels, "d"):
        tree = read(tmp_path)
    assert len(tree.folders) == levels + 1
    assert len(tree.modules) == 1
    assert tree.troubles == ()


# --- What changes while it is read ---------------------------------------------------------------


class Changing:
    """A wish that does something when it is asked about the first file, which was listed before and
    is opened after."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.todo = [act]

    @property
    def hashes(self) -> str:
        if self.todo:
            self.todo.pop()()
        return "watched"


def while_reading(root: Path, act: Callable[[], object]) -> Tree:
    wish = Changing(act)
    tree = folders.read([str(root)], wish)
    assert not wish.todo
    return tree


def whys(tree: Tree) -> list[tuple[str, str]]:
    return [(one.path, one.why) for one in tree.troubles]


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.so", ELF)
    write(tmp_path / "b.so", ELF)
    tree = while_reading(tmp_path, path.unlink)
    assert list(tree.modules) == [f"{tmp_path}/b.so"]
    assert whys(tree) == [(str(path), CHANGED)]


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "file"])
def test_a_file_in_whose_place_something_else_comes(tmp_path: Path, kind: str) -> None:
    secret = write(tmp_path / "outside/VERSION", "secret")
    path = write(tmp_path / "root/VERSION", "1")

    def swap() -> None:
        path.rename(tmp_path / "old")  # or its inode might be given to the new one
        {
            "link": lambda: path.symlink_to(secret),
            "pipe": lambda: os.mkfifo(path),
            "folder": path.mkdir,
            "file": lambda: path.write_text("2"),
        }[kind]()

    tree = while_reading(tmp_path / "root", swap)
    assert tree.texts == {}
    assert whys(tree) == [(str(path), CHANGED)]


def test_a_folder_in_whose_place_a_link_comes(tmp_path: Path) -> None:
    write(tmp_path / "outside/VERSION", "secret")
    write(tmp_path / "root/VERSION", "1")
    folder = tmp_path / "root/A"
    write(folder / "VERSION", "2")

    def swap() -> None:
        folder.rename(tmp_path / "old")
        folder.symlink_to(tmp_path / "outside")

    tree = while_reading(tmp_path / "root", swap)
    assert list(tree.texts.values()) == [b"1"]
    assert whys(tree) == [(str(folder), CHANGED)]


def test_a_folder_above_which_a_link_comes(tmp_path: Path) -> None:
    """What is opened by its path would be another one: nothing of it is listed."""
    write(tmp_path / "outside/x/VERSION", "secret")
    above = tmp_path / "root/above"
    write(above / "VERSION", "1")  # by now, `above` is listed, with the folder in it
    write(above / "x/VERSION", "2")

    def swap() -> None:
        above.rename(tmp_path / "old")
        above.symlink_to(tmp_path / "outside")

    tree = while_reading(tmp_path / "root", swap)
    assert b"secret" not in tree.texts.values()
    assert whys(tree) == [(f"{above}/x", CHANGED)]


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    write(tmp_path / "VERSION", "1")
    (tmp_path / "x").mkdir()
    tree = while_reading(tmp_path, (tmp_path / "x").rmdir)
    assert whys(tree) == [(f"{tmp_path}/x", CHANGED)]


def test_a_file_that_is_cut_off_before_it_is_opened_is_read_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "VERSION", "5.1.0")
    tree = while_reading(tmp_path, lambda: os.truncate(path, 2))
    assert tree.texts == {str(path): b"5."}


def test_a_tree_that_others_write_is_read_to_its_end(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"site-packages/numpy/{number}/m{number}.so", ELF + bytes(5000))
        for number in range(200)
    ]
    stop = threading.Event()

    def disturb() -> None:
        for number in itertools.cycle(range(200)):
            if stop.is_set():
                return
            path = paths[number]
            with contextlib.suppress(OSError):
                if number % 3 == 0:
                    path.unlink(missing_ok=True)
                    path.parent.rmdir()
                elif number % 3 == 1:
                    os.truncate(path, number)
                else:
                    path.unlink()
                    path.symlink_to("/etc/hostname")
            with contextlib.suppress(OSError):
                write(path, ELF + bytes(5000))

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(5):
            tree = read(tmp_path)
            assert {one.why for one in tree.troubles} <= {CHANGED}
            assert {*tree.digests} == {*tree.modules}
    finally:
        stop.set()
        thread.join()
