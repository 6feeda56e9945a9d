"""ELF files of both widths and byte orders, and what is no ELF file."""

from __future__ import annotations

import struct

import pytest

from envbuild.scan.compiled.elf import Elf, ElfError, Range, pieces
from envbuild.scan.sources.content import Held
from tests.support.elf import BASE, Library, written

FORMS = [(64, "<"), (64, ">"), (32, "<"), (32, ">")]


@pytest.mark.parametrize(("width", "order"), FORMS)
def test_sections_are_read_by_name_in_every_form(width: int, order: str):
    library = Library(width=width, order=order, sections={".rodata": b"text", ".text": b"\x90"})
    elf = Elf(Held(written(library)))
    (rodata,) = elf.named(".rodata")
    (code,) = elf.named(".text")
    assert elf.content.read(rodata.offset, rodata.size) == b"text"
    assert (rodata.code, code.code) == (False, True)


@pytest.mark.parametrize(("width", "order"), FORMS)
def test_an_address_leads_to_its_place_in_the_file(width: int, order: str):
    elf = Elf(Held(written(Library(width=width, order=order))))
    assert elf.offset(BASE + 5) == 5
    assert elf.offset(BASE - 1) is None


def test_names_of_sections_are_matched_from_their_beginning():
    library = Library(sections={".rodata": b"1", ".rodata.str1.8": b"2", ".data": b"3"})
    elf = Elf(Held(written(library)))
    assert [one.name for one in elf.named(".rodata", ".data")] == [
        ".rodata",
        ".rodata.str1.8",
        ".data",
    ]


@pytest.mark.parametrize(
    ("machine", "order", "name"),
    [
        ("x86_64", "<", "x86_64"),
        ("aarch64", "<", "aarch64"),
        ("s390x", ">", "s390x"),
        ("ppc64", "<", "ppc64le"),
        ("ppc64", ">", "ppc64"),
    ],
)
def test_the_machine_has_the_name_that_wheels_give_it(machine: str, order: str, name: str):
    assert Elf(Held(written(Library(machine=machine, order=order)))).machine == name


def test_a_machine_that_nobody_knows_has_its_number():
    data = bytearray(written(Library()))
    data[18:20] = (4711).to_bytes(2, "little")
    assert Elf(Held(bytes(data))).machine == "machine-4711"


def test_a_file_without_section_headers_has_segments_all_the_same():
    elf = Elf(Held(written(Library(headers=False))))
    assert elf.sections == ()
    assert [one.kind for one in elf.segments] == [1, 2]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b"/* GNU ld script */\nINPUT ( libgcc_s.so.1 )\n", "no ELF file"),
        (b"MZ\x90\0" + bytes(100), "no ELF file"),
        (b"\xcf\xfa\xed\xfe" + bytes(100), "no ELF file"),
        (b"\x7fELF", "its ELF header is damaged"),
        (b"\x7fELF\x03\x01" + bytes(100), "its ELF header is damaged"),
        (written(Library())[:63], "its ELF header is damaged"),
        (written(Library())[:100], "cut off"),
        (written(Library())[:200], "cut off"),
    ],
)
def test_what_is_no_whole_elf_file_says_why(data: bytes, why: str):
    with pytest.raises(ElfError, match=why):
        Elf(Held(data))


def test_program_headers_of_a_strange_size_are_refused():
    data = bytearray(written(Library()))
    data[54:56] = (1).to_bytes(2, "little")
    with pytest.raises(ElfError, match="program headers are damaged"):
        Elf(Held(bytes(data)))


def numbered_elsewhere(count: int) -> bytes:
    """A file whose number of sections stands in its first section."""
    data = bytearray(written(Library(sections={".rodata": b"here"})))
    (headers,) = struct.unpack_from("<Q", data, 40)
    names = struct.unpack_from("<H", data, 62)[0]
    struct.pack_into("<HH", data, 60, 0, 0xFFFF)
    struct.pack_into("<Q", data, headers + 32, count)
    struct.pack_into("<I", data, headers + 40, names)
    return bytes(data)


def test_a_number_of_sections_that_stands_elsewhere_is_found():
    data = numbered_elsewhere(
        struct.unpack_from("<H", written(Library(sections={".rodata": b"here"})), 60)[0]
    )
    assert [one.size for one in Elf(Held(data)).named(".rodata")] == [4]


@pytest.mark.parametrize("count", [1000, 1 << 40])
def test_more_sections_than_the_file_holds_are_none(count: int):
    assert Elf(Held(numbered_elsewhere(count))).sections == ()


def test_pieces_come_in_order_once_and_overlap():
    content = Held(bytes(range(200)) * 50_000)  # 10 MB
    blocks = list(pieces(content, [Range(5, 9_000_000, 1005), Range(100, 10, 0)], overlap=7))
    assert [address for address, _ in blocks] == [1005, 1005 + (4 << 20) - 7, 1005 + (8 << 20) - 14]
    whole = blocks[0][1] + b"".join(block[7:] for _, block in blocks[1:])
    assert whole == content.read(5, 9_000_000)


def test_pieces_of_ranges_that_lie_over_each_other_read_the_file_once():
    content = Held(bytes(10_000))
    many = [Range(0, 1 << 60, number) for number in range(1000)]
    assert sum(len(block) for _, block in pieces(content, many)) == 10_000
