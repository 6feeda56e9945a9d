"""How much of what a night said fits on a page that opens at once. Pure.

Each kind of detail has so many bytes for the whole page, which all who have some share evenly: with
one failure its log is shown at length, with a hundred the last lines of each.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from envbuild.history.judging import stages_of
from envbuild.history.model import ProfileNight

_Thing = TypeVar("_Thing")

_TAILS, _PARTS, _MOVES = 400_000, 450_000, 250_000
"""Bytes of the whole page; together with its frame they stay below 2 MB for 100 rows."""

_LEAST, _MOST = 500, 8_000
"""Bytes of one log's end, one list of tests, or one list of moves."""


_TEXTS, _SHORTEST, _LONGEST = 50_000, 120, 300
"""Characters of all reasons and of all hints, and of one."""


class Bounds(Struct, frozen=True, kw_only=True):
    """Bytes for the lines of one log, the parts of one stage, and the moves of one profile;
    characters for one reason or hint."""

    tail: int = _MOST
    parts: int = _MOST
    moves: int = _MOST
    text: int = _LONGEST


def bounds(profiles: Iterable[ProfileNight]) -> Bounds:
    """The share of each, for a night of these profiles."""
    tails = parts = moves = texts = 0
    for profile in profiles:
        moves += bool(profile.moves)
        for stage in stages_of(profile):
            tails += bool(stage.tail) and stage.status != "pass"
            parts += bool(stage.parts)
            texts += stage.status != "pass"
    return Bounds(
        tail=_share(_TAILS, tails),
        parts=_share(_PARTS, parts),
        moves=_share(_MOVES, moves),
        text=min(max(_TEXTS // max(texts, 1), _SHORTEST), _LONGEST),
    )


def _share(whole: int, count: int) -> int:
    return min(max(whole // max(count, 1), _LEAST), _MOST)


def weight(*texts: str) -> int:
    """Bytes of texts in a page, where some characters become entities."""
    return sum(len(html.escape(text).encode("utf-8", "replace")) for text in texts)


def fitting(things: Sequence[_Thing], room: int, cost: Callable[[_Thing], int]) -> int:
    """How many of the first things fit into so many bytes; one always does."""
    for number, thing in enumerate(things):
        room -= cost(thing)
        if room < 0:
            return max(number, 1)
    return len(things)
