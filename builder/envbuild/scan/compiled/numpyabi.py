"""Which NumPy a shared object was compiled for, by its bytes.

NumPy's headers and pybind11 compile texts of their own into whatever includes them, which prove
it. A module of Cython that only checks NumPy's types has none of them: there the size that it
expects of a dtype tells (:mod:`.dtypesize`). ``python -m bench abi`` holds both
against real imports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from envbuild.scan.binary import NumpyBuild
from envbuild.scan.compiled import dtypesize
from envbuild.scan.compiled.elf import LOAD, Elf, Range, pieces

_ANY = b"numpy"
"""Every text that counts comes with this one."""

_NEW = b"numpy._core._multiarray_umath\0"
_NEW_API = b"module was compiled against NumPy C-API version 0x"
_OLD = b"numpy.core._multiarray_umath\0"
_ARRAY = b"_ARRAY_API"
_ABI = b"module compiled against ABI version 0x"
_PYBIND = b"pybind11 numpy support"
_PYBIND_NEW = b"NumpyVersion\0"
_SIZE = b"size changed, may indicate binary"
_ITERATOR = b"flatiter\0"
_FIRST = b"auto-generated because you didn't call 'numpy.import_array()'"
"""Cython's own call of import_array, which comes before its check of types; one that the author
wrote comes behind it."""

_DTYPE = b"dtype\0"
_TEXTS = (_NEW, _NEW_API, _OLD, _ARRAY, _ABI, _PYBIND, _PYBIND_NEW, _SIZE, _ITERATOR, _FIRST)

_SINCE = re.compile(rb"compiled against NumPy C-API version 0x%x \(NumPy (\d+\.\d+)\)")

_STRINGS = (".rodata", ".lrodata", ".data", ".ldata")
_NO_STRINGS = (".data.rel.ro",)
"""Pointers, whatever the name begins with."""

_MOST, _CODE = 1 << 30, 64 << 20
"""Bytes of texts and of machine code that are looked through at most, from the start on: far more
than the largest modules have."""

_NAMED = 256
"""Places of the name of a dtype that are looked for at most; a module has one or two."""

_WRITABLE, _EXECUTABLE = 2, 1
"""Flags of a segment."""


def build(elf: Elf) -> NumpyBuild | None:
    """The NumPy that a file uses; None where it uses none, or does not tell.

    Raises:
        OSError: the content cannot be read.
    """
    strings = _strings(elf)
    if not any(_ANY in block for _, block in pieces(elf.content, strings)):
        return None
    there, since = _found(block for _, block in pieces(elf.content, strings))
    new = _NEW in there or _NEW_API in there
    checked = _SIZE in there and _ITERATOR in there
    if not new and ({_OLD, _ARRAY} <= there or _ABI in there):
        first = checked and _FIRST not in there
        return NumpyBuild(generation=1, how="cython" if first else "c-api")
    if _PYBIND in there and _PYBIND_NEW not in there:
        return NumpyBuild(generation=1, how="pybind11")
    if new:
        return NumpyBuild(generation=2, how="c-api", since=since)
    if _PYBIND in there:
        return NumpyBuild(generation=2, how="pybind11")
    return _checked(elf, strings) if checked else None


def _strings(elf: Elf) -> tuple[Range, ...]:
    """Where texts are: of a file without sections in everything that is only read."""
    if not elf.sections:
        return tuple(_limited(_mapped(elf, _WRITABLE, wanted=0), _MOST))
    named = (one for one in elf.named(*_STRINGS) if not one.name.startswith(_NO_STRINGS))
    return tuple(_limited((Range(one.offset, one.size, one.address) for one in named), _MOST))


def _code(elf: Elf) -> tuple[Range, ...]:
    code = [Range(one.offset, one.size, one.address) for one in elf.sections if one.code]
    mapped = code if elf.sections else _mapped(elf, _EXECUTABLE, wanted=_EXECUTABLE)
    return tuple(_limited(mapped, _CODE))


def _limited(ranges: Iterable[Range], limit: int) -> Iterator[Range]:
    for offset, size, address in sorted(ranges):
        yield Range(offset, min(size, limit), address)
        limit -= min(size, limit)


def _mapped(elf: Elf, flag: int, *, wanted: int) -> tuple[Range, ...]:
    return tuple(
        Range(one.offset, one.size, one.address)
        for one in elf.segments
        if one.kind == LOAD and one.flags & flag == wanted
    )


def _found(blocks: Iterable[bytes]) -> tuple[set[bytes], str]:
    """Which texts are there, and since which NumPy the C-API is that is asked for."""
    there: set[bytes] = set()
    since = ""
    for block in blocks:
        there.update(text for text in _TEXTS if text not in there and text in block)
        said = _SINCE.search(block) if _NEW_API in there and not since else None
        since = said[1].decode() if said else since
    return there, since


def _checked(elf: Elf, strings: tuple[Range, ...]) -> NumpyBuild | None:
    """Of Cython's check of types alone: by the size of a dtype that it expects."""
    places = (
        address + place
        for address, block in pieces(elf.content, strings)
        for place in _places(block)
    )
    names = frozenset(islice(places, _NAMED))
    blocks = pieces(elf.content, _code(elf), overlap=4096)
    size = dtypesize.expected(elf.machine, blocks, names)
    generation: Literal[1, 2] | None = dtypesize.GENERATIONS.get(size)
    if generation is None:
        return None
    return NumpyBuild(generation=generation, how="cython", sure="heuristic")


def _places(block: bytes) -> Iterator[int]:
    place = block.find(_DTYPE)
    while place >= 0:
        yield place
        place = block.find(_DTYPE, place + 1)
