"""The size of NumPy's dtype that a module of Cython expects, read from its machine code.

Cython compiles ``__Pyx_ImportType(module, "numpy", "dtype", sizeof(PyArray_Descr), …)`` into the
start of a module. With the headers of NumPy 1 the size is 96, with those of NumPy 2 it is 32 (or
88, the whole structure): a small constant beside the address of the name. A type that is smaller
than expected ends the import, and NumPy 2's is.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

GENERATIONS: dict[int, Literal[1, 2]] = {96: 1, 32: 2, 88: 2}
"""The generation of NumPy's headers by the size of a dtype on a 64-bit machine."""

_PLACES = 1_000_000
"""Places in the code that are looked at more closely, at most; a real module has some thousand."""

_NEAR = 80
"""Bytes of code between the name and the size; the call that takes both lies behind them."""

_AMD_SIZE = re.compile(rb"(?:[\xb9\xba\xbe]|\x41[\xb8\xb9])([\x20\x58\x60])\0\0\0")
"""``mov`` of a size to a register that passes an argument."""

_AMD_NAME = re.compile(rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d](?=(....))", re.DOTALL)
"""``lea`` of an address beside the code, by its distance from the next instruction."""

_ARM_SIZE = re.compile(rb"[\x00-\x07]([\x04\x0b\x0c])\x80[\x52\xd2]")
"""``mov`` of a size to one of the registers ``w0`` to ``w7``, or ``x0`` to ``x7``."""

_ARM_IMMEDIATES = {4: 32, 11: 88, 12: 96}
"""The size by the second byte of that instruction."""

_ADRP, _ADD = 0x90000000, 0x91000000
"""The two instructions that an address is put together with: its page, and the rest."""


class _Sized(NamedTuple):
    """A size in the code. ``sure``: 2 where it is beside the name, 1 where it may be, 0 where it
    is not."""

    sure: int
    size: int


def expected(machine: str, blocks: Iterable[tuple[int, bytes]], names: Collection[int]) -> int:
    """The size that the code expects of what is named at one of the addresses; 0: not found.

    ``blocks`` are the code, each with the address of its first byte.
    """
    seek = {"x86_64": _amd, "aarch64": _arm}.get(machine)
    if seek is None or not names:
        return 0
    near = (one for address, code in blocks for one in seek(address, code, names))
    seen = Counter(one for one in islice(near, _PLACES) if one.sure and one.size)
    best = max(seen, key=lambda one: (one.sure, seen[one]), default=_Sized(0, 0))
    return best.size


def _amd(address: int, code: bytes, names: Collection[int]) -> Iterator[_Sized]:
    """x86-64: the size that is nearest to each place that takes the address of a name."""
    for found in _AMD_NAME.finditer(code):
        (distance,) = struct.unpack("<i", found[1])
        if address + found.end() + 4 + distance in names:
            yield _Sized(2, _nearest(_AMD_SIZE, code, found.start())[0])


def _arm(address: int, code: bytes, names: Collection[int]) -> Iterator[_Sized]:
    """AArch64: the size that is nearest to each place that puts the address of a name together.

    ``add`` has the lowest twelve bits of it, of which six are a byte of the instruction.
    """
    for high in {name >> 6 & 0x3F for name in names}:
        ending = bytes((high, _ADD >> 24))
        place = code.find(ending, 2) - 2
        while place >= 0:
            sure = 0 if (address + place) % 4 else _taken(address, code, place=place, names=names)
            second = _nearest(_ARM_SIZE, code, place)[0] if sure else 0
            yield _Sized(sure, _ARM_IMMEDIATES.get(second, 0))
            place = code.find(ending, place + 3) - 2


def _nearest(size: re.Pattern[bytes], code: bytes, place: int) -> bytes:
    """The byte that tells the size of the nearest match; a zero where there is none near."""
    start = max(0, place - _NEAR)
    near = size.finditer(code[start : place + _NEAR])
    best = min(near, key=lambda found: abs(start + found.start() - place), default=None)
    return best[1] if best else b"\0"


def _taken(address: int, code: bytes, *, place: int, names: Collection[int]) -> int:
    """How sure it is that an ``add`` makes the address of a name: 2 where the page that it is
    added to was taken (``adrp``) shortly before, 1 where that was further away, or 0."""
    (word,) = struct.unpack_from("<I", code, place)
    rest, base = word >> 10 & 0xFFF, word >> 5 & 31
    if not any(name & 0xFFF == rest for name in names):
        return 0
    for before in range(place - 4, max(-1, place - _NEAR), -4):
        (word,) = struct.unpack_from("<I", code, before)
        if word & 0x9F00001F == _ADRP | base:
            high, low = word >> 5 & 0x7FFFF, word >> 29 & 3
            distance = ((high << 2 | low) ^ 1 << 20) - (1 << 20)  # 21 bits with a sign
            page = ((address + before >> 12) + distance) << 12
            return 2 if page + rest in names else 0
    return 1
