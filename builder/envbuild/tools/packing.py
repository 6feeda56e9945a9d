"""Packed streams, in pieces; equal bytes are packed to equal bytes."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Literal, Protocol

from envbuild.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 1024 * 1024
"""Bytes that are held at once."""

DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError, lzma.LZMAError)
"""What reading a packed stream raises where it is cut off or damaged; bzip2 has an OSError."""

_OPENERS: Mapping[bytes, Callable[[IO[bytes]], Any]] = {
    rb"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
    rb"\x28\xb5\x2f\xfd": zstd.ZstdFile,
    rb"BZh[1-9]1AY&SY": bz2.BZ2File,  # all of it: a tar may begin with the name of a file
    rb"\xfd7zXZ": lzma.LZMAFile,
}
"""What opens a packed stream, by a pattern of its first bytes. Layers are packed in the first two
ways alone, saved images in any."""

_GZIP_LEVEL = 6
_ZSTD_LEVEL = 3
_GZIP = 31
"""What zlib is told for a gzip header; it then holds neither a time nor a name."""

Packing = Literal["none", "gzip", "zstd"]


class Packer(Protocol):
    """Packs one stream."""

    def compress(self, data: bytes, /) -> bytes:
        """What a piece gives so far."""

    def flush(self) -> bytes:
        """The rest."""


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def packer(packing: Packing) -> Packer:
    """A packer with one level and no time, so that a library's same version gives equal bytes."""
    if packing == "gzip":
        return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
    if packing == "zstd":
        return zstd.ZstdCompressor(level=_ZSTD_LEVEL)
    return _Plain()


def packing_of(stream: IO[bytes]) -> Packing:
    """How a stream is packed, by its first bytes; it is left at its beginning."""
    head = stream.read(4)
    stream.seek(0)
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    return "zstd" if head == b"\x28\xb5\x2f\xfd" else "none"


class Readable(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int = ..., /) -> bytes:
        """At most so many bytes; none at the end."""


def pieces(stream: Readable) -> Iterator[bytes]:
    """A stream to its end, piece by piece."""
    while data := stream.read(PIECE):
        yield data


def is_packed(stream: IO[bytes]) -> bool:
    """Whether a stream is packed, by its first bytes; it is left at its beginning."""
    return _opener(stream) is not None


@contextlib.contextmanager
def plain(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """What a stream holds, whichever way it is packed, as a stream that can go back if that can.

    Reading it raises :data:`DAMAGE` where it is cut off or damaged.
    """
    opener = _opener(stream)
    if opener is None:
        yield stream
        return
    with opener(stream) as file:
        yield file


def _opener(stream: IO[bytes]) -> Callable[[IO[bytes]], Any] | None:
    if isinstance(stream, io.BufferedReader):  # also of what cannot go back
        head = stream.peek(16)[:16]
    else:
        head = stream.read(16)
        stream.seek(0)
    return next((opener for magic, opener in _OPENERS.items() if re.match(magic, head)), None)


def unpacked(stream: IO[bytes], label: str) -> Iterator[bytes]:
    """What a stream holds, piece by piece, whichever way it is packed.

    Raises:
        InputError: it is cut off or damaged.
    """
    try:
        with plain(stream) as file:
            yield from pieces(file)
    except DAMAGE as error:
        raise InputError(f"{label} cannot be unpacked: {str(error).lower()}") from None
