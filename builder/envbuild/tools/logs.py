"""Logs as bytes of UTF-8 text: plain, gzip or zstd, UTF-8 or UTF-16, from a file or stdin.

A log may be cut off, broken, or still growing: what can be read is given, and what is to be known
about it is noted.
"""

from __future__ import annotations

import codecs
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Self

from envbuild.errors import InputError
from envbuild.tools.trouble import words

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_CHUNK = 256 << 10
_MOST = 1 << 20
"""Bytes that are unpacked at a time, whatever the packed ones promise."""

_GROWTH = 64 << 20
"""A log may grow by so many bytes while it is read; what follows is left to the next reading."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SNIFFED = 4096
"""Bytes of the text by which UTF-16 without a byte order mark is recognised."""

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Log:
    """An open log. ``label`` is what messages call it; ``notes`` are complete when it is read."""

    def __init__(self, label: str, file: BinaryIO, *, shared: bool = False) -> None:
        self.label = label
        self.notes: list[str] = []
        self._file = file
        self._shared = shared

    @property
    def terminal(self) -> bool:
        """Whether somebody types it."""
        return self._file.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if not self._shared:
            self._file.close()

    def chunks(self) -> Iterator[bytes]:
        """The text, piece by piece, as UTF-8; bytes that are no text come as they are.

        Raises:
            InputError: the file cannot be read.
        """
        yield from _decoded(self._unpacked(_sniffed(self._raw(), 4)))

    def _raw(self) -> Iterator[bytes]:
        try:
            found = os.fstat(self._file.fileno())
            regular = stat.S_ISREG(found.st_mode)
            left = found.st_size + _GROWTH
            while chunk := self._file.read(_CHUNK):
                yield chunk
                left -= len(chunk)
                if regular and left <= 0:
                    self.notes.append("the log grows faster than it is read: its end is not in")
                    return
        except OSError as error:
            raise InputError(f"{self.label} cannot be read: {words(error)}") from None

    def _unpacked(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        first = next(chunks, b"")
        whole = _again(first, chunks)
        if first.startswith(_GZIP):
            return self._members(whole, "gzip", _gunzip)
        if first.startswith(_ZSTD):
            return self._members(whole, "zstd", _unzstd)
        return whole

    def _members(
        self, chunks: Iterator[bytes], name: str, member: Callable[[_Feed], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """All members of a packed stream, one after another."""
        feed = _Feed(chunks)
        size = 0
        try:
            while feed.more():
                for chunk in member(feed):
                    size += len(chunk)
                    yield chunk
        except EOFError:
            self.notes.append(f"the {name} stream is cut off after {size:,} bytes of text")
        except (zlib.error, zstd.ZstdError):
            self.notes.append(f"the {name} stream is broken after {size:,} bytes of text")


def opened(path: str) -> Log:
    """The log of a path; ``-`` is standard input.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    if path == "-":
        if sys.stdin.name == os.devnull:  # as the boundary leaves a closed one
            raise InputError("standard input is closed", hint="envbuild explain FILE")
        return Log("standard input", sys.stdin.buffer, shared=True)
    try:
        if os.path.isdir(path):
            hint = f"name a file in it: envbuild explain {os.path.join(path, 'kit.log')}"
            raise InputError(f"{path} is a folder, not a log", hint=hint)
        return Log(path, open(path, "rb"))
    except FileNotFoundError:
        hint = "envbuild explain - reads standard input"
        raise InputError(f"{path} does not exist", hint=hint) from None
    except (OSError, ValueError) as error:
        said = words(error) if isinstance(error, OSError) else str(error)
        raise InputError(f"{path} cannot be read: {said}") from None


class _Feed:
    """Packed bytes, with those that a member left over given to the next."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def more(self) -> bool:
        """Whether anything follows."""
        self._left = self._left or next(self._chunks, b"")
        return bool(self._left)

    def take(self) -> bytes:
        """The next bytes.

        Raises:
            EOFError: there are none.
        """
        if not self.more():
            raise EOFError
        chunk, self._left = self._left, b""
        return chunk

    def give_back(self, rest: bytes) -> None:
        """Bytes that belong to what follows; the zeros that pad a stream to its block do not."""
        self._left = rest.lstrip(b"\0")


def _gunzip(feed: _Feed) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or feed.take()
        yield unpacker.decompress(packed, _MOST)
    feed.give_back(unpacker.unused_data)


def _unzstd(feed: _Feed) -> Iterator[bytes]:
    unpacker = zstd.ZstdDecompressor()
    while not unpacker.eof:
        packed = feed.take() if unpacker.needs_input else b""
        yield unpacker.decompress(packed, _MOST)
    feed.give_back(unpacker.unused_data)


def _decoded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks in UTF-8, from UTF-16 or UTF-8, with a byte order mark or without."""
    pieces = _sniffed(chunks, _SNIFFED)
    first = next(pieces, b"")
    marked = _UTF16.get(first[:2])
    encoding = marked or _unmarked(first[:_SNIFFED])
    if encoding is None:
        yield from _again(first.removeprefix(codecs.BOM_UTF8), pieces)
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for chunk in _again(first[2:] if marked else first, pieces):
        yield decoder.decode(chunk).encode(errors="replace")
    yield decoder.decode(b"", final=True).encode()


def _unmarked(text: bytes) -> str | None:
    """The kind of UTF-16 that a text without a byte order mark is in, None where it is in none.

    In one, most characters of a log have a zero as one of their two bytes, always the same one.
    """
    pairs = len(text) // 2
    high, low = text[1::2].count(0), text[::2].count(0)
    if pairs >= 4 and 2 * high >= pairs and 10 * low <= pairs:
        return "utf-16-le"
    if pairs >= 4 and 2 * low >= pairs and 10 * high <= pairs:
        return "utf-16-be"
    return None


def _sniffed(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The chunks, the first of which holds at least so many bytes unless all of it are fewer."""
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= size:
            break
    yield first
    yield from chunks


def _again(first: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks
