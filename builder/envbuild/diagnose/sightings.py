"""What was seen of one signature: how often, on which lines, by which messages."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from envbuild.diagnose.index import Part
from envbuild.knowledge import patterns
from envbuild.knowledge.signaturebook import Message, Signature

_KEPT = 3
"""The first so many places of each message are kept."""


class Line(Struct, frozen=True, order=True):
    """A line of the log: its number, counted from 1, its text, and what was found in it."""

    number: int
    text: bytes
    found: bytes = b""


class Match(Struct, frozen=True, kw_only=True):
    """A message that was found on one line or two, and the regular expressions' own findings."""

    part: Part
    lines: tuple[Line, ...]
    found: tuple[patterns.Match, ...]


class Sightings:
    """Everything seen of one signature: on how many lines, and the ``first`` of them."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.count = 0
        self.first = 0
        self._last = 0
        self.messages: dict[int, Message] = {}
        self.groups: dict[str, str] = {}
        self._kept: dict[int, list[tuple[Line, ...]]] = {}

    def lines(self) -> tuple[Line, ...]:
        """The lines that were kept, in their order."""
        kept = (line for found in self._kept.values() for lines in found for line in lines)
        return tuple({line.number: line for line in sorted(kept)}.values())

    def take(self, match: Match) -> bool:
        """Take a match; whether it is one of the first, which are kept."""
        key, first = match.part.order, match.lines[0].number
        kept = self._kept.setdefault(key, [])
        if first != self._last:
            self.count += 1
            self._last = first
        self.first = self.first or first
        self.messages[key] = match.part.message
        if len(kept) >= _KEPT:
            return False
        kept.append(match.lines)
        for found in match.found:
            for name, value in found.groupdict().items():
                if value:
                    self.groups.setdefault(name.decode(), value.decode(errors="replace"))
        return True

    def add(self, later: Sightings) -> None:
        """Take what was seen on other lines, the first of which is below the first of these."""
        self.count += later.count
        self.first = self.first or later.first
        self.messages |= later.messages
        self.groups = {**later.groups, **self.groups}
        for key, found in later._kept.items():
            whole = sorted((*self._kept.get(key, ()), *found))
            self._kept[key] = whole[:_KEPT]


def merged(parts: Iterable[Sightings]) -> Sightings:
    """What was seen of one signature on lines of several kinds, as one."""
    first, *others = sorted(parts, key=lambda one: one.first)
    if not others:
        return first
    whole = Sightings(first.signature)
    for one in (first, *others):
        whole.add(one)
    return whole
