"""Where the files of a saved image lie: in a folder, or in a tar."""

from __future__ import annotations

import io
import os
from typing import IO, Any, Protocol

from envbuild.tools import tars

_DEEPEST = 8
"""Links of an archive that are followed."""

_BUFFER = 64 * 1024


class Store(Protocol):
    """Files by their path in a saved image."""

    def open(self, path: str) -> IO[bytes] | None:
        """The file of a path; None when it is not there."""


class Folder:
    """The files of a folder; none outside it."""

    def __init__(self, root: str) -> None:
        self._root = root

    def open(self, path: str) -> IO[bytes] | None:
        """The file of a path; None when it is not there."""
        if ".." in path.split("/"):
            return None
        try:
            return open(f"{self._root}/{path}", "rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None


class Archive:
    """The files of a plain tar, as parts of it; it must stay open as long as they are read.

    Raises:
        InputError: it is no tar, or cut off.
    """

    def __init__(self, file: IO[bytes], label: str) -> None:
        self._file = file
        self._entries = {entry.path: entry for entry in tars.scan(file, label)}

    def open(self, path: str) -> IO[bytes] | None:
        """The file of a path, through links; None when it is not there."""
        path = os.path.normpath(path)
        for _ in range(_DEEPEST):
            entry = self._entries.get(path)
            if entry is None or entry.kind not in ("file", "link", "hard link"):
                return None
            if entry.kind == "file":
                part = _Part(self._file, entry.data, entry.size)
                return io.BufferedReader(part, _BUFFER)
            beside = os.path.dirname(path) if entry.kind == "link" else ""
            path = os.path.normpath(os.path.join(beside, entry.link))
        return None


class _Part(io.RawIOBase):
    """Some bytes of a file, as a file. Several of one file may be read in turns."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 (any buffer)
        count = min(len(buffer), max(0, self._size - self._place))
        self._file.seek(self._start + self._place)
        data = self._file.read(count)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
