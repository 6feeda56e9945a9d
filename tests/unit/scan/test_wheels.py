"""A wheel as it would lie in a site."""

from __future__ import annotations

import io

import pytest

from envbuild.errors import InputError
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.zipped import wheels
from tests.support.elf import Library, written
from tests.support.wheels import Raw, crafted, wheel

WISH = Wish(hashes="none")
MODULE = written(Library(demands={"libc.so.6": ["GLIBC_2.34"]}))


def read(data: bytes, *, sparse: bool = False):
    return wheels.read(io.BytesIO(data), "demo.whl", WISH, sparse=sparse)


def test_texts_and_modules_are_read_and_all_else_is_listed():
    tree = read(wheel("demo", "1.0", {"demo/a.py": b"x", "demo/deep/er/m.so": MODULE}))
    assert tree.roots == ("/",)
    assert "Name: demo" in (tree.text("/demo-1.0.dist-info/METADATA") or "")
    assert tree.names("/") == ("demo", "demo-1.0.dist-info")
    assert tree.names("/demo/deep") == ("er",)
    assert tree.is_file("/demo/a.py")
    assert "/demo/a.py" not in tree.texts
    assert dict(tree.modules["/demo/deep/er/m.so"].demands) == {"GLIBC": "2.34"}
    assert tree.digests == {}


def test_what_an_installer_puts_beside_it_lies_beside_it():
    files = {
        "demo-1.0.data/purelib/pure/a.py": b"",
        "demo-1.0.data/platlib/demo/m.so": MODULE,
        "demo-1.0.data/scripts/run": b"",
        "demo/purelib/b.py": b"",
    }
    tree = read(wheel("demo", "1.0", files))
    assert tree.is_file("/pure/a.py")
    assert set(tree.modules) == {"/demo/m.so"}
    assert tree.is_file("/demo-1.0.data/scripts/run")
    assert tree.is_file("/demo/purelib/b.py")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.py", "x-1.data/purelib/a.py"),
        ("x-1.data/platlib/a.py", "x-1.data/purelib/a.py"),
        ("a", "x-1.data/purelib/a/b/c.py"),
        ("a/b/c.py", "x-1.data/purelib/a"),
    ],
)
def test_what_would_be_installed_twice_is_refused(first: str, second: str):
    with pytest.raises(InputError, match=r"is there twice|is a file and a folder"):
        read(crafted(Raw(name=first), Raw(name=second)))


def test_a_large_module_is_unpacked_to_the_disk_and_read():
    big = written(Library(needed=["libz.so.1"], sections={".data": bytes(20_000_000)}))
    tree = read(wheel("demo", "1.0", {"demo/m.so": big}))
    assert tree.modules["/demo/m.so"].needed == ("libz.so.1",)


def test_a_text_that_is_too_long_is_not_unpacked():
    data = wheel("demo", "1.0", {"demo-1.0.dist-info/INSTALLER": bytes(5000)})
    (trouble,) = read(data).troubles
    assert trouble.path == "/demo-1.0.dist-info/INSTALLER"


def test_a_member_that_is_not_what_its_checksum_says_is_refused():
    bad = Raw(name="demo/m.so", data=MODULE, local={"crc": 1}, central={"crc": 1})
    with pytest.raises(InputError, match=r"demo\.whl: 'demo/m\.so' is not what its checksum says"):
        read(crafted(bad))


def test_what_is_read_in_parts_is_held_against_its_own_header_alone():
    lying = Raw(name="a.py", local={"name": b"b.py"})
    data = crafted(lying, Raw(name="m.so", data=MODULE))
    assert set(read(data, sparse=True).modules) == {"/m.so"}
    with pytest.raises(InputError, match="another name in its own header"):
        read(data)


def test_what_has_to_come_is_counted_before_it_comes():
    data = wheel("demo", "1.0", {"demo/a.py": bytes(range(256)) * 400, "demo/m.so": MODULE})
    needed = wheels.needed(io.BytesIO(data), "demo.whl", WISH)
    assert 300 < needed < len(MODULE) + 1000
