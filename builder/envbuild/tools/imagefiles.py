"""Some files of an image, read from its layers as they come; nothing is kept of the rest.

A layer adds files over those below it, and takes some away: ``.wh.NAME`` removes ``NAME``, and
``.wh..wh..opq`` all that the folder had below (OCI image specification, *Whiteouts*).
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, cast

from envbuild.tools.net import NetError
from envbuild.tools.tars import path_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_LONGEST = 64 * 1024 * 1024
"""Bytes of one file that are read."""


class ImageFiles:
    """Files of an image by their path below the root, those alone that fit a pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self.files: dict[str, bytes] = {}

    def add(self, chunks: Iterator[bytes]) -> None:
        """Lay one layer over those before: a tar, plain or packed with gzip or zstd.

        It is read to its end, so that who gives the bytes can hold them to their digest.

        Raises:
            NetError: it is no tar, or cut off; or what ``chunks`` raises.
        """
        come: dict[str, bytes] = {}
        gone: set[str] = set()
        emptied: set[str] = set()
        wrong = ""
        try:
            with _unpacked(io.BufferedReader(_Chunks(chunks), 1 << 16)) as plain:
                self._members(plain, come, gone, emptied=emptied)
        except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as error:
            wrong = str(error) or type(error).__name__
        for _ in chunks:  # the digest is known at the end alone
            pass
        if wrong:
            raise NetError("a layer of the image cannot be read", detail=wrong)
        for path in list(self.files):
            above = {path, *_above(path)}
            if above & gone or ({*_above(path), ""}) & emptied:
                del self.files[path]
        self.files |= come

    def _members(
        self, plain: IO[bytes], come: dict[str, bytes], gone: set[str], *, emptied: set[str]
    ) -> None:
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            while member := tar.next():
                tar.members = []  # type: ignore[attr-defined]  # half a million in Isaac Sim
                path = path_of(member.name)
                folder, _, name = path.rpartition("/")
                if name == _OPAQUE:
                    emptied.add(folder)
                elif name.startswith(_WHITEOUT):
                    hidden = name.removeprefix(_WHITEOUT)
                    gone.add(f"{folder}/{hidden}" if folder else hidden)
                elif not member.isdir():
                    gone |= {path} & self.files.keys()
                    file = tar.extractfile(member) if self._wants(path, member) else None
                    if file is not None:
                        come[path] = file.read(_LONGEST)

    def _wants(self, path: str, member: tarfile.TarInfo) -> bool:
        return member.isreg() and self._pattern.fullmatch(path) is not None


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


class _Chunks(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._rest:
            piece = next(self._chunks, None)
            if piece is None:
                return 0
            self._rest = piece
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _unpacked(stream: io.BufferedReader) -> IO[bytes]:
    head = stream.peek(4)[:4]
    if head[:2] == b"\x1f\x8b":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if head == b"\x28\xb5\x2f\xfd":
        return cast("IO[bytes]", _zstd(stream))
    return stream


def _zstd(stream: io.BufferedReader) -> object:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdFile(stream)
