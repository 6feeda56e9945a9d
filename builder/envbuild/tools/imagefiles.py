"""Some files of an image, read from its layers as they come; nothing is kept of the rest."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envbuild.tools import overlaid
from envbuild.tools.net import NetError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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
        hidden = overlaid.Hidden(self.files)
        wrong = ""
        try:
            for path, tar, member in hidden.members(io.BufferedReader(_Chunks(chunks), 1 << 16)):
                wanted = member.isreg() and self._pattern.fullmatch(path)
                file = tar.extractfile(member) if wanted else None
                if file is not None:
                    come[path] = file.read(_LONGEST)
        except (*overlaid.DAMAGE, ValueError) as error:
            wrong = str(error) or type(error).__name__
        for _ in chunks:  # the digest is known at the end alone
            pass
        if wrong:
            raise NetError("a layer of the image cannot be read", detail=wrong)
        below = {path: data for path, data in self.files.items() if path not in hidden}
        self.files = below | come


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
