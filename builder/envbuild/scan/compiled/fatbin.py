"""The GPU architectures that a library has code for: the fatbins embedded in it.

A section of them holds containers, one behind the other, each with a header and entries; an entry
has a header and the code of one architecture, which is skipped. NVIDIA does not publish the
layout: it was read from what nvcc 13.0 writes, and gave what their builds say for wheels of CUDA
11.8 to 12.8 (bitsandbytes 0.46.0, xformers 0.0.29.post3) and for nvJPEG 12.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from envbuild.scan.compiled.elf import Elf
from envbuild.scan.sources.content import Content

_SECTIONS = (".nv_fatbin", "__nv_relfatbin")

_MAGIC = 0xBA55ED50
_CONTAINER = struct.Struct("<IHHQ")
"""Magic, version, size of this header, size of the entries."""

_ENTRY = struct.Struct("<HHIQ12xI8xQ")
"""Kind, version, size of this header, size of the code; architecture; flags."""

_KINDS = {1: "compute", 2: "sm"}
"""PTX, which is compiled where it runs, and machine code."""

_SPECIFIC, _FAMILY = 1 << 20, 1 << 21
"""Flags: the code runs on that architecture only (``sm_90a``), or on its family (``sm_100f``)."""

_ALIGNED = 8
_PADDED = struct.Struct("<Q")
_PADDING = 1 << 16
"""Bytes between two containers that are skipped at most; sections are joined with few."""

_WINDOW = 1 << 12
"""Bytes that are read at once."""

_STEPS = 1_000_000
"""Headers that are read of one file at most; the largest libraries have some ten thousand."""


class _Entry(NamedTuple):
    kind: int
    architecture: int
    flags: int


def architectures(elf: Elf) -> tuple[str, ...]:
    """The architectures of a file, sorted: ``sm_90``, and ``compute_90`` of PTX.

    Raises:
        OSError: the content cannot be read.
    """
    found = {
        entry
        for section in elf.named(*_SECTIONS)
        for entry in _entries(elf.content, section.offset, section.offset + section.size)
    }
    known = sorted((one.kind, one.architecture, one.flags) for one in found if one.kind in _KINDS)
    return tuple(dict.fromkeys(_name(*one) for one in known))


def _name(kind: int, architecture: int, flags: int) -> str:
    letter = "a" if flags & _SPECIFIC else "f" if flags & _FAMILY else ""
    return f"{_KINDS[kind]}_{architecture}{letter}"


def _entries(content: Content, start: int, end: int) -> Iterator[_Entry]:
    """The entries of the containers of a section; what is no container ends it."""
    window = _Window(content, end)
    place = inside = start  # ``inside``: where the container ends that the place is in
    for _ in range(_STEPS):
        if place >= inside:
            place = window.behind_padding(inside)
            magic, _, header, size = window.fields(_CONTAINER, place)
            if magic != _MAGIC or header < _CONTAINER.size:
                return
            inside = place + header + size
            place += header
            continue
        kind, _, header, size, architecture, flags = window.fields(_ENTRY, place)
        if header < _ENTRY.size:
            return
        yield _Entry(kind, architecture, flags & (_SPECIFIC | _FAMILY))
        place += header + size


class _Window:
    """Small reads near each other, made of few larger ones."""

    def __init__(self, content: Content, end: int) -> None:
        self._content = content
        self._end = end
        self._start = 0
        self._held = b""

    def fields(self, record: struct.Struct, place: int) -> tuple[int, ...]:
        """A record at a place; zeros beyond the end."""
        if not self._start <= place <= self._start + len(self._held) - record.size:
            self._held = self._content.read(place, min(_WINDOW, self._end - place))
            self._start = place
        if len(self._held) < record.size:
            return record.unpack(bytes(record.size))
        return record.unpack_from(self._held, place - self._start)

    def behind_padding(self, place: int) -> int:
        """The next aligned place that is not zero; at the end of too much padding, any."""
        place += -place % _ALIGNED
        limit = place + _PADDING
        while place < min(limit, self._end) and not any(self.fields(_PADDED, place)):
            place += _ALIGNED
        return place
