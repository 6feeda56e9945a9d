"""A tar, plain or packed, from its beginning to its end: each entry, and its content in pieces.

Nothing is unpacked to a disk, and a packed tar of any size takes one piece of memory.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import IO, Any

from envbuild.errors import InputError
from envbuild.tools import packing, tars
from envbuild.tools.trouble import words

MOST = 1 << 40
"""Bytes that a tar may have when it is unpacked. A packed one of a gigabyte can hold a thousand
times that, all of it zeros, and would be read for days."""

_LONGEST_PATH = 4096
_LONGEST_NAME = 255
"""Bytes of a path and of one name in it that Linux takes; no engine unpacks longer ones."""

_BUFFER = 256 * 1024


class Tar:
    """The entries of a tar, forward only; ``descriptor`` is that of the file where it lies as it
    is on a disk (None: it is packed, or part of another file)."""

    def __init__(self, file: IO[bytes], label: str, *, size: int | None) -> None:
        self._file = file
        self._label = label
        self._size = MOST if size is None else size
        self.descriptor = None if size is None else _descriptor(file)

    def entries(self) -> Iterator[tars.Entry]:
        """Every entry, in the order of the tar.

        Raises:
            InputError: it is no tar, is cut off or too large, or an entry leads out of it or has a
                name that cannot be.
        """
        place = 0
        while self._file.seek(place) == place:  # else blanks are missing behind the last one
            entry = tars.entry_at(self._file, self._label, place)
            if entry is None:
                return
            end = entry.data + entry.size
            if end > MOST:
                raise InputError(
                    f"{self._label} unpacks to more than {MOST >> 40} TiB, which is not read"
                )
            if not _possible(entry.path):
                raise InputError(f"{self._label} has a name too long: {entry.path[:40]!r}…")
            if end > self._size:
                raise self._cut_off(entry)
            yield entry
            if self._file.seek(end) < end:
                raise self._cut_off(entry)
            place = entry.data + tars.padded(entry.size)

    def pieces(self, entry: tars.Entry) -> Iterator[bytes]:
        """The content of the entry that came last; it can be read once.

        Raises:
            InputError: it is cut off.
        """
        self._file.seek(entry.data)
        left = entry.size
        while left:
            piece = self._file.read(min(left, packing.PIECE))
            if not piece:
                raise self._cut_off(entry)
            left -= len(piece)
            yield piece

    def _cut_off(self, entry: tars.Entry) -> InputError:
        return InputError(f"{self._label} is cut off in {entry.path!r}")


@contextlib.contextmanager
def opened(file: IO[bytes], label: str) -> Iterator[Tar]:
    """A tar, whichever way it is packed.

    Raises:
        InputError: it is damaged, or its file cannot be read.
    """
    try:
        if not packing.is_packed(file):
            yield Tar(file, label, size=file.seek(0, os.SEEK_END))
            return
        with packing.plain(file) as plain:
            forward = io.BufferedReader(_Forward(plain), _BUFFER)
            yield Tar(forward, label, size=None)
    except packing.DAMAGE as error:
        raise InputError(f"{label} cannot be unpacked: {str(error).lower()}") from None
    except OSError as error:
        raise InputError(f"{label} cannot be read: {words(error)}") from None


class _Forward(io.RawIOBase):
    """A stream in which one can go to a later place, by reading what lies between."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on to a place, or to the end where that comes first."""
        if whence != os.SEEK_SET or offset < self._place:
            raise io.UnsupportedOperation("a packed stream goes forward alone")
        while self._place < offset:
            skipped = len(self._stream.read(min(offset - self._place, packing.PIECE)))
            if not skipped:
                break
            self._place += skipped
        return self._place

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 (any buffer)
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def _descriptor(file: IO[bytes]) -> int | None:
    try:
        return file.fileno()
    except io.UnsupportedOperation:
        return None


def _possible(path: str) -> bool:
    if len(path) < _LONGEST_NAME // 4:  # so many characters have no more bytes than that
        return True
    data = path.encode("utf-8", "surrogateescape")
    return len(data) < _LONGEST_PATH and max(map(len, data.split(b"/"))) <= _LONGEST_NAME
