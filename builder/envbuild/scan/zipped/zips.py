"""A strict reader of zip files: one that can be read in two ways is refused. Nothing is extracted.

What a zip holds is said twice, in the headers before its members and in the directory behind them,
and the directory is found from the end. Readers that trust one or the other see other files in a
zip that was made for it, under the same hash. Here both must say the same, and every byte of the
file has to belong to exactly one of its parts.
"""

from __future__ import annotations

import itertools
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Literal, NoReturn

import msgspec
from msgspec import Struct

from envbuild.scan.zipped.zipends import End, Seekable, end
from envbuild.scan.zipped.zipfields import extra, name_of, refusal, refuse_clashes, widened

MEMBERS = 200_000
"""The most members; the largest wheels have a tenth of that."""

TOTAL = 64 << 30
"""The most bytes that all members may have together when they are unpacked."""

_DIRECTORY = 128 << 20
"""The most bytes of the directory, which is read at once: 640 for each of so many members."""

_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_DESCRIPTION = b"PK\7\x08"
_RATIO = 1032
"""Bytes that a byte of deflate can become at most."""

_PIECE = 1 << 18
_FLAGS = 0b1000_0000_1110
"""What a member may be marked with: how hard it was packed, a description behind it, UTF-8."""

_DESCRIBED = 0b1000
_MARKS = {
    0b1: "is encrypted",
    0b10_0000: "is a patch of something else",
    0b100_0000: "is encrypted",
    0b10_0000_0000_0000: "is encrypted",
}
_FORMATS = {0: "other", 0o100000: "file", 0o040000: "folder", 0o120000: "link"}


class Member(Struct, frozen=True, kw_only=True, gc=False):
    """One member. ``name`` is relative, without a slash at its end; ``size`` and ``packed`` are its
    bytes unpacked and in the file, ``offset`` is where its header begins, ``span`` the bytes from
    there to what follows."""

    name: str
    kind: Literal["file", "folder"]
    size: int
    packed: int
    deflated: bool
    crc: int
    flags: int
    raw: bytes
    offset: int
    span: int


class Archive:
    """The members of a zip file, in the order of the file; ``file`` stays who opened it's."""

    def __init__(self, file: Seekable, label: str) -> None:
        """Read the directory, and hold it against the file as a whole.

        Raises:
            InputError: it is no zip, is cut off, holds what it may not, or can be read in two ways.
        """
        self._file = file
        self._label = label
        found = end(file, label)
        self.members = tuple(self._tiled(self._directory(found), found.directory))
        refuse_clashes(((member.name, member.kind) for member in self.members), label)

    def verify(self) -> None:
        """Hold every member's own header against the directory. :meth:`pieces` does the same for
        the one that it reads: where each read is costly, that has to do.

        Raises:
            InputError: one says something else, or there is something between two members.
        """
        for member in self.members:
            self._begin(member)

    def pieces(self, member: Member) -> Iterator[bytes]:
        """The content of a member, unpacked, in pieces of at most 256 kB.

        Raises:
            InputError: its header says something else, or it is not what its size and its checksum
                say; never more than the size comes before that.
        """
        begin = self._begin(member)
        came, crc = 0, 0
        packed = self._packed(member, begin)
        for piece in self._unpacked(member, packed) if member.deflated else packed:
            came += len(piece)
            if came > member.size:
                self._refuse("is longer than it says", member.name)
            crc = zlib.crc32(piece, crc)
            yield piece
        if came != member.size:
            self._refuse("is shorter than it says", member.name)
        if crc != member.crc:
            self._refuse("is not what its checksum says", member.name)

    # --- The directory ---------------------------------------------------------------------------

    def _directory(self, found: End) -> list[Member]:
        """What the directory says, in its order; ``span`` is not known yet."""
        if found.count > MEMBERS:
            self._refuse(f"has {found.count} members; {MEMBERS} are the most that is read")
        if found.size > _DIRECTORY:
            self._refuse("has a directory that is too long")
        data = self._read(found.directory, found.size)
        place, members = 0, []
        for _ in range(found.count):
            if place + _ENTRY.size > len(data):
                self._refuse("has fewer members than it says")
            member, place = self._entry(data, place)
            members.append(member)
        if place != len(data):
            self._refuse("has something behind the last entry of its directory")
        if sum(member.size for member in members) > TOTAL:
            self._refuse(f"would unpack to more than {TOTAL >> 30} GB")
        return members

    def _entry(self, data: bytes, place: int) -> tuple[Member, int]:
        """The member of an entry, and where the next one begins."""
        fields = _ENTRY.unpack_from(data, place)
        if fields[0] != b"PK\1\2":
            self._refuse("has a broken directory")
        flags, method = fields[5], fields[6]
        crc, packed, size = fields[9:12]
        lengths, disk, attributes, offset = fields[12:15], fields[15], fields[17], fields[18]
        begin = place + _ENTRY.size
        ends = list(itertools.accumulate(lengths, initial=begin))
        if ends[-1] > len(data):
            self._refuse("has a broken directory")
        raw = data[begin : ends[1]]
        name = name_of(raw, utf8=bool(flags & 0x800), label=self._label)
        more = extra(data[ends[1] : ends[2]], raw, label=self._label, name=name)
        told = widened((size, packed, offset), more)
        if told is None:
            self._refuse("says its size in two ways", name)
        if disk:
            self._refuse("lies in another file", name)
        member = Member(
            name=name.rstrip("/"),
            kind=self._kind(name, attributes >> 16),
            size=told[0],
            packed=told[1],
            deflated=method == 8,
            crc=crc,
            flags=flags,
            raw=raw,
            offset=told[2],
            span=0,
        )
        self._refuse_odd(member, method)
        return member, ends[-1]

    def _kind(self, name: str, mode: int) -> Literal["file", "folder"]:
        form = _FORMATS.get(mode & 0o170000)
        ends = name.endswith("/")
        if form == "link":
            self._refuse("is a link", name)
        if form is None or form == ("file" if ends else "folder"):
            self._refuse("is neither a file nor a folder", name)
        return "folder" if ends else "file"

    def _refuse_odd(self, member: Member, method: int) -> None:
        """Refuse a member that cannot be, or that is not read here."""
        for mark, said in _MARKS.items():
            if member.flags & mark:
                self._refuse(said, member.name)
        if member.flags & ~_FLAGS:
            self._refuse("has marks that are not known", member.name)
        if method not in (0, 8):
            self._refuse(f"is packed in a way that is not read (method {method})", member.name)
        lies = member.size > member.packed * _RATIO if method else member.size != member.packed
        if lies or (member.kind == "folder" and member.size):
            self._refuse("cannot have the size that it says", member.name)

    def _tiled(self, members: list[Member], whole: int) -> Iterator[Member]:
        """The members in the order of the file, with what lies from each to the next one."""
        ordered = sorted(members, key=lambda member: member.offset)
        if ordered and ordered[0].offset:
            self._refuse("has something before its first member", ordered[0].name)
        if not ordered and whole:
            self._refuse("has something before its directory")
        places = [*(member.offset for member in ordered), whole]
        for member, following in zip(ordered, places[1:], strict=True):
            span = following - member.offset
            least = _LOCAL.size + len(member.raw) + member.packed
            if span < least:
                self._refuse("overlaps what follows it", member.name)
            if span > least + 0xFFFF + 24:
                self._refuse("is followed by something that belongs to no member", member.name)
            yield msgspec.structs.replace(member, span=span)

    # --- The members -----------------------------------------------------------------------------

    def _begin(self, member: Member) -> int:
        """Where the content of a member begins, once its own header has said the same of it."""
        data = self._read(member.offset, min(member.span, _LOCAL.size + len(member.raw)))
        fields = _LOCAL.unpack_from(data)
        flags, method, crc, packed, size = *fields[3:5], *fields[7:10]
        named: int = fields[10]
        more: int = fields[11]
        name = member.name
        if fields[0] != b"PK\3\4":
            self._refuse("is not where the directory says", name)
        if data[_LOCAL.size :] != member.raw or named != len(member.raw):
            self._refuse("has another name in its own header", name)
        if flags != member.flags or method != (8 if member.deflated else 0):
            self._refuse("has other marks in its own header", name)
        begin = member.offset + _LOCAL.size + named + more
        behind = member.offset + member.span - begin - member.packed
        described = bool(flags & _DESCRIBED)
        if behind < 0 or (behind and not described):
            self._refuse("is followed by something that belongs to no member", name)
        raw = self._read(begin - more, more) if more else b""
        large = extra(raw, member.raw, label=self._label, name=name)
        told = widened((size, packed), large)
        empty = described and (crc, told) == (0, (0, 0))
        if not empty and (crc, told) != (member.crc, (member.size, member.packed)):
            self._refuse("has another size or checksum in its own header", name)
        if described and not self._describes(self._read(begin + member.packed, behind), member):
            self._refuse("has another size or checksum behind it", name)
        return begin

    def _describes(self, data: bytes, member: Member) -> bool:
        """Whether the description behind a member says the same: with its mark or without, sizes of
        32 or 64 bits."""
        rest = data[4:] if len(data) in (16, 24) and data[:4] == _DESCRIPTION else data
        if len(rest) not in (12, 20):
            return False
        said = struct.unpack("<LLL" if len(rest) == 12 else "<LQQ", rest)
        return said == (member.crc, member.packed, member.size)

    def _packed(self, member: Member, begin: int) -> Iterator[bytes]:
        place, last = begin, begin + member.packed
        while place < last:
            piece = self._read(place, min(_PIECE, last - place))
            place += len(piece)
            yield piece

    def _unpacked(self, member: Member, packed: Iterator[bytes]) -> Iterator[bytes]:
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        for piece in packed:
            waiting = piece
            while waiting and not unpacking.eof:
                try:
                    came = unpacking.decompress(waiting, _PIECE)
                except zlib.error:
                    self._refuse("cannot be unpacked", member.name)
                waiting = unpacking.unconsumed_tail
                if came:
                    yield came
            if unpacking.unused_data or waiting:
                self._refuse("has something behind its content", member.name)
        if not unpacking.eof:
            self._refuse("is cut off", member.name)

    def _read(self, place: int, size: int) -> bytes:
        self._file.seek(place, os.SEEK_SET)
        data = self._file.read(size)
        if len(data) != size:
            self._refuse("is cut off")
        return data

    def _refuse(self, why: str, name: str = "") -> NoReturn:
        raise refusal(self._label, why, name)
