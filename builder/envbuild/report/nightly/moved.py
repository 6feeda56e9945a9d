"""What moved in a lock since it was good for the last time, the risky on top. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from envbuild.history.model import ProfileNight
from envbuild.lock.moves import RISKS, Move, Risk
from envbuild.report.diff import HEADINGS
from envbuild.report.nightly.bounds import fitting, weight
from envbuild.report.nightly.model import MoveShown, Risky
from envbuild.report.nightly.words import short
from envbuild.speech import counted

RISKY: tuple[Risk, ...] = ("security", "abi", "bundle", "cuda", "glibc", "major")
"""The risks that are shown without being asked for; the others open."""

_SUSPECT = tuple(risk for risk in RISKY if risk != "security")
"""What a failure may come from: a release that mends a hole seldom breaks anything."""

_MARKUP = 110
"""Bytes of markup around one move."""


def risks(profile: ProfileNight, room: int) -> tuple[Risky, ...]:
    """The moves under a heading for each risk; what has no room is counted."""
    variants = {variant.variant for variant in profile.variants}
    found = []
    for risk in RISKS:
        moves = [_shown(move, variants) for move in profile.moves if move.risk == risk]
        if not moves:
            continue
        kept = moves[: fitting(moves, room, _cost)]
        room -= sum(map(_cost, kept))
        found.append(
            Risky(
                heading=HEADINGS[risk],
                risky=risk in RISKY,
                moves=tuple(kept),
                left=len(moves) - len(kept),
            )
        )
    return tuple(found)


def _shown(move: Move, variants: set[str]) -> MoveShown:
    everywhere = not move.variants or set(move.variants) == variants
    return MoveShown(
        what=short(move.what, 120),
        old=short(move.old, 120),
        new=short(move.new, 120),
        why=short(move.why, 160),
        where="" if everywhere else short(", ".join(move.variants), 160),
    )


def _cost(move: MoveShown) -> int:
    return _MARKUP + weight(move.what, move.old, move.new, move.why, move.where)


def headline(profile: ProfileNight, against: str) -> str:
    """``31 things moved since the lock of 18 Nov 2026``; empty where nothing did."""
    if not profile.moves:
        return ""
    since = f" since the lock of {against}" if against else " since the last good lock"
    return f"{counted(len(profile.moves), 'thing')} moved{since}"


def suspect(moves: Sequence[Move]) -> str:
    """The riskiest move as a few words; empty where none is risky."""
    risky = next((move for move in moves if move.risk in _SUSPECT), None)
    if risky is None:
        return ""
    versions = " → ".join(filter(None, (risky.old, risky.new)))
    return short(f"{risky.what} {versions}", 120)
