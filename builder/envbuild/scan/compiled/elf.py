"""The outline of an ELF file: machine, segments and sections, of either width and byte order.

Everything that the file says of itself may be a lie: it is held against the size of the file and
against limits, so that reading ends whatever is in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envbuild.scan.sources.content import Content

MAGIC = b"\x7fELF"
LOAD, DYNAMIC = 1, 2
"""Kinds of segments: what is mapped, and where the loader's table is."""

_EXECUTABLE = 4
"""Of a section's flags: it is machine code."""

_NOBITS = 8
"""The kind of a section that has no bytes in the file."""

_SECTIONS = 65_536
"""Sections that are read at most; a shared object has some thirty."""

_ELSEWHERE = 0xFFFF
"""An index that the header has no room for: the first section has it."""

_NAMES = 4 << 20
"""Bytes of section names that are read at most."""

_PIECE = 4 << 20
"""Bytes that are read at once; small enough that a library of gigabytes takes little memory."""

_MACHINES = {
    3: "i386",
    8: "mips",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}


FOREIGN = "no ELF file"
"""What is said of a file of another kind: a linker's script, or a library for another system."""


class ElfError(ValueError):
    """It is no ELF file, or one that cannot be read; the text says why."""


class Segment(NamedTuple):
    """A part of the file that a program header names; ``kind`` 1 is mapped to ``address``."""

    kind: int
    flags: int
    offset: int
    address: int
    size: int


class Section(NamedTuple):
    """A section that has bytes in the file. ``code`` says whether they are machine code."""

    name: str
    code: bool
    address: int
    offset: int
    size: int


class Form(NamedTuple):
    """How numbers are laid out: the tables of one width and byte order."""

    wide: bool
    order: str
    header: struct.Struct
    segment: struct.Struct
    section: struct.Struct
    entry: struct.Struct
    """Of the loader's table: a tag and a value."""
    asking: struct.Struct
    """A library of which versions are asked: version, count, file, first, next."""
    asked: struct.Struct
    """One of them: hash, flags, number, name, next."""
    offering: struct.Struct
    """A version that is defined: version, flags, number, count, hash, first, next."""
    name: struct.Struct
    """Its name, and where the next one is."""


def _form(order: str, *, wide: bool) -> Form:
    def table(fields64: str, fields32: str) -> struct.Struct:
        return struct.Struct(order + (fields64 if wide else fields32))

    return Form(
        wide=wide,
        order=order,
        header=table("HHIQQQIHHHHHH", "HHIIIIIHHHHHH"),
        segment=table("IIQQQQQQ", "IIIIIIII"),
        section=table("IIQQQQIIQQ", "IIIIIIIIII"),
        entry=table("QQ", "II"),
        asking=table("HHIII", "HHIII"),
        asked=table("IHHII", "IHHII"),
        offering=table("HHHHIII", "HHHHIII"),
        name=table("II", "II"),
    )


_FORMS = {
    (width, order): _form("<" if order == 1 else ">", wide=width == 2)
    for width in (1, 2)
    for order in (1, 2)
}
"""By the bytes of the file that say its width and its byte order."""


class Elf:
    """An ELF file. ``segments`` and ``sections`` lie inside the file; a file without (readable)
    section headers has no sections, which the loader does not need."""

    def __init__(self, content: Content) -> None:
        """Read the headers, the content's bytes where they are asked for.

        Raises:
            ElfError: it is no ELF file, or its headers are damaged.
            OSError: the content cannot be read.
        """
        start = content.read(0, 64)
        if not start:
            raise ElfError("the file is empty")
        if start[:4] != MAGIC:
            raise ElfError(FOREIGN)
        form = _FORMS.get((start[4], start[5])) if len(start) >= 16 else None
        if form is None or len(start) < 16 + form.header.size:
            raise ElfError("its ELF header is damaged")
        self.content = content
        self.form = form
        header = form.header.unpack_from(start, 16)
        self.machine = _machine(header[1], form)
        self.segments = _segments(content, form, offset=header[4], sizes=header[8:10])
        self.sections = _sections(content, form, offset=header[5], sizes=header[10:13])

    def offset(self, address: int) -> int | None:
        """Where in the file the bytes are that are mapped to an address; None: nowhere."""
        for _, _, offset, start, size in self.segments:
            if start <= address < start + size:
                return address - start + offset
        return None

    def named(self, *prefixes: str) -> Iterator[Section]:
        """The sections whose names begin with one of these."""
        return (one for one in self.sections if one.name.startswith(prefixes))


class Range(NamedTuple):
    """Bytes of a file, and the address that the first one is mapped to."""

    offset: int
    size: int
    address: int


def pieces(
    content: Content, ranges: Iterable[Range], *, overlap: int = 256
) -> Iterator[tuple[int, bytes]]:
    """The bytes of ranges, in blocks that begin with the last ``overlap`` bytes of the one before,
    each with the address of its first byte.

    What lies in several ranges comes once, so that not more than the file is read.
    """
    done = 0
    for offset, size, address in sorted(ranges):
        start, end = max(offset, done), min(offset + size, content.size)
        done = max(done, end)
        while start < end:
            block = content.read(start, min(_PIECE, end - start))
            if not block:
                break
            yield address + start - offset, block
            if start + len(block) >= end:
                break
            start += max(1, len(block) - overlap)


def _machine(number: int, form: Form) -> str:
    name = _MACHINES.get(number, f"machine-{number}")
    if not form.wide and name == "riscv64":
        return "riscv32"
    return "ppc64le" if name == "ppc64" and form.order == "<" else name


def _segments(
    content: Content, form: Form, *, offset: int, sizes: tuple[int, int]
) -> tuple[Segment, ...]:
    entry, count = sizes
    if not offset or not count:
        return ()
    if entry != form.segment.size:
        raise ElfError("its program headers are damaged")
    data = content.read(offset, entry * count)
    if len(data) < entry * count:
        raise ElfError("it is cut off: its program headers are not all there")
    found = []
    for fields in form.segment.iter_unpack(data):
        kind, flags, start, address, size = (
            (fields[0], fields[1], fields[2], fields[3], fields[5])
            if form.wide
            else (fields[0], fields[6], fields[1], fields[2], fields[4])
        )
        if kind not in (LOAD, DYNAMIC):
            continue
        lacking = start + size - content.size
        if lacking > 0 and size:
            raise ElfError(f"it is cut off: {lacking} of its bytes are not there")
        found.append(Segment(kind, flags, start, address, size))
    # Where both name the same bytes, addresses are looked up in what is mapped.
    return tuple(sorted(found, key=lambda one: one.kind))


def _sections(
    content: Content, form: Form, *, offset: int, sizes: tuple[int, int, int]
) -> tuple[Section, ...]:
    entry, count, names = sizes
    if not offset or entry != form.section.size:
        return ()
    first = content.read(offset, entry * (count or 1))
    if len(first) < entry:
        return ()
    if count == 0:  # more than the header can say: the first section has the numbers
        zeroth = form.section.unpack_from(first)
        count, names = zeroth[5], zeroth[6] if names == _ELSEWHERE else names
        if count > _SECTIONS:
            return ()
        first = content.read(offset, entry * count)
    table = list(form.section.iter_unpack(first[: len(first) // entry * entry]))
    if names >= len(table) or len(table) < count:
        return ()
    text = content.read(table[names][4], min(table[names][5], _NAMES))
    return tuple(_known(table, text, content.size))


def _known(table: Iterable[tuple[int, ...]], names: bytes, size: int) -> Iterator[Section]:
    for name, kind, flags, address, offset, length, *_ in table:
        if kind in (0, _NOBITS) or length == 0 or offset >= size:
            continue
        end = names.find(b"\0", name, name + 256)
        text = names[name:end].decode("utf-8", "replace") if end >= 0 else ""
        code = bool(flags & _EXECUTABLE)
        yield Section(text, code, address, offset, min(length, size - offset))
