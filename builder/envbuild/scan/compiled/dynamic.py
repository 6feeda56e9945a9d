"""What an ELF file tells the loader: libraries, where they are, versions asked for and offered.

Read from the segments, as the loader does it, and not from the sections, which a file may lack.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from envbuild.scan.compiled.elf import DYNAMIC, Elf, ElfError, Range, pieces
from envbuild.scan.sources.content import Content

_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_VERDEF, _VERNEED = 0x6FFFFFFC, 0x6FFFFFFE

_TABLE = 1 << 20
"""Bytes of the loader's table that are read at most: 65,536 entries."""

_LIBRARIES = 1024
"""Libraries that one file may name."""

_TEXT = 4096
"""Bytes of one name or path."""

_STRINGS = 256 << 20
"""Bytes of names that are looked through at most; libtorch has 30 MB of them."""

_HELD = 1 << 20
"""Bytes of names that are read in one go."""

_VERSIONS = 1 << 14
"""Bytes of a table of versions that are read; the longest known have 4 KB."""

_STEPS = 2048
"""Entries of a table of versions that are followed."""

_WEAK, _BASE = 2, 1
"""Flags of a version: it may be lacking; it is the name of the library itself."""

_VERSION = re.compile(r"([A-Za-z][A-Za-z_]*)_(\d+(?:[._]\d+)*)")
_RELR = ("GLIBC_ABI_DT_RELR", ("GLIBC", (2, 36)))
"""A name without a number: glibc has it since 2.36 (its release notes)."""

_PYTHON = re.compile(rb"\0Py(?:[A-Z][A-Za-z]*)?_")


class Dynamic(NamedTuple):
    """The loader's table; the fields are those of :class:`envbuild.scan.binary.Binary`."""

    soname: str = ""
    needed: tuple[str, ...] = ()
    runpaths: tuple[str, ...] = ()
    demands: tuple[tuple[str, str], ...] = ()
    offers: tuple[tuple[str, str], ...] = ()
    python: bool = False


def read(elf: Elf) -> Dynamic:
    """The loader's table of a file; empty where it has none (a static program).

    Raises:
        ElfError: it leads to where nothing is.
        OSError: the content cannot be read.
    """
    table = _table(elf)
    values = dict(table)  # of two of a kind the last one counts, as for glibc
    if _STRTAB not in values:
        return Dynamic()
    strings = _strings(elf, values[_STRTAB], values.get(_STRSZ, 0))
    needed = [value for tag, value in table if tag == _NEEDED][:_LIBRARIES]
    paths = values.get(_RUNPATH, values.get(_RPATH))
    return Dynamic(
        soname=strings.at(values[_SONAME]) if _SONAME in values else "",
        needed=tuple(dict.fromkeys(strings.at(one) for one in needed)),
        runpaths=tuple(one for one in strings.at(paths).split(":") if one) if paths else (),
        demands=_newest(_demands(elf, values.get(_VERNEED), strings)),
        offers=_newest(_offers(elf, values.get(_VERDEF), strings)),
        python=strings.have(b"\0Py", _PYTHON),
    )


class Strings:
    """A table of names, each ended by a NUL."""

    def __init__(self, content: Content, offset: int, size: int) -> None:
        self._content = content
        self._offset = offset
        self._size = size
        self._start = content.read(offset, min(size, _HELD))

    def at(self, index: int) -> str:
        """The name that begins at an index; empty beyond the end."""
        end = self._start.find(b"\0", index, index + _TEXT)
        if end >= 0:
            return self._start[index:end].decode("utf-8", "replace")
        if index >= self._size:
            return ""
        text = self._content.read(self._offset + index, min(_TEXT, self._size - index))
        return text.partition(b"\0")[0].decode("utf-8", "replace")

    def have(self, literal: bytes, pattern: re.Pattern[bytes]) -> bool:
        """Whether a pattern is somewhere in the names, which begins with a literal."""
        whole = Range(self._offset, min(self._size, _STRINGS), 0)
        held = ((0, self._start),)
        for _, block in held if self._size <= _HELD else pieces(self._content, (whole,)):
            place = block.find(literal)
            while place >= 0:
                if pattern.match(block, place):
                    return True
                place = block.find(literal, place + 1)
        return False


def _table(elf: Elf) -> list[tuple[int, int]]:
    for one in elf.segments:
        if one.kind == DYNAMIC:
            data = elf.content.read(one.offset, min(one.size, _TABLE))
            size = elf.form.entry.size
            found = list(elf.form.entry.iter_unpack(data[: len(data) // size * size]))
            end = next((number for number, entry in enumerate(found) if not entry[0]), len(found))
            return [(tag, value) for tag, value in found[:end]]
    return []


def _strings(elf: Elf, address: int, size: int) -> Strings:
    place = elf.offset(address)
    if place is None:
        raise ElfError("its loader's table leads to names that are not there")
    return Strings(elf.content, place, min(size, elf.content.size - place))


def _demands(elf: Elf, address: int | None, strings: Strings) -> Iterator[str]:
    """The versions that are asked of other libraries and that must be there."""
    steps = _STEPS
    data, form = _versions(elf, address), elf.form
    for place, (_, count, _, first, _) in _chain(data, 0, form.asking):
        for _, (_, flags, _, name, _) in _chain(data, place + first, form.asked, count):
            steps -= 1
            if not steps:
                return
            if not flags & _WEAK:
                yield strings.at(name)


def _offers(elf: Elf, address: int | None, strings: Strings) -> Iterator[str]:
    """The versions that the file defines, the name of the library itself left out."""
    data, name = _versions(elf, address), elf.form.name
    for place, (_, flags, _, _, _, first, _) in _chain(data, 0, elf.form.offering):
        if not flags & _BASE and place + first + name.size <= len(data):
            yield strings.at(name.unpack_from(data, place + first)[0])


def _versions(elf: Elf, address: int | None) -> bytes:
    place = None if address is None else elf.offset(address)
    return b"" if place is None else elf.content.read(place, _VERSIONS)


def _chain(
    data: bytes, place: int, record: struct.Struct, count: int = _STEPS
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Records that each say at their end how far the next one is; it is never before them."""
    for _ in range(min(count, _STEPS)):
        if place + record.size > len(data):
            return
        fields = record.unpack_from(data, place)
        yield place, fields
        if not fields[-1]:
            return
        place += fields[-1]


def _newest(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The newest of each family, sorted; names without a number (``GLIBC_PRIVATE``) are none."""
    newest: dict[str, tuple[int, ...]] = {}
    for family, number in filter(None, map(_parsed, names)):
        newest[family] = max(number, newest.get(family, ()))
    return tuple((family, ".".join(map(str, number))) for family, number in sorted(newest.items()))


@lru_cache(maxsize=4096)  # a prefix has thousands of modules that ask for the same few
def _parsed(name: str) -> tuple[str, tuple[int, ...]] | None:
    if name == _RELR[0]:
        return _RELR[1]
    found = _VERSION.fullmatch(name)
    return (found[1], tuple(map(int, re.split("[._]", found[2])))) if found else None
