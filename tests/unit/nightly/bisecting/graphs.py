"""Graphs of moves for the tests of what searches through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from envbuild.lock.moves import Move, Risk
from envbuild.nightly.bisecting.model import Graph, Group, Heard, Moved, Node, Tie
from envbuild.nightly.bisecting.order import closed, groups, is_closed

Presence = Literal["both", "added", "removed"]


def node(
    name: str, risk: Risk = "minor", presence: Presence = "both", askers: Iterable[str] = ()
) -> Node:
    old, new = ("" if presence == "added" else "1.0"), ("" if presence == "removed" else "2.0")
    move = Move(risk=risk, what=name, old=old, new=new)
    return Node(id=name, kind="python", moves=(move,), presence=presence, askers=tuple(askers))


def graph(*nodes: Node | str, ties: Iterable[tuple[str, str]] = ()) -> Graph:
    """A tie ``(a, b)``: a needs b."""
    made = tuple(one if isinstance(one, Node) else node(one) for one in nodes)
    told = tuple(Tie(node=a, needs=b, why=f"{a} asks for {b}") for a, b in ties)
    return Graph(nodes=made, ties=told)


def ids(found: Iterable[Group]) -> list[tuple[str, ...]]:
    return [group.ids for group in found]


class Truth:
    """A world in which a fault is there once all of ``fault`` have moved.

    ``hidden`` are ties that the graph does not know: what breaks one is refused by the resolver,
    which would rather have what is needed too (``helpful``). ``skips`` says what cannot be tested.
    """

    def __init__(
        self,
        known: Graph,
        fault: Iterable[str],
        *,
        hidden: Iterable[tuple[str, str]] = (),
        helpful: bool = True,
        skips: Callable[[Moved], bool] = lambda _: False,
    ) -> None:
        self.known = known
        self.fault = frozenset(fault)
        self.whole = graph(*known.nodes, ties=[*_pairs(known), *hidden])
        self.helpful = helpful
        self.skips = skips
        self.asked: list[Moved] = []

    @property
    def groups(self) -> tuple[Group, ...]:
        return groups(self.known)

    def closed(self, wanted: Moved) -> Moved:
        return closed(wanted, self.groups, self.known)

    def ask(self, moved: Moved) -> Heard:
        assert is_closed(moved, self.known), f"{sorted(moved)} is no lock, and that was known"
        assert moved not in self.asked, f"{sorted(moved)} was asked twice"
        self.asked.append(moved)
        if not is_closed(moved, self.whole):
            rather = closed(moved, groups(self.whole), self.whole)
            return Heard(
                verdict="untestable", why="refused", instead=rather if self.helpful else frozenset()
            )
        if self.skips(moved):
            return Heard(verdict="untestable", why="skipped", lock="x", tested=True)
        verdict: Literal["good", "bad"] = "bad" if self.fault <= moved else "good"
        return Heard(verdict=verdict, lock=str(len(self.asked)), tested=True)

    @property
    def tests(self) -> int:
        """How many of those that were asked were real locks."""
        return sum(is_closed(moved, self.whole) for moved in self.asked)


def _pairs(known: Graph) -> list[tuple[str, str]]:
    return [(tie.node, tie.needs) for tie in known.ties]
