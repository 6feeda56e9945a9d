"""The least changes of a profile that were seen to give it a lock.

Every bound in uv's own explanation is a candidate for a relaxation, and each is tried on the whole
request, then put through the checks that every lock must pass. Nothing is offered that was not
solved, or that the checks would refuse; and nothing that gives way on NumPy, on the image's own
packages or on a bound that the profile itself states.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from envbuild.errors import Problem
from envbuild.lock import uvtext
from envbuild.lock.bounds import specifiers
from envbuild.lock.model import SolverInput
from envbuild.lock.probing import UNSOLVED, Prober
from envbuild.lock.requirements import Pin
from envbuild.lock.uv import Failure
from envbuild.names import requirement_name

Check = Callable[[SolverInput, tuple[Pin, ...]], tuple[Problem, ...]]
"""What forbids that an answer to an input becomes a lock."""

PROTECTED = frozenset({"numpy"})
"""Packages whose bounds are about binary layout: to set one aside is to crash later."""

DEPTH = 3
"""The most relaxations in one way out: with more, another profile is the better answer."""

SHOWN = 3
"""The most ways out that are worth reading."""

NO_LIMIT = "2100-01-01T00:00:00Z"
"""An as-of moment that hides nothing."""


class Relaxing(Struct, frozen=True, kw_only=True):
    """One edit of the profile: an override, an exclusion, or a package to build from source."""

    kind: Literal["override", "exclude", "build"]
    text: str


class WayOut(Struct, frozen=True, kw_only=True):
    """Edits that together were solved, and the versions that they gave."""

    edits: tuple[Relaxing, ...]
    gives: tuple[str, ...]


class Later(Struct, frozen=True, kw_only=True):
    """An as-of moment that was solved; ``moment`` None: some later one, which is not known.

    ``gives`` are versions of what uv spoke of, the first few.
    """

    moment: str | None
    gives: tuple[str, ...]


class Search:
    """Looks for ways out with a solver and the checks; ``refused`` are what the checks forbade."""

    def __init__(self, probe: Prober, check: Check) -> None:
        self._probe = probe
        self._check = check
        self.refused: tuple[Problem, ...] = ()

    def passes(self, asked: SolverInput, answer: tuple[Pin, ...]) -> bool:
        """Whether an answer may become a lock."""
        problems = self._check(asked, answer)
        self.refused = tuple(dict.fromkeys((*self.refused, *problems)))
        return not problems

    def ways_out(
        self, asked: SolverInput, text: str, *, done: tuple[Relaxing, ...]
    ) -> Iterator[WayOut]:
        """Breadth first: one edit, then two on what is left, and so on; the shortest ways win."""
        waiting = [(done, asked, text)]
        for _ in range(DEPTH):
            deeper = []
            found = 0
            given: set[tuple[str, ...]] = set()
            for edits, current, words in waiting:
                for edit in _candidates(asked, uvtext.read(words)):
                    relaxed = _apply(current, edit)
                    if relaxed == current or found == SHOWN or _again(edits, edit):
                        continue
                    settled, answer = self._probe.settled(relaxed)
                    now = (*edits, edit, *builds(relaxed, settled))
                    if isinstance(answer, Failure):
                        if answer.kind in UNSOLVED and answer.text != words:
                            deeper.append((now, settled, answer.text))
                    elif gives(answer, now) not in given and self.passes(settled, answer):
                        found += 1
                        given.add(gives(answer, now))
                        yield WayOut(edits=_narrowed(answer, now), gives=gives(answer, now))
            if found:
                return
            waiting = deeper

    def later(self, asked: SolverInput, reading: uvtext.Reading) -> Later | None:
        """The as-of moment after what uv says was published too late; else without a limit."""
        moments = (_second_after(reading.published),) if reading.published else ()
        for moment in (*moments, NO_LIMIT):
            if moment <= asked.as_of:
                continue
            moved = msgspec.structs.replace(asked, as_of=moment)
            answer = self._probe(moved)
            if not isinstance(answer, Failure) and self.passes(moved, answer):
                named = (*reading.late, *(edge.wanted for edge in reading.edges))
                names = {requirement_name(text) for text in named}
                seen = (f"{pin.name} {pin.version}" for pin in answer if pin.name in names)
                return Later(
                    moment=None if moment == NO_LIMIT else moment,
                    gives=tuple(itertools.islice(seen, SHOWN)),
                )
        return None


def _second_after(moment: str) -> str:
    """uv's limit itself is not within, and it prints whole seconds."""
    after = datetime.fromisoformat(moment) + timedelta(seconds=1)
    return after.strftime("%Y-%m-%dT%H:%M:%SZ")


def builds(before: SolverInput, after: SolverInput) -> tuple[Relaxing, ...]:
    """The packages that were allowed to be built on the way."""
    new = sorted(set(after.source_builds) - set(before.source_builds))
    return tuple(Relaxing(kind="build", text=name) for name in new)


def _candidates(asked: SolverInput, reading: uvtext.Reading) -> Iterator[Relaxing]:
    bundle = {requirement_name(line): line for line in asked.bundle if bounded(line)}
    own = _own_bounds(asked)
    closed = {line for line in asked.bundle if not bounded(line)}
    closed |= {requirement_name(line) for line in asked.overrides}
    for name in dict.fromkeys(requirement_name(edge.wanted) for edge in reading.edges):
        if name in PROTECTED or name in closed:
            continue
        kept = (e.wanted for e in reading.edges if requirement_name(e.wanted) == name)
        said = bundle.get(name) or own.get(name)
        choices = (said,) if said else (*filter(bounded, kept), name)
        yield from (Relaxing(kind="override", text=text) for text in dict.fromkeys(choices))
    required = {requirement_name(line) for line in asked.requirements}
    for name in dict.fromkeys(map(requirement_name, (*reading.no_wheel, *reading.missing))):
        if name in PROTECTED | required:
            continue
        marker = reading.only_on(name)
        if marker:
            yield Relaxing(kind="override", text=f"{name} ; {marker}")
        yield Relaxing(kind="exclude", text=name)


def _own_bounds(asked: SolverInput) -> dict[str, str]:
    """What the profile itself says of a package, as one requirement: as an override it gives way
    on nothing but what other packages ask. Addresses and markers are not to be joined."""
    own: dict[str, list[str]] = {}
    for line in (*asked.requirements, *asked.constraints):
        if bounded(line):
            own.setdefault(requirement_name(line), []).append(line)
    return {
        name: f"{name}{','.join(dict.fromkeys(map(specifiers, lines)))}"
        for name, lines in own.items()
        if not any(sign in line for line in lines for sign in ";@")
    }


def _apply(asked: SolverInput, edit: Relaxing) -> SolverInput:
    field = "overrides" if edit.kind == "override" else "exclude"
    lines = tuple(sorted({*getattr(asked, field), edit.text}))
    return msgspec.structs.replace(asked, **{field: lines})


def _again(edits: tuple[Relaxing, ...], edit: Relaxing) -> bool:
    return requirement_name(edit.text) in {requirement_name(done.text) for done in edits}


def _narrowed(pins: tuple[Pin, ...], edits: tuple[Relaxing, ...]) -> tuple[Relaxing, ...]:
    """Overrides by name alone, as the one version that was solved: the least that is set aside."""
    versions = {pin.name: pin.version for pin in pins}
    return tuple(
        Relaxing(kind="override", text=f"{edit.text}=={versions[edit.text]}")
        if edit.kind == "override" and edit.text in versions
        else edit
        for edit in edits
    )


def gives(pins: tuple[Pin, ...], edits: tuple[Relaxing, ...]) -> tuple[str, ...]:
    """The versions of what was relaxed."""
    named = {requirement_name(edit.text) for edit in edits}
    return tuple(f"{pin.name} {pin.version}" for pin in pins if pin.name in named)


def bounded(requirement: str) -> bool:
    """Whether a requirement says more than a name."""
    return any(sign in requirement for sign in "<>=!~@")
