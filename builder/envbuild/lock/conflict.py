"""Why a request has no solution: the smallest set of requirements that cannot stand together.

Requirements are dropped one by one, and what can be dropped without a solution appearing has no
part in the conflict. A package that is published as source only is allowed to be built on the way:
that relaxes no bound. The ways out are looked for in :mod:`envbuild.lock.ways`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from envbuild.errors import Mark, Problem
from envbuild.lock import uvtext, ways
from envbuild.lock.model import SolverInput
from envbuild.lock.probing import Prober, Solve
from envbuild.lock.pypi import Question
from envbuild.lock.uv import Failure
from envbuild.lock.ways import Later, WayOut
from envbuild.names import requirement_name


class Part(Struct, frozen=True, kw_only=True):
    """A member of the core: a requirement of the profile with its line, or what stands against
    it (``constraint``, ``override``, ``bundle``, ``companion``)."""

    kind: Literal["requirement", "constraint", "override", "bundle", "companion", "provided"]
    text: str
    mark: Mark | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """``chain`` runs from a requirement to what contradicts it; ``words`` is what uv says of the
    core alone; ``complete`` is false when the probes ran out before the core was minimal.
    ``published`` is when something wanted appeared after the as-of moment; ``later`` is an as-of
    moment with a solution; ``refused`` is what the checks say of answers
    that were solved and are not offered."""

    core: tuple[Part, ...]
    chain: tuple[str, ...]
    ways_out: tuple[WayOut, ...]
    reading: uvtext.Reading
    words: str = ""
    complete: bool = True
    published: str | None = None
    later: Later | None = None
    refused: tuple[Problem, ...] = ()


def explain(
    question: Question, failure: Failure, solve: Solve, *, check: ways.Check
) -> Explanation:
    """The core of an unsatisfiable request and the ways out that were solved and pass ``check``."""
    probe = Prober(solve)
    search = ways.Search(probe, check)
    settled, answer = probe.settled(question.asked)
    builds = ways.builds(question.asked, settled)
    if not isinstance(answer, Failure):
        way = WayOut(edits=builds, gives=ways.gives(answer, builds))
        return Explanation(
            core=(),
            chain=(),
            ways_out=(way,) if search.passes(settled, answer) else (),
            reading=uvtext.read(failure.text),
            words=failure.text,
            refused=search.refused,
        )
    words = answer.text or failure.text
    first = uvtext.read(words)
    later = search.later(question.asked, first)
    core, text = _core(settled, words, probe)
    reading = uvtext.read(text)
    return Explanation(
        core=tuple(_parts(core, question, blamed=_blamed_overrides(core, probe))),
        chain=_chain(core, reading),
        ways_out=tuple(search.ways_out(settled, answer.text, done=builds)),
        reading=reading,
        words=text,
        complete=not probe.spent,
        published=first.published,
        later=later,
        refused=search.refused,
    )


def _core(asked: SolverInput, text: str, probe: Prober) -> tuple[SolverInput, str]:
    """The smallest input that still has no solution, and uv's words about it."""
    core = asked
    for field in ("requirements", "constraints"):
        for line in getattr(asked, field):
            kept = tuple(row for row in getattr(core, field) if row != line)
            core, text = _try_without(core, {field: kept}, text=text, probe=probe)
    for field in ("companions", "provided"):
        if getattr(core, field):
            core, text = _try_without(core, {field: ()}, text=text, probe=probe)
    if core.bundle:
        named = tuple(row for row in core.bundle if requirement_name(row) in text.lower())
        for kept in ((), named):
            core, text = _try_without(core, {"bundle": kept}, text=text, probe=probe)
    for line in core.bundle:
        kept = tuple(row for row in core.bundle if row != line)
        core, text = _try_without(core, {"bundle": kept}, text=text, probe=probe)
    return core, text


def _try_without(
    core: SolverInput, change: dict[str, tuple[str, ...]], *, text: str, probe: Prober
) -> tuple[SolverInput, str]:
    smaller = msgspec.structs.replace(core, **change)
    if smaller == core or not (smaller.requirements or smaller.provided):
        return core, text
    words = probe.unsolved(smaller)
    return (core, text) if words is None else (smaller, words)


def _blamed_overrides(core: SolverInput, probe: Prober) -> tuple[str, ...]:
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
    ends = {requirement_name(line): line for line in reversed(against) if ways.bounded(line)}
    found = [
        uvtext.chain(reading, start=requirement_name(line), ends=ends)
        for line in (*core.requirements, *core.provided)
    ]
    return max(found, key=lambda steps: (bool(steps), -len(steps)), default=())
