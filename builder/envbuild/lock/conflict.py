"""Why a request has no solution, and the least change that was seen to give it one.

First the core: requirements are dropped one by one, and what can be dropped without a solution
appearing has no part in the conflict. Then the ways out: every bound in uv's own explanation is a
candidate for a relaxation, and each is tried on the whole request. A package that is published as
source only is allowed to be built on the way: that relaxes no bound. Nothing is offered that was
not solved, and nothing that gives way on NumPy, on the image's own packages or on a bound that the
profile itself states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from envbuild.errors import Mark
from envbuild.lock import uvtext
from envbuild.lock.model import SolverInput
from envbuild.lock.pypi import Question
from envbuild.lock.requirements import Pin
from envbuild.lock.uv import Failure
from envbuild.names import requirement_name

Solve = Callable[[SolverInput], "tuple[Pin, ...] | Failure"]

PROTECTED = frozenset({"numpy"})
"""Packages whose bounds are about binary layout: to set one aside is to crash later."""

PROBES = 60
"""The most resolutions that one explanation may cost; each takes 0.1 to 1 s with a warm cache."""

DEPTH = 3
"""The most relaxations in one way out: with more, another profile is the better answer."""

SHOWN = 3
"""The most ways out that are worth reading."""

_UNSOLVED = ("unsatisfiable", "not-found")


class Part(Struct, frozen=True, kw_only=True):
    """A member of the core: a requirement of the profile with its line, or what stands against
    it (``constraint``, ``override``, ``bundle``, ``companion``)."""

    kind: Literal["requirement", "constraint", "override", "bundle", "companion", "provided"]
    text: str
    mark: Mark | None = None


class Relaxing(Struct, frozen=True, kw_only=True):
    """One edit of the profile: an override, an exclusion, or a package to build from source."""

    kind: Literal["override", "exclude", "build"]
    text: str


class WayOut(Struct, frozen=True, kw_only=True):
    """Edits that together were solved, and the versions that they gave."""

    edits: tuple[Relaxing, ...]
    gives: tuple[str, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """``chain`` runs from a requirement to what contradicts it; ``words`` is what uv says of the
    core alone; ``complete`` is false when the probes ran out before the core was minimal."""

    core: tuple[Part, ...]
    chain: tuple[str, ...]
    ways_out: tuple[WayOut, ...]
    reading: uvtext.Reading
    words: str = ""
    complete: bool = True


class _Prober:
    """Counts and remembers resolutions."""

    def __init__(self, solve: Solve) -> None:
        self._solve = solve
        self._seen: dict[SolverInput, tuple[Pin, ...] | Failure] = {}
        self.spent = False

    def __call__(self, asked: SolverInput) -> tuple[Pin, ...] | Failure:
        if asked not in self._seen:
            if len(self._seen) >= PROBES:
                self.spent = True
                return Failure(kind="failed", text="")
            self._seen[asked] = self._solve(asked)
        return self._seen[asked]

    def settled(self, asked: SolverInput) -> tuple[SolverInput, tuple[Pin, ...] | Failure]:
        """The answer once everything that is published as source only may be built."""
        while True:
            answer = self(asked)
            if not isinstance(answer, Failure):
                return asked, answer
            wanted = uvtext.read(answer.text).source_only
            allowed = {*asked.source_builds, *(requirement_name(name) for name in wanted)}
            if allowed == set(asked.source_builds):
                return asked, answer
            asked = msgspec.structs.replace(asked, source_builds=tuple(sorted(allowed)))

    def unsolved(self, asked: SolverInput) -> str | None:
        """uv's explanation when there is no solution; None when there is one, or no answer."""
        _, answer = self.settled(asked)
        return answer.text if isinstance(answer, Failure) and answer.kind in _UNSOLVED else None


def explain(question: Question, failure: Failure, solve: Solve) -> Explanation:
    """The core of an unsatisfiable request and the ways out that were solved."""
    probe = _Prober(solve)
    settled, answer = probe.settled(question.asked)
    builds = _builds(question.asked, settled)
    if not isinstance(answer, Failure):
        return Explanation(
            core=(),
            chain=(),
            ways_out=(WayOut(edits=builds, gives=_gives(answer, builds)),),
            reading=uvtext.read(failure.text),
            words=failure.text,
        )
    core, text = _core(settled, answer.text or failure.text, probe)
    reading = uvtext.read(text)
    ways = tuple(_ways_out(settled, answer.text, probe, done=builds))
    return Explanation(
        core=tuple(_parts(core, question, blamed=_blamed_overrides(core, probe))),
        chain=_chain(core, reading),
        ways_out=ways,
        reading=reading,
        words=text,
        complete=not probe.spent,
    )


def _core(asked: SolverInput, text: str, probe: _Prober) -> tuple[SolverInput, str]:
    """The smallest input that still has no solution, and uv's words about it."""
    core = asked
    for field in ("requirements", "constraints"):
        for line in getattr(asked, field):
            kept = tuple(row for row in getattr(core, field) if row != line)
            core, text = _try_without(core, {field: kept}, text, probe)
    for field in ("companions", "provided"):
        if getattr(core, field):
            core, text = _try_without(core, {field: ()}, text, probe)
    if core.bundle:
        named = tuple(row for row in core.bundle if requirement_name(row) in text.lower())
        for kept in ((), named):
            core, text = _try_without(core, {"bundle": kept}, text, probe)
    for line in core.bundle:
        kept = tuple(row for row in core.bundle if row != line)
        core, text = _try_without(core, {"bundle": kept}, text, probe)
    return core, text


def _try_without(
    core: SolverInput, change: dict[str, tuple[str, ...]], text: str, probe: _Prober
) -> tuple[SolverInput, str]:
    smaller = msgspec.structs.replace(core, **change)
    if smaller == core or not (smaller.requirements or smaller.provided):
        return core, text
    words = probe.unsolved(smaller)
    return (core, text) if words is None else (smaller, words)


def _blamed_overrides(core: SolverInput, probe: _Prober) -> tuple[str, ...]:
    """The overrides without which there would be a solution.

    None is dropped from the core: what an override set aside would come back in its place.
    """

    def without(line: str) -> SolverInput:
        kept = tuple(row for row in core.overrides if row != line)
        return msgspec.structs.replace(core, overrides=kept)

    return tuple(row for row in core.overrides if not isinstance(probe(without(row)), Failure))


def _parts(core: SolverInput, question: Question, *, blamed: tuple[str, ...]) -> Iterator[Part]:
    places = question.origins.places
    written = question.origins.written
    for line in core.requirements:
        yield Part(kind="requirement", text=written.get(line, line), mark=places.get(line))
    for line in core.constraints:
        yield Part(kind="constraint", text=written.get(line, line), mark=places.get(line))
    for line in blamed:
        yield Part(kind="override", text=written.get(line, line), mark=places.get(line))
    yield from (Part(kind="provided", text=line) for line in core.provided)
    yield from (Part(kind="bundle", text=line) for line in core.bundle)
    yield from (Part(kind="companion", text=line) for line in core.companions)


def _chain(core: SolverInput, reading: uvtext.Reading) -> tuple[str, ...]:
    against = (
        *core.overrides,
        *core.bundle,
        *core.companions,
        *core.constraints,
        *core.requirements,
    )
    ends = {requirement_name(line): line for line in reversed(against) if _bounded(line)}
    found = [
        uvtext.chain(reading, start=requirement_name(line), ends=ends)
        for line in (*core.requirements, *core.provided)
    ]
    return max(found, key=lambda steps: (bool(steps), -len(steps)), default=())


def _bounded(requirement: str) -> bool:
    return any(sign in requirement for sign in "<>=!~@")


def _builds(before: SolverInput, after: SolverInput) -> tuple[Relaxing, ...]:
    new = sorted(set(after.source_builds) - set(before.source_builds))
    return tuple(Relaxing(kind="build", text=name) for name in new)


def _ways_out(
    asked: SolverInput, text: str, probe: _Prober, *, done: tuple[Relaxing, ...]
) -> Iterator[WayOut]:
    """Breadth first: one edit, then two on what is left, and so on; the shortest ways win."""
    waiting = [(done, asked, text)]
    for _ in range(DEPTH):
        deeper = []
        found = 0
        for edits, current, words in waiting:
            for edit in _candidates(asked, uvtext.read(words)):
                relaxed = _apply(current, edit)
                if relaxed == current or found == SHOWN or _again(edits, edit):
                    continue
                settled, answer = probe.settled(relaxed)
                now = (*edits, edit, *_builds(relaxed, settled))
                if not isinstance(answer, Failure):
                    found += 1
                    yield WayOut(edits=_narrowed(answer, now), gives=_gives(answer, now))
                elif answer.kind in _UNSOLVED and answer.text != words:
                    deeper.append((now, settled, answer.text))
        if found:
            return
        waiting = deeper


def _candidates(asked: SolverInput, reading: uvtext.Reading) -> Iterator[Relaxing]:
    bundle = {requirement_name(line): line for line in asked.bundle if _bounded(line)}
    stated = {
        requirement_name(line)
        for line in (*asked.requirements, *asked.constraints)
        if _bounded(line)
    }
    stated |= {line for line in asked.bundle if not _bounded(line)}
    stated |= {requirement_name(line) for line in asked.overrides}
    for name in dict.fromkeys(requirement_name(edge.wanted) for edge in reading.edges):
        if name in PROTECTED or name in stated:
            continue
        kept = (e.wanted for e in reading.edges if requirement_name(e.wanted) == name)
        choices = (bundle[name],) if name in bundle else (*filter(_bounded, kept), name)
        yield from (Relaxing(kind="override", text=text) for text in dict.fromkeys(choices))
    required = {requirement_name(line) for line in asked.requirements}
    for name in dict.fromkeys(map(requirement_name, (*reading.no_wheel, *reading.missing))):
        if name in PROTECTED | required:
            continue
        marker = reading.only_on(name)
        if marker:
            yield Relaxing(kind="override", text=f"{name} ; {marker}")
        yield Relaxing(kind="exclude", text=name)


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


def _gives(pins: tuple[Pin, ...], edits: tuple[Relaxing, ...]) -> tuple[str, ...]:
    named = {requirement_name(edit.text) for edit in edits}
    return tuple(f"{pin.name} {pin.version}" for pin in pins if pin.name in named)
