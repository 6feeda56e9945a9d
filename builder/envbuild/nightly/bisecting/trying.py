"""One mixture of two locks, made and tested, and kept so that it need not be again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from envbuild.errors import EnvbuildError
from envbuild.lock.folder import LockFolder, lock_digest
from envbuild.nightly.bisecting import search
from envbuild.nightly.bisecting.keeping import Kept
from envbuild.nightly.bisecting.model import Found, Graph, Group, Heard, Moved, Verdict
from envbuild.nightly.bisecting.order import closed


class Refused(Struct, frozen=True, kw_only=True):
    """Why a mixture is no lock, in one line. ``instead`` is the one that the resolver would rather
    have, empty where it has none."""

    why: str
    instead: Moved = frozenset()


class Ran(Struct, frozen=True, kw_only=True):
    """One run of a test: ``why`` in one line, ``log`` relative to the workspace. ``stage`` is what
    came to this end (``build``, ``smoke``, ``test``)."""

    verdict: Verdict
    why: str
    stage: str
    seconds: float
    log: str = ""


class World(Protocol):
    """Where locks are made and tested."""

    def lock(self, moved: Moved) -> LockFolder | Refused:
        """The lock of a mixture, by the resolver.

        Raises:
            ToolError: nobody could be asked: that is no answer about the mixture.
        """

    def test(self, moved: Moved, lock: LockFolder, *, failing: str) -> Ran:
        """Test a lock once. ``failing`` is the stage in which the bad side fails, empty where that
        is not known: what fails earlier is another failure."""


Tell = Callable[[Moved, Heard, bool], None]
"""Is told each answer, and whether it was known before."""


class Trier:
    """Asks a world, and keeps what it heard. Each test is run ``repeat`` times; a lock that fails
    once is bad, since a good one never does."""

    def __init__(self, world: World, kept: Kept, tell: Tell, *, repeat: int = 1) -> None:
        self._world = world
        self._kept = kept
        self._tell = tell
        self._repeat = repeat
        self._failing = ""
        self._heard: dict[Moved, Heard] = {}

    @property
    def heard(self) -> tuple[tuple[Moved, Heard], ...]:
        """Everything that was heard in this search, in its order."""
        return tuple(self._heard.items())

    def ask(self, moved: Moved) -> Heard:
        """What a mixture comes to."""
        known = self._kept.answer(moved)
        heard = known or self._make(moved)
        if known is None:
            self._kept.put(moved, heard)
        self._heard[moved] = heard
        self._tell(moved, heard, known is not None)
        return heard

    def end(self, moved: Moved) -> Heard:
        """What one of the two ends comes to. The stage in which it fails is remembered."""
        heard = self.ask(moved)
        if heard.verdict == "bad":
            self._failing = heard.stage
        return heard

    def _make(self, moved: Moved) -> Heard:
        made = self._world.lock(moved)
        if isinstance(made, Refused):
            return Heard(verdict="untestable", why=made.why, instead=made.instead)
        digest = digest_of(made)
        same = self._kept.same(digest)
        if same is not None:
            why = f"the same lock as one before: {same.why}" if same.why else "as one before"
            return msgspec.structs.replace(same, why=why, tested=False)
        heard = self._runs(moved, made)
        return msgspec.structs.replace(heard, lock=digest, tested=True)

    def _runs(self, moved: Moved, made: LockFolder) -> Heard:
        passed = failed = 0
        seconds = 0.0
        last: Ran | None = None
        for _ in range(self._repeat):
            ran = self._world.test(moved, made, failing=self._failing)
            seconds += ran.seconds
            passed += ran.verdict == "good"
            failed += ran.verdict == "bad"
            if last is None or ran.verdict != "good":
                last = ran
            if ran.verdict == "untestable":
                break
        assert last is not None  # a test is run at least once
        return Heard(
            verdict="untestable" if last.verdict == "untestable" else "bad" if failed else "good",
            why=last.why,
            passed=passed,
            failed=failed,
            seconds=seconds,
            log=last.log,
            stage=last.stage,
        )


def digest_of(lock: LockFolder) -> str:
    """What tells two locks apart: everything that their variants say."""
    header = lock.header
    assert header is not None  # it was made
    return " ".join(f"{name}={lock_digest(one)}" for name, one in sorted(header.variants.items()))


# --- A whole search ------------------------------------------------------------------------------


class NotBetweenError(EnvbuildError):
    """There is nothing to search: nothing moved, or an end is not what it is said to be."""


class Result(Struct, frozen=True, kw_only=True):
    """What a search found. ``partner`` is what must have moved too for the fault to be there, None
    where that was not asked or nothing must; ``heard`` is all that was asked, in its order."""

    found: Found
    partner: Found | None
    heard: tuple[tuple[Moved, Heard], ...]


def bisected(
    graph: Graph, groups: Sequence[Group], trier: Trier, *, trust: tuple[bool, bool], alone: bool
) -> Result:
    """Search between the two locks of a graph.

    ``trust`` says which of the ends, the good and the bad one, are taken at their word. With
    ``alone`` it is asked whether what was found breaks by itself, and what it needs if not.

    Raises:
        NotBetweenError: nothing moved, or an end is not what it is said to be.
    """
    if not groups:
        raise NotBetweenError(
            "nothing that a lock holds moved between the two",
            hint="the cause lies elsewhere: the machine, its driver, the sources that are built",
        )
    _check_ends(graph, trier, trust)

    def whole(wanted: Moved) -> Moved:
        return closed(wanted, groups, graph)

    found = search.search(groups, trier.ask, start=frozenset(), closed=whole)
    partner = _partner(found, groups, trier, whole) if alone and len(found.between) == 1 else None
    return Result(found=found, partner=partner, heard=trier.heard)


def _check_ends(graph: Graph, trier: Trier, trust: tuple[bool, bool]) -> None:
    every = frozenset(node.id for node in graph.nodes)
    if not trust[1]:
        bad = trier.end(every)
        if bad.verdict != "bad":
            said = "cannot be tested" if bad.verdict == "untestable" else "passes the test"
            raise NotBetweenError(
                f"the bad side is not bad: it {said} ({bad.why})",
                hint="what broke is no longer there, or the test does not see it",
            )
    if not trust[0]:
        good = trier.end(frozenset())
        if good.disagrees:
            runs = good.passed + good.failed
            raise NotBetweenError(
                f"the test is not to be relied on: on the good side it fails {good.failed} of"
                f" {runs} times",
                hint="make it steady first, or name an older good side with --good",
            )
        if good.verdict != "good":
            said = "cannot be tested" if good.verdict == "untestable" else "fails the test too"
            raise NotBetweenError(
                f"the good side is not good: it {said} ({good.why})",
                hint="name an older one with --good; or what broke is no package at all",
            )


def _partner(
    found: Found, groups: Sequence[Group], trier: Trier, whole: Callable[[Moved], Moved]
) -> Found | None:
    """What must have moved too: found as the move itself was, with that in place."""
    (group,) = found.between
    least = whole(frozenset(group.ids))
    if least == found.high or trier.ask(least).verdict != "good":
        return None
    rest = [one for one in groups if set(one.ids) <= found.high - least]
    return search.search(rest, trier.ask, start=least, closed=whole)
