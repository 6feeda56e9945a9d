"""The bytes of a log as blocks of whole lines, without what only moves or colours a terminal.

Line numbers count line feeds, as editors do. Carriage returns stay: what a progress bar wrote over
itself is several texts on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

BLOCK = 1 << 20
"""Bytes of a block, about; a line that is longer is cut here."""

_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][0-9A-B]|[=>78DEHMNOcn])"
)
_PREFIX = re.compile(
    rb"\n[ \t]*(?:#\d+ \d+\.\d+ |[\w.-]{1,64} +\| |\d{4}-\d\d-\d\d[T ][\d:.,]+Z? "
    rb"|\[\d+\.\d+s?\] |> |\| |\xe2\x94\x82 )?[ \t]*"
)
"""What stands before the text of a line: a builder's step, a service's name, a time, a frame."""


def blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as blocks that end where a line ends; the last one may not."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if not end and size + len(chunk) < BLOCK:
            held.append(chunk)
            size += len(chunk)
            continue
        end = end or len(chunk)
        yield _plain(b"".join((*held, chunk[:end])))
        held, size = [chunk[end:]], len(chunk) - end
    rest = b"".join(held)
    if rest:
        yield _plain(rest)


def unwrapped(text: bytes) -> bytes:
    """Several lines without what stands before the text of each but the first."""
    return _PREFIX.sub(b"\n", text)


def before(text: bytes, place: int, count: int) -> int:
    """Where the line begins that stands ``count`` lines above the one of a place."""
    for _ in range(count + 1):
        place = text.rfind(b"\n", 0, max(place, 0))
        if place < 0:
            return 0
    return place + 1


def after(text: bytes, place: int, count: int) -> int:
    """Where the line ends that stands ``count`` lines below the one of a place."""
    for _ in range(count + 1):
        place = text.find(b"\n", place)
        if place < 0:
            return len(text)
        place += 1
    return place - 1


def _plain(block: bytes) -> bytes:
    if b"\x1b" in block:
        block = _ESCAPES.sub(b"", block)
    return block.replace(b"\r\n", b"\n") if b"\r" in block else block
