"""The end of a zip file: where its directory is, if that can be read in one way only."""

from __future__ import annotations

import os
import struct
from typing import Protocol

from msgspec import Struct

from envbuild.scan.zipped.zipfields import LARGE, refusal

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_MARK, _LOCATOR_MARK, _MARK64 = b"PK\5\6", b"PK\6\7", b"PK\6\6"
_LONGEST = 0xFFFF
"""Bytes of a comment at most."""

_LARGE_COUNT = 0xFFFF


class Seekable(Protocol):
    """A file of which any part can be read: one of this disk, or one far away."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place; where that is."""

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes from there, fewer at the end alone."""


class End(Struct, frozen=True, kw_only=True):
    """Where the directory begins, its bytes, and how many members it has."""

    directory: int
    size: int
    count: int


def end(file: Seekable, label: str) -> End:
    """What the end record says, held against the file.

    Raises:
        InputError: there is none, or a second one, or it does not fit the file.
    """
    whole = file.seek(0, os.SEEK_END)
    start = max(0, whole - _LONGEST - _END.size - _LOCATOR.size - _END64.size)
    file.seek(start)
    tail = file.read(whole - start)
    place = tail.rfind(_MARK)
    if place < 0 or place + _END.size > len(tail):
        raise refusal(label, "is no zip file, or is cut off")
    ends = [one for one in _marks(tail) if one + _END.size + _comment(tail, one) == len(tail)]
    if ends != [place]:
        raise refusal(label, "has no end, or two, or something behind it")
    _, disk, first_disk, here, count, size, directory, _ = _END.unpack_from(tail, place)
    if disk or first_disk or here != count:
        raise refusal(label, "is a part of several files")
    found = End(directory=directory, size=size, count=count)
    large = LARGE in (directory, size) or count == _LARGE_COUNT
    begins = place
    if large or tail[max(0, place - _LOCATOR.size) : place].startswith(_LOCATOR_MARK):
        begins = place - _LOCATOR.size - _END64.size
        found = _large(tail, begins, start=start, small=found, label=label)
    if found.directory + found.size != start + begins:
        raise refusal(label, "has a directory that is not where its end says")
    return found


def _marks(tail: bytes) -> list[int]:
    """Where an end record may begin."""
    found, place = [], tail.find(_MARK)
    while 0 <= place <= len(tail) - _END.size:
        found.append(place)
        place = tail.find(_MARK, place + 1)
    return found


def _comment(tail: bytes, place: int) -> int:
    """The length of the comment that an end record says."""
    return int.from_bytes(tail[place + _END.size - 2 : place + _END.size], "little")


def _large(tail: bytes, begins: int, *, start: int, small: End, label: str) -> End:
    """The end record in 64 bits, which stands directly before its locator, and that before the
    small one; the two say the same."""
    wrong = refusal(label, "has an end that can be read in two ways")
    if begins < 0:
        raise wrong
    mark, length, _, _, disk, first_disk, here, count, size, directory = _END64.unpack_from(
        tail, begins
    )
    locator, locator_disk, place, disks = _LOCATOR.unpack_from(tail, begins + _END64.size)
    if (mark, locator) != (_MARK64, _LOCATOR_MARK) or length != _END64.size - 12:
        raise wrong
    if place != start + begins or disk or first_disk or locator_disk or disks != 1:
        raise wrong
    pairs = (
        (small.directory, directory, LARGE),
        (small.size, size, LARGE),
        (small.count, count, _LARGE_COUNT),
    )
    if here != count or any(one not in (other, mark) for one, other, mark in pairs):
        raise wrong
    return End(directory=directory, size=size, count=count)
