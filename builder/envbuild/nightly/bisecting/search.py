"""The search itself: which mixture of two locks is asked next, and where it ends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from envbuild.nightly.bisecting.model import Ask, Found, Group, Heard, Moved

Closed = Callable[[Moved], Moved]
"""The least mixture that holds some nodes and all that they need."""


def most_tests(groups: int) -> int:
    """The most tests between two ends that so many groups lie between, when each mixture can be
    tested: ``ceil(log2(groups))``."""
    return max(groups - 1, 0).bit_length()


PATIENCE = 12
"""Tests in a row that may be in vain: each is a build, and what is left is told all the same."""


def search(
    groups: Sequence[Group], ask: Ask, *, start: Moved, closed: Closed, patience: int = PATIENCE
) -> Found:
    """The first group that turns good to bad, or the fewest that cannot be told apart.

    ``start`` is good, ``start`` with all ``groups`` is bad; every prefix of the groups is closed.
    Each test halves what is left. Where a mixture cannot be tested, the other half is tried, and
    then a prefix as far as can be from those before: what cannot be built often lies side by side.
    Where the resolver would rather have another mixture, the order is changed so that it is one of
    the prefixes. At the end, each group that is left is tried alone. After ``patience`` tests in a
    row that could not judge, the search ends with what is left.
    """
    return _Search(groups, ask, start, closed).found(patience)


class _Search:
    """A search under way: ``_left`` are the groups between what is good and what is bad."""

    def __init__(self, groups: Sequence[Group], ask: Ask, start: Moved, closed: Closed) -> None:
        self._left = list(groups)
        self._ask = ask
        self._closed = closed
        self._low = start
        self._asked: dict[Moved, Heard] = {}
        self._vain = 0

    def found(self, patience: int) -> Found:
        while self._vain < patience and (self._halve() or self._alone()):
            pass
        return Found(
            low=self._low,
            high=self._prefix(len(self._left)),
            between=tuple(self._left),
            asked=tuple(self._asked.items()),
        )

    def _prefix(self, count: int) -> Moved:
        return self._low.union(*(group.ids for group in self._left[:count]))

    def _halve(self) -> bool:
        """Ask for one prefix; False when there is none left that could be asked for."""
        known = [0, len(self._left)]
        open_ones: list[int] = []
        for count in range(1, len(self._left)):
            (known if self._prefix(count) in self._asked else open_ones).append(count)
        if not open_ones:
            return False
        middle = max(open_ones, key=lambda count: (_distance(count, known), -count))
        later = frozenset(name for group in self._left[middle:] for name in group.ids)
        if not self._try(self._prefix(middle)):
            self._try(self._low | self._closed(later))
        return True

    def _alone(self) -> bool:
        """Ask for a group that is left with what it needs alone; False when that told nothing."""
        return any(self._try(moved) for moved in self._others())

    def _try(self, moved: Moved) -> bool:
        """Ask for a mixture between the ends; whether the search stands elsewhere then."""
        if moved in self._asked or not moved < self._prefix(len(self._left)):
            return False
        self._asked[moved] = heard = self._ask(moved)
        if heard.verdict == "untestable":
            self._vain += heard.tested
            return self._turn(heard.instead)
        self._vain = 0
        self._take(moved, good=heard.verdict == "good")
        return True

    def _others(self) -> Iterator[Moved]:
        for group in self._left if len(self._left) > 1 else ():
            yield self._low | self._closed(frozenset(group.ids))

    def _take(self, moved: Moved, *, good: bool) -> None:
        """A mixture between the ends is one of them now."""
        if good:
            self._low |= moved
            self._left = [group for group in self._left if not set(group.ids) <= moved]
        else:
            self._left = [group for group in self._left if set(group.ids) <= moved]

    def _turn(self, instead: Moved) -> bool:
        """Let a mixture be a prefix, if it consists of whole groups and lies between the ends."""
        wanted = instead | self._low
        inside = [group for group in self._left if set(group.ids) <= wanted]
        whole = self._low.union(*(group.ids for group in inside))
        if whole != wanted or not 0 < len(inside) < len(self._left):
            return False
        if wanted in self._asked or not self._closed(whole) <= whole:
            return False
        rest = [group for group in self._left if group not in inside]
        self._left = [*inside, *rest]
        return True


def _distance(count: int, known: Sequence[int]) -> int:
    return min(abs(count - one) for one in known)
