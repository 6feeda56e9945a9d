"""The entries of an uncompressed tar, each with its place in the file. Nothing is ever extracted.

Read as Go's ``archive/tar`` reads, because the engines do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import IO, Literal

from msgspec import Struct

from envbuild.errors import InputError

BLOCK = 512
END = bytes(2 * BLOCK)
"""What a tar ends with."""

_LONGEST = 1024 * 1024
"""Bytes of one extension header; Go refuses more."""

_NANO = 10**9

Kind = Literal["file", "folder", "link", "hard link", "device", "pipe", "other"]

_KINDS: Mapping[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"S": "file",
    b"1": "hard link",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"5": "folder",
    b"6": "pipe",
}
EXTENSIONS = frozenset({b"x", b"g", b"L", b"K"})
"""Headers that say more of the one behind them: of POSIX, for one entry and for all; of GNU."""

TIMES = frozenset({"mtime", "atime", "ctime", "LIBARCHIVE.creationtime"})
_FIELDS = frozenset({"path", "linkpath", "size", "uid", "gid", "uname", "gname", *TIMES})
"""Records of an extension header that replace fields of the header behind it."""


class Entry(Struct, frozen=True, kw_only=True):
    """One entry. ``path`` is relative to the root, in one spelling.

    ``time`` is the modification time in nanoseconds since 1970, ``size`` what is stored of the
    content in bytes, ``owner`` uid, gid, and the names of both, ``device`` major and minor number,
    ``attributes`` all other records (extended attributes, access lists). ``start`` is where its
    first header begins, ``data`` where its content does. ``sparse``: what is stored are the parts
    between its holes, with a map of them.
    """

    path: str
    kind: Kind
    mode: int
    owner: tuple[int, int, str, str]
    time: int
    size: int
    link: str = ""
    device: tuple[int, int] = (0, 0)
    attributes: tuple[tuple[str, bytes], ...] = ()
    start: int
    data: int
    sparse: bool = False

    @property
    def seconds(self) -> int:
        """The modification time in whole seconds, rounded down."""
        return self.time // _NANO


def scan(file: IO[bytes], label: str) -> Iterator[Entry]:
    """Every entry in the order of the file; contents are skipped.

    Raises:
        InputError: it is no tar, is cut off, or has a path that leads out of it.
    """
    whole = file.seek(0, os.SEEK_END)
    place = 0
    while place < whole:
        entry = entry_at(file, label, place)
        if entry is None:
            return
        place = entry.data + padded(entry.size)
        if entry.data + entry.size > whole:
            raise InputError(f"{label} is cut off in {entry.path!r}")
        yield entry


def entry_at(file: IO[bytes], label: str, start: int) -> Entry | None:
    """The entry whose first header begins at ``start``; None at the end of the tar.

    Raises:
        InputError: as of :func:`scan`.
    """
    return _Reading(file, label, start).entry()


def path_of(name: str) -> str:
    """The name of an entry as a path relative to the root: no ``/`` in front, no ``.`` in it."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


class _Reading:
    """Reads the headers of one entry, and what stands before them."""

    def __init__(self, file: IO[bytes], label: str, start: int) -> None:
        self._file = file
        self._label = label
        self._start = start
        self._records: dict[str, bytes] = {}
        file.seek(start)

    def entry(self) -> Entry | None:
        """The entry; None at the end of the tar."""
        while True:
            block = self._file.read(BLOCK)
            if block == bytes(BLOCK):
                self._end()
                return None
            if not block and self._file.tell() == self._start:
                return None  # some writers put nothing behind the last entry
            if len(block) < BLOCK:
                raise InputError(f"{self._label} is cut off")
            self._check(block)
            kind = block[156:157]
            if kind not in EXTENSIONS:
                return self._made(block, kind)
            text = self._text(self._number(block[124:136]))
            if kind == b"x":
                self._records |= self._parsed(text)
            elif kind != b"g":  # Go applies no global records, and so engines do not
                self._records["path" if kind == b"L" else "linkpath"] = text.split(b"\0")[0]

    def _end(self) -> None:
        if self._records or self._file.read(BLOCK).strip(b"\0"):
            raise self._broken("a header is missing")

    def _made(self, block: bytes, kind: bytes) -> Entry:
        name = self._records.get("path") or _named(block)
        path = self._safe(name)
        link = self._records.get("linkpath") or block[157:257].split(b"\0")[0]
        known = _KINDS.get(kind, "other")
        if kind == b"\0" and name.endswith(b"/"):  # how it was said before tar had folders
            known = "folder"
        size = self._decimal("size", self._number(block[124:136]))
        if size < 0:
            raise self._broken(f"{path!r} has a negative size")
        if kind == b"S":
            self._skip_map(block)
        return Entry(
            path=path,
            kind=known,
            mode=self._number(block[100:108]) & 0o7777,
            owner=self._owner(block),
            time=self._time(block),
            size=size if known in ("file", "other") else 0,
            link=self._safe(link) if known == "hard link" else _decoded(link),
            device=self._device(block) if known == "device" else (0, 0),
            attributes=tuple(
                (key, value) for key, value in sorted(self._records.items()) if key not in _FIELDS
            ),
            start=self._start,
            data=self._file.tell(),
            sparse=kind == b"S" or any(key.startswith("GNU.sparse.") for key in self._records),
        )

    def _safe(self, name: bytes) -> str:
        text = _decoded(name)
        if "\0" in text or ".." in text.split("/"):
            raise InputError(f"{self._label} has an entry that leads out of it: {text!r}")
        return path_of(text)

    def _owner(self, block: bytes) -> tuple[int, int, str, str]:
        names = [
            _decoded(self._records.get(key, block[place : place + 32].split(b"\0")[0]))
            for key, place in (("uname", 265), ("gname", 297))
        ]
        uid = self._decimal("uid", self._number(block[108:116]))
        return uid, self._decimal("gid", self._number(block[116:124])), names[0], names[1]

    def _time(self, block: bytes) -> int:
        text = self._records.get("mtime")
        if text is None:
            return self._number(block[136:148]) * _NANO
        whole, _, part = text.partition(b".")
        try:
            seconds = int(whole) * _NANO
            nanos = int(part[:9].ljust(9, b"0"))
        except ValueError:
            raise self._broken(f"the time {text[:40]!r}") from None
        return seconds - nanos if whole.startswith(b"-") else seconds + nanos

    def _device(self, block: bytes) -> tuple[int, int]:
        return self._number(block[329:337]), self._number(block[337:345])

    def _decimal(self, key: str, otherwise: int) -> int:
        text = self._records.get(key)
        if text is None:
            return otherwise
        if not (text.isdigit() and len(text) < 20):
            raise self._broken(f"{key} {text[:40]!r}")
        return int(text)

    def _number(self, field: bytes) -> int:
        try:
            return number(field)
        except ValueError:
            raise self._broken(f"the number {field!r}") from None

    def _text(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST:
            raise self._broken(f"an extension header of {size} bytes")
        data = self._file.read(padded(size))
        if len(data) < size:
            raise InputError(f"{self._label} is cut off")
        return data[:size]

    def _parsed(self, text: bytes) -> dict[str, bytes]:
        try:
            return dict(records(text))
        except ValueError:
            raise self._broken("an extension header") from None

    def _skip_map(self, block: bytes) -> None:
        """Go past the blocks that go on with the map of an old sparse file."""
        more = block[482]
        while more:
            block = self._file.read(BLOCK)
            if len(block) < BLOCK:
                raise InputError(f"{self._label} is cut off")
            more = block[504]

    def _check(self, block: bytes) -> None:
        said = self._number(block[148:156])
        if said != checksum(block):
            raise self._broken("a header's checksum is wrong")

    def _broken(self, what: str) -> InputError:
        return InputError(f"{self._label} is no tar that can be read: {what}")


def checksum(block: bytes) -> int:
    """The checksum of a header, whose own field counts as eight blanks."""
    return sum(block[:148]) + 8 * ord(" ") + sum(block[156:])


def number(field: bytes) -> int:
    """A number of a header: octal digits, or binary where the first bit is set.

    Raises:
        ValueError: it is neither.
    """
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=field[0] == 0xFF)
        return value if value < 0 else value - (0x80 << 8 * (len(field) - 1))
    text = field.strip(b" \0")
    return int(text, 8) if text else 0


def records(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The records ``LENGTH KEY=VALUE\\n`` of an extension header.

    Raises:
        ValueError: it is none.
    """
    while text:
        length, blank, _ = text.partition(b" ")
        size = int(length)
        record, text = text[len(length) + 1 : size], text[size:]
        key, equal, value = record.partition(b"=")
        if not (blank and equal and key) or not value.endswith(b"\n"):
            raise ValueError
        yield _decoded(key), value[:-1]


def _named(block: bytes) -> bytes:
    name = block[:100].split(b"\0")[0]
    prefix = block[345:500].split(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def padded(size: int) -> int:
    """Bytes of the blocks that so many bytes take."""
    return -(-size // BLOCK) * BLOCK
