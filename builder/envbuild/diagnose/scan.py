"""A log read once, block by block: what was seen of each signature, and of the stack that wrote it.

Memory does not grow with the log: a few blocks, and the first lines of each signature.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

from envbuild.diagnose import lines
from envbuild.diagnose.conditions import holds
from envbuild.diagnose.index import Candidates, Index, Part
from envbuild.diagnose.sightings import Line, Match, Sightings, merged
from envbuild.diagnose.suspects import Suspects
from envbuild.diagnose.told import Told
from envbuild.knowledge import patterns
from envbuild.knowledge.signaturebook import Signature

_AROUND = 2
"""A message may be wrapped over so many lines above and below the one with its literal."""

_HELD = 200
"""So many lines wait for what comes next: the most that may lie inside one message."""

_HELD_BYTES = 256 << 10
"""The same in bytes, for lines that never end."""

_HEAD = 4 << 20
"""Bytes at the beginning of a log that are asked for the stack."""

_WIDTH = 2000
"""Bytes of a line that are looked at, and kept, before and behind a literal."""

_MISSES = 300
"""So many times a message is looked for over several lines in vain."""

_NEAR = 16 << 10
"""Bytes around a line of a signature that are asked for the stack."""


class Scan:
    """The reading of one log. ``count`` is the number of its lines, ``size`` of its bytes."""

    def __init__(self, index: Index) -> None:
        self.told = Told()
        self.suspects = Suspects()
        self.size = 0
        self.count = 0
        self._index = index
        self._seen: dict[tuple[str, frozenset[str]], Sightings] = {}
        self._shown: set[str] = set()
        self._waiting: dict[int, tuple[Signature, Match]] = {}
        self._misses: dict[int, int] = {}
        self._text = b""
        self._begin = 0
        self._number = 1
        self._ended = True
        self._last = 0

    def read(self, blocks: Iterable[bytes]) -> None:
        """Read a whole log."""
        for block in blocks:
            self.size += len(block)
            self._ended = block.endswith(b"\n")
            self._feed(block, last=False)
        self._feed(b"", last=True)
        self.count = self._number - (1 if self._ended else 0)
        for signature, match in self._waiting.values():
            if match.lines[-1].number == self._last:
                self._sightings(signature, frozenset()).take(match)

    def seen(self) -> tuple[Sightings, ...]:
        """Every signature that the log lets claim, with what was seen of it."""
        said = self.told.said().get("isaac-sim")
        release = said.value if said else None
        claimed = {
            one.id
            for one in self._index.signatures
            if holds(one.only_where, shown=self._shown, release=release)
        }
        found: dict[str, list[Sightings]] = {}
        for (name, hiding), seen in self._seen.items():
            if name in claimed and not hiding & claimed:
                found.setdefault(name, []).append(seen)
        return tuple(merged(parts) for parts in found.values())

    def _feed(self, block: bytes, *, last: bool) -> None:
        """Look at a block, but for its last lines: they may belong to what comes next."""
        text = self._text + block
        held = max(lines.before(text, len(text), _HELD), len(text) - _HELD_BYTES)
        limit = len(text) if last else text.rfind(b"\n", 0, held) + 1 or held
        begin = self._begin
        if limit <= begin:
            self._text = text
            return
        if self.size - len(text) + begin < _HEAD:
            self.told.read(text, begin, limit, number=self._number)
        self._look(text, begin, limit)
        if not any(_certain(one.signature) for one in self._seen.values()):
            self.suspects.read(text, begin, limit, number=self._number)
        end = begin + len(text[begin:limit].rstrip())
        if end > begin:
            self._last = self._number + text.count(b"\n", begin, end)
        self._number += text.count(b"\n", begin, limit)
        keep = max(lines.before(text, limit, _AROUND), limit - _HELD_BYTES)
        self._text, self._begin = text[keep:], limit - keep

    def _look(self, text: bytes, begin: int, limit: int) -> None:
        found = [*self._by_literals(text, begin, limit)]
        for part in self._index.loose:
            found += self._loose(part, text, begin, limit)
        found.sort(key=lambda one: (one[0].lines[0].number, one[0].part.order))
        for _, same in itertools.groupby(found, key=lambda one: one[0].lines[0].number):
            self._take([*same], text)

    def _take(self, found: list[tuple[Match, int]], text: bytes) -> None:
        """The matches of one line, without what another one on it says better.

        What may not be claimed in the end hides the others only if it is: they are kept apart.
        """
        parts = [match.part for match, _ in found if not match.part.message.last]
        signatures = {one.id: one for part in parts if (one := part.signature)}
        for match, place in found:
            signature = match.part.signature
            if signature is None:
                self._shown.add(match.part.message.pattern)
                continue
            if match.part.message.last:
                self._waiting[match.part.order] = (signature, match)
                continue
            hiding = _hiding(signature, signatures)
            if any(signatures[name].only_where is None for name in hiding):
                continue
            seen = self._sightings(signature, hiding)
            if seen.take(match) and self.size > _HEAD:
                begin = text.find(b"\n", max(0, place - _NEAR), place) + 1 or place
                number = match.lines[0].number - text.count(b"\n", begin, place)
                self.told.read(text, begin, min(place + _NEAR, len(text)), number=number)

    def _sightings(self, signature: Signature, hiding: frozenset[str]) -> Sightings:
        return self._seen.setdefault((signature.id, hiding), Sightings(signature))

    def _by_literals(self, text: bytes, begin: int, limit: int) -> Iterator[tuple[Match, int]]:
        """The messages on the lines that hold a literal, each once a line, with their places."""
        number, place, counted = self._number, begin, begin
        last = min(limit + _WIDTH, len(text))
        first, looked = -1, set[int]()
        search, candidates = self._index.search.search, self._index.candidates
        while (hit := search(text, place, last)) is not None:
            start, end = hit.span()
            if start >= limit:
                return
            place = start + 1
            begins = text.rfind(b"\n", 0, start) + 1
            if begins != first:
                first, looked = begins, set()
            number += text.count(b"\n", counted, start)
            counted = start
            announced = candidates(text[start:end])
            line = Line(number, _line(text, first, start, end))
            for part in self._parts(announced, line):
                match = None if part.order in looked else self._matched(part, text, start, line)
                if match:
                    looked.add(part.order)
                    yield match, first

    def _parts(self, announced: Candidates, line: Line) -> tuple[Part, ...]:
        """The parts to look for on a line: those that match it, or may be wrapped over several."""
        if announced.any is not None and announced.any.search(line.text):
            return announced.parts
        return tuple(one for one in announced.parts if one.wraps and self._patient(one))

    def _patient(self, part: Part) -> bool:
        """Whether a part is still looked for over several lines: that is slow, and has an end."""
        return self._misses.get(part.order, 0) < _MISSES

    def _matched(self, part: Part, text: bytes, start: int, line: Line) -> Match | None:
        """The message of a part on a line, or wrapped over the lines around it."""
        found = part.regex.search(line.text)
        if found is not None:
            return _followed(
                part, text, (start, found), Line(line.number, line.text, found.group())
            )
        if not part.wraps or not self._patient(part):
            return None
        match = _wrapped(part, text, start, line)
        if match is None:
            self._misses[part.order] = self._misses.get(part.order, 0) + 1
        return match

    def _loose(
        self, part: Part, text: bytes, begin: int, limit: int
    ) -> Iterator[tuple[Match, int]]:
        """The lines on which a pattern without a literal matches, each once."""
        number, place, counted = self._number, begin, begin
        while place < limit and (hit := part.regex.search(text, place, limit)) is not None:
            start, end = hit.span()
            first = text.rfind(b"\n", 0, start) + 1
            number += text.count(b"\n", counted, start)
            counted = start
            line = Line(number, _line(text, first, start, end), text[start : start + _WIDTH])
            match = _followed(part, text, (start, hit), line)
            if match:
                yield match, first
            after = text.find(b"\n", end, limit)
            place = limit if after < 0 else after + 1


def _certain(signature: Signature) -> bool:
    return not signature.generic and signature.only_where is None


def _hiding(signature: Signature, others: Mapping[str, Signature]) -> frozenset[str]:
    """Those of one line that say better what a signature says."""
    causes = others.keys() & {*signature.consequence_of}
    if not signature.generic:
        return frozenset(causes)
    return frozenset(causes | {name for name, one in others.items() if not one.generic})


def _line(text: bytes, first: int, start: int, end: int) -> bytes:
    """The text around a hit, up to the ends of its line or what was written over it."""
    stop = text.find(b"\n", end)
    stop = min(len(text) if stop < 0 else stop, start + _WIDTH)
    first = max(first, start - _WIDTH)
    line = text[first:stop]
    if b"\r" in line:
        begin = line.rfind(b"\r", 0, start - first) + 1
        line = line[begin:].partition(b"\r")[0]
    return line


def _wrapped(part: Part, text: bytes, start: int, line: Line) -> Match | None:
    """The message of a part that begins or ends on a line, only white space at the breaks."""
    first = max(lines.before(text, start, _AROUND), start - _WIDTH)
    last = min(lines.after(text, start, _AROUND), start + _WIDTH)
    window = lines.unwrapped(text[first:last])
    found = part.regex.search(window)
    if found is None or b"\n" not in found.group():
        return None
    joined = b" ".join(found.group().split())
    if not any(piece.strip() in line.text for piece in found.group().split(b"\n")):
        return None
    return _followed(part, text, (start, found), Line(line.number, joined, joined))


def _followed(
    part: Part, text: bytes, found: tuple[int, patterns.Match], line: Line
) -> Match | None:
    """The whole message, where what must follow does: on the same line or the next ones."""
    place, match = found
    if part.second is None:
        return Match(part=part, lines=(line,), found=(match,))
    limit = min(lines.after(text, place, part.message.within), place + _HELD_BYTES)
    if part.until is not None:
        begin = text.find(b"\n", place, limit)
        border = part.until.search(text, begin, limit) if begin >= 0 else None
        limit = border.span()[0] if border else limit
    second = part.second.search(text, place, limit)
    if second is None:
        return None
    start, end = second.span()
    number = line.number + text.count(b"\n", place, start)
    first = text.rfind(b"\n", 0, start) + 1
    behind = Line(number, _line(text, first, start, end), second.group()[:_WIDTH])
    both = (line,) if number == line.number else (line, behind)
    return Match(part=part, lines=both, found=(match, second))
