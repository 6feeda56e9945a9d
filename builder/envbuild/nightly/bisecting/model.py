"""What a search between two locks is made of, as frozen values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from envbuild.lock.moves import Move

Kind = Literal["python", "conda", "pin", "profile"]
Verdict = Literal["good", "bad", "untestable"]

Moved = frozenset[str]
"""What stands as in the bad lock, by the ids of its nodes; all else stands as in the good one."""


class Node(Struct, frozen=True, kw_only=True):
    """One thing that differs between two locks.

    ``id`` is what people call it: ``numpy``, ``conda zlib``, ``base image``, ``apt packages``,
    ``git NAME``, ``the profile``. ``moves`` are what it is in the variants. ``presence`` is
    ``both`` where it moves by itself; what is in one lock alone comes or goes with those who ask
    for it, ``askers``.
    """

    id: str
    kind: Kind
    moves: tuple[Move, ...]
    presence: Literal["both", "added", "removed"] = "both"
    askers: tuple[str, ...] = ()


class Tie(Struct, frozen=True, kw_only=True):
    """``node`` cannot have moved where ``needs`` has not; ``why`` in a few words."""

    node: str
    needs: str
    why: str


class Graph(Struct, frozen=True, kw_only=True):
    """What differs, and what of it needs what."""

    nodes: tuple[Node, ...]
    ties: tuple[Tie, ...]

    def node(self, name: str) -> Node:
        """A node by its id."""
        return next(one for one in self.nodes if one.id == name)


class Group(Struct, frozen=True, kw_only=True):
    """Nodes that move at once: those that move by themselves first, then what comes and goes with
    them. ``ties`` are why they cannot be parted."""

    ids: tuple[str, ...]
    ties: tuple[Tie, ...] = ()


class Heard(Struct, frozen=True, kw_only=True):
    """What a mixture of the two locks came to.

    ``why`` is one line. ``instead`` is the mixture that the resolver would rather have, empty where
    it has none. ``passed`` and ``failed`` count the runs of a test; both: they disagree.
    """

    verdict: Verdict
    why: str = ""
    instead: Moved = frozenset()
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    log: str = ""
    stage: str = ""
    lock: str = ""
    tested: bool = False

    @property
    def disagrees(self) -> bool:
        """Whether runs of the same test on the same lock differ."""
        return bool(self.passed and self.failed)


Ask = Callable[[Moved], Heard]
"""Makes the lock of a mixture and tests it."""


class Found(Struct, frozen=True, kw_only=True):
    """Where a search ended: ``low`` is good, ``high`` is bad, and nothing between can be told.

    ``between`` are the groups that differ, in their order; ``asked`` what was heard on the way.
    """

    low: Moved
    high: Moved
    between: tuple[Group, ...]
    asked: tuple[tuple[Moved, Heard], ...]

    @property
    def apart(self) -> tuple[Heard, ...]:
        """Why the groups between could not be told apart."""
        return tuple(
            heard
            for moved, heard in self.asked
            if heard.verdict == "untestable" and self.low < moved < self.high
        )

    @property
    def inseparable(self) -> bool:
        """Whether several groups are left because no lock parts them: the resolver refused each."""
        refused = self.apart
        return len(self.between) > 1 and bool(refused) and not any(one.lock for one in refused)
