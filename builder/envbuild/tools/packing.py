"""Streams packed with gzip or zstd, in pieces; equal bytes are packed to equal bytes."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from typing import IO, Literal, Protocol

from envbuild.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 1024 * 1024
"""Bytes that are held at once."""

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


def unpacked(stream: IO[bytes], label: str) -> Iterator[bytes]:
    """What a stream holds, piece by piece, whichever way it is packed.

    Raises:
        InputError: it is cut off or damaged.
    """
    packing = packing_of(stream)
    try:
        if packing == "none":
            yield from pieces(stream)
        elif packing == "gzip":
            with gzip.GzipFile(fileobj=stream) as file:
                yield from pieces(file)
        else:
            with zstd.ZstdFile(stream) as packed:
                yield from pieces(packed)
    except (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise InputError(f"{label} cannot be unpacked: {str(error).lower()}") from None
