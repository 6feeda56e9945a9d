"""What the loader is told: libraries, versions asked for and offered, and lies about them."""

from __future__ import annotations

import struct

import msgspec
import pytest

from envbuild.scan.compiled import dynamic
from envbuild.scan.compiled.dynamic import Dynamic
from envbuild.scan.compiled.elf import Elf, ElfError
from envbuild.scan.sources.content import Held
from tests.support.elf import BASE, Library, written


def read(library: Library) -> Dynamic:
    return dynamic.read(Elf(Held(written(library))))


FULL = Library(
    soname="libx.so.1",
    needed=("libc.so.6", "libstdc++.so.6"),
    runpath="$ORIGIN/../x.libs:/usr/lib/x",
    demands={
        "libc.so.6": ("GLIBC_2.4", "GLIBC_2.34", "GLIBC_2.17", "GLIBC_PRIVATE"),
        "libstdc++.so.6": ("GLIBCXX_3.4.9", "GLIBCXX_3.4.30", "CXXABI_1.3.13"),
    },
    offers=("X_1.9", "X_1.10"),
)


@pytest.mark.parametrize(("width", "order"), [(64, "<"), (64, ">"), (32, "<"), (32, ">")])
@pytest.mark.parametrize("headers", [True, False])
def test_everything_is_read_in_every_form(width: int, order: str, headers: bool):
    library = msgspec.structs.replace(FULL, width=width, order=order, headers=headers)
    assert read(library) == Dynamic(
        soname="libx.so.1",
        needed=("libc.so.6", "libstdc++.so.6"),
        runpaths=("$ORIGIN/../x.libs", "/usr/lib/x"),
        demands=(("CXXABI", "1.3.13"), ("GLIBC", "2.34"), ("GLIBCXX", "3.4.30")),
        offers=(("X", "1.10"),),
        python=False,
    )


def test_a_version_that_may_be_lacking_is_not_asked_for():
    library = Library(demands={"libc.so.6": ("GLIBC_2.17", "GLIBC_2.99")}, weak=("GLIBC_2.99",))
    assert read(library).demands == (("GLIBC", "2.17"),)


def test_packed_relocations_ask_for_the_glibc_that_brought_them():
    library = Library(demands={"libc.so.6": ("GLIBC_2.17", "GLIBC_ABI_DT_RELR")})
    assert read(library).demands == (("GLIBC", "2.36"),)


def test_an_rpath_counts_where_there_is_no_runpath():
    assert read(Library(rpath="/a")).runpaths == ("/a",)
    assert read(Library(rpath="/a", runpath="/b")).runpaths == ("/b",)


@pytest.mark.parametrize(
    ("symbol", "python"),
    [
        ("PyList_New", True),
        ("Py_BuildValue", True),
        ("PyInit_x", True),
        ("Pythia_run", False),
        ("Pylon", False),
        ("_ZN2PyE", False),
    ],
)
def test_python_is_used_where_a_name_of_its_c_api_is(symbol: str, python: bool):
    assert read(Library(symbols=("malloc", symbol))).python is python


def test_python_is_found_in_names_of_many_megabytes():
    names = [f"_ZN{number:0>60}" for number in range(90_000)]
    strings = b"\0" + b"\0".join(one.encode() for one in names) + b"\0PyList_New\0"
    assert len(strings) > 5_000_000
    table = dynamic.Strings(Held(strings), 0, len(strings))
    assert table.have(b"\0Py", dynamic._PYTHON)
    assert table.at(strings.index(b"PyList")) == "PyList_New"


def test_a_program_without_a_loaders_table_says_nothing():
    data = bytearray(written(FULL))
    data[64 + 56 : 64 + 60] = bytes(4)  # the second segment is of no kind
    assert dynamic.read(Elf(Held(bytes(data)))) == Dynamic()


def patched(library: Library, tag: int, value: int) -> bytes:
    """The file, another value behind a tag of its loader's table."""
    data = bytearray(written(library))
    start, size = struct.unpack_from("<Q16xQ", data, 64 + 56 + 8)
    for place in range(start, start + size, 16):
        if struct.unpack_from("<Q", data, place)[0] == tag:
            struct.pack_into("<Q", data, place + 8, value)
            return bytes(data)
    raise AssertionError(tag)


def test_names_that_are_nowhere_make_the_file_unreadable():
    with pytest.raises(ElfError, match="not there"):
        dynamic.read(Elf(Held(patched(FULL, 5, 1 << 50))))


def test_lies_about_sizes_end_at_the_end_of_the_file():
    assert dynamic.read(Elf(Held(patched(FULL, 10, 1 << 60)))).soname == "libx.so.1"
    assert dynamic.read(Elf(Held(patched(FULL, 14, 1 << 60)))).soname == ""


def test_versions_that_lead_nowhere_are_none():
    assert dynamic.read(Elf(Held(patched(FULL, 0x6FFFFFFE, 1 << 50)))).demands == ()
    assert dynamic.read(Elf(Held(patched(FULL, 0x6FFFFFFC, BASE)))).needed == FULL.needed


def test_versions_that_claim_to_be_without_end_are_given_up():
    # Every library says that the next one is one byte further, each with 65,535 versions.
    lies = struct.pack("<HHIII", 1, 0xFFFF, 1, 0, 1) * 10_000
    library = Library(needed=("liba",), demands={"liba": ("A_1",)}, sections={".lies": lies})
    place = BASE + written(library).index(lies)
    data = patched(library, 0x6FFFFFFE, place)
    assert dynamic.read(Elf(Held(data))).needed == ("liba",)
