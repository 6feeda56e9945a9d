"""What is kept of a file, and what is told of one that cannot be read."""

from __future__ import annotations

import errno
import hashlib

import pytest

from envbuild.errors import InputError
from envbuild.scan.sources import collecting
from envbuild.scan.sources.collecting import Collector, Found, examined
from envbuild.scan.sources.content import Held
from envbuild.scan.sources.wanted import Want
from envbuild.scan.tree import Entry

DATA = bytes(range(256)) * 9000
HEAD = Want(text=1000, keep="head")
PACKAGE = Want(text=1000, keep="package")


class Short(Held):
    """A file that was longer when it was listed."""

    @property
    def size(self) -> int:
        return super().size + 1


class Broken(Held):
    def read(self, start: int, size: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


def test_the_digest_is_of_the_whole_file() -> None:
    found = examined(Held(DATA), Want(digest=True))
    assert found == Found(digest=hashlib.sha256(DATA).hexdigest())


@pytest.mark.parametrize("line", [b"\n", b"\r\n"])
def test_the_head_ends_at_the_first_empty_line(line: bytes) -> None:
    head = b"Name: x" + line + b"Version: 1"
    data = head + line + line + b"long\n\nlonger" * 1000
    assert examined(Held(data), HEAD).text == head


def test_a_head_without_end_is_cut() -> None:
    assert examined(Held(b"a" * 2000), HEAD).text == b"a" * 1000


def test_condas_record_is_kept_without_its_files() -> None:
    data = b'{"name": "zlib", "version": "1.3", "build": "h1", "files": ["a", "b"]}'
    text = examined(Held(data), PACKAGE).text
    assert text == b'{"name":"zlib","version":"1.3","build":"h1"}'


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"name": "\xff"}', b'{"a":' + b"[" * 900])
def test_what_is_no_record_of_conda_is_kept_as_it_is(data: bytes) -> None:
    assert examined(Held(data), PACKAGE) == Found(text=data)


def test_a_text_that_is_too_long_is_told() -> None:
    found = examined(Held(b"a" * 1001), Want(text=1000))
    assert found == Found(why="it has 1,001 bytes, and 1,000 are read at most")


@pytest.mark.parametrize("want", [Want(text=100), Want(digest=True)])
def test_a_file_that_shrinks_is_told(want: Want) -> None:
    assert examined(Short(b"abc"), want) == Found(why=collecting.CHANGED)


@pytest.mark.parametrize("want", [Want(text=100), Want(digest=True)])
def test_an_error_of_the_disk_is_told(want: Want) -> None:
    assert examined(Broken(b"abc"), want) == Found(why="input/output error")


def test_a_module_that_is_none_says_why() -> None:
    found = examined(Held(b"no module"), Want(module=True))
    assert found.module is not None
    assert found.module.wrong
    assert not found.why


def test_the_tree_is_in_the_order_of_its_paths() -> None:
    collector = Collector()
    collector.folder("/b", {"x": Entry("file", 1)})
    collector.folder("/", {"b": Entry("folder")})
    collector.folder("/b", {"a": Entry("file", 2)})
    collector.found("/b/x", Found(text=b"1", digest="d"))
    collector.found("/b/a", Found(text=b"2", why="odd"))
    tree = collector.tree(("/",), missing=("/c",))
    assert list(tree.folders) == ["/", "/b"]
    assert list(tree.texts) == ["/b/a", "/b/x"]
    assert tree.names("/b") == ("a", "x")
    assert tree.digests == {"/b/x": "d"}
    assert tree.missing == ("/c",)
    assert [(one.path, one.why) for one in tree.troubles] == [("/b/a", "odd")]


def test_of_many_troubles_the_first_are_told_and_the_rest_counted() -> None:
    collector = Collector()
    for number in range(1500):
        collector.trouble(f"/a/{number:04}", "no")
    troubles = collector.tree(("/a",)).troubles
    assert len(troubles) == 1001
    assert (troubles[-1].path, troubles[-1].why) == ("/a", "500 more could not be read")


def test_texts_that_would_fill_the_memory_are_left_out() -> None:
    collector = Collector()
    text = bytes(64 << 20)
    for number in range(17):
        collector.found(f"/{number:02}", Found(text=text))
    tree = collector.tree(("/",))
    assert len(tree.texts) == 16
    assert [(one.path, one.why) for one in tree.troubles] == [("/16", collecting.TOO_LONG)]


def test_more_than_can_be_held_is_refused() -> None:
    collector = Collector()
    names = dict.fromkeys(map(str, range(10_000)), Entry("file"))
    for number in range(500):
        collector.folder(f"/many/{number}", names)
    with pytest.raises(InputError, match="more below '/many/500'"):
        collector.folder("/many/500", names)


def test_folders_so_deep_that_their_paths_fill_the_memory_are_refused() -> None:
    collector = Collector()
    long = "/" + "x" * (32 << 20)
    for number in range(3):
        collector.folder(f"{long}{number}", {})
    with pytest.raises(InputError, match="more below"):
        collector.folder(f"{long}3", {})
