"""The Python packages of one variant: ask uv, divide, check, and say who asked for what.

A placeholder of the public index and the vendor's wheel of the same version are one package with
two faces. Where the vendor's index was asked, the public one is asked for its face too, so that
the lock holds the hashes of both and installs from either.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.knowledge import facts
from envbuild.lock import overlay, requirements, uv
from envbuild.lock.bounds import Find, requires
from envbuild.lock.conda.packages import Standing
from envbuild.lock.inputs import Origins
from envbuild.lock.model import Provided, SolverInput
from envbuild.lock.overlay import PROFILE
from envbuild.lock.requirements import Pin
from envbuild.names import canonical_name, requirement_name
from envbuild.tools import files, temporary

if TYPE_CHECKING:
    from envbuild.profile.resolved import Variant
    from envbuild.tools.proc import Runner


class Question(Struct, frozen=True, kw_only=True):
    """One resolution to make.

    ``pins`` is the requirement text whose versions are kept; ``upgrade`` names what may move,
    None everything. ``conda`` is the conda half as it stands.
    """

    variant: Variant
    asked: SolverInput
    origins: Origins
    pins: str = ""
    upgrade: tuple[str, ...] | None = ()
    conda: Standing = Standing()

    def indexes(self) -> dict[str, str]:
        """The addresses of the vendor indexes that are asked, by name."""
        declared = self.variant.environment.python.indexes
        return {index.name: index.url for index in declared if index.name in self.asked.indexes}


class Resolution(Struct, frozen=True, kw_only=True):
    """A solved question: what is added, and what the image provides.

    ``two_faced`` are packages that hold both hashes: of a public placeholder and of the vendor's
    wheel.
    """

    added: tuple[Pin, ...]
    provided: tuple[Provided, ...]
    two_faced: frozenset[str] = frozenset()


def resolve(
    question: Question,
    tool: uv.Uv,
    runner: Runner,
    *,
    answer: tuple[Pin, ...] | None = None,
    find: Callable[[], Find] = lambda: _nothing,
) -> Resolution | uv.Failure:
    """Ask uv (unless its ``answer`` is there) and divide what it says, with the metadata that
    ``find`` has; nothing is written but a scratch folder."""
    if answer is None:
        solved = solve(question.asked, tool, runner, pins=question.pins, upgrade=question.upgrade)
        if isinstance(solved, uv.Failure):
            return solved
        answer = solved
    found = divide(question.variant, question.asked, answer, find=find)
    wanted = tuple(pin for pin in found.added if _may_have_two_faces(question, pin))
    if not wanted:
        return found
    faces = _public_hashes(question, wanted, tool, runner=runner)
    if isinstance(faces, uv.Failure):
        return faces
    return msgspec.structs.replace(
        found,
        added=tuple(_with_hashes(pin, faces.get(pin.name, ())) for pin in found.added),
        two_faced=frozenset(faces),
    )


def _nothing(_name: str, _version: str) -> tuple[bytes, ...]:
    """No metadata is known."""
    return ()


def divide(
    variant: Variant,
    asked: SolverInput,
    answer: tuple[Pin, ...],
    *,
    find: Callable[[], Find] = lambda: _nothing,
) -> Resolution:
    """What a solver's answer means for a variant."""
    bundles = [bundle for bundle in map(facts.bundle, variant.environment.base.provides) if bundle]
    brought = {
        canonical_name(name): "" if version == "unknown" else version
        for bundle in bundles
        for name, version in bundle.packages.items()
    }
    roots = frozenset(requirement_name(text) for text in asked.provided)
    conda = dict(text.split("==") for text in asked.installed)

    def optional(asker: Pin, name: str) -> bool:
        known = requires(asker.name, asker.version, find())
        return known is not None and known.optional(name)

    divided = overlay.split(answer, bundle=brought, roots=roots, conda=conda, optional=optional)
    return Resolution(added=divided.added, provided=divided.provided)


def _public_hashes(
    question: Question, wanted: tuple[Pin, ...], tool: uv.Uv, *, runner: Runner
) -> dict[str, tuple[str, ...]] | uv.Failure:
    """The hashes of public placeholders of what came from a vendor index, by package.

    A version that the public index does not hold is left out. Without the network its answer is
    that of the lock before: a cache does not remember that an index has no such package.
    """
    before = {(pin.name, pin.version): set(pin.hashes) for pin in requirements.parse(question.pins)}
    found: dict[str, tuple[str, ...]] = {}
    waiting = [wanted]
    while waiting:
        pins = waiting.pop()
        answer = solve(_placeholders(question.asked, pins), tool, runner)
        if not isinstance(answer, uv.Failure):
            found |= {pin.name: pin.hashes for pin in answer}
        elif answer.kind not in ("unsatisfiable", "not-found", "offline"):
            return answer
        elif len(pins) > 1:
            waiting += [(pin,) for pin in pins]
        elif answer.kind == "offline":
            known = before.get((pins[0].name, pins[0].version), set())
            if not known >= set(pins[0].hashes):
                return answer
            if known > set(pins[0].hashes):
                found[pins[0].name] = tuple(sorted(known))
    return found


def _with_hashes(pin: Pin, more: tuple[str, ...]) -> Pin:
    return msgspec.structs.replace(pin, hashes=tuple(sorted({*pin.hashes, *more})))


def _may_have_two_faces(question: Question, pin: Pin) -> bool:
    """Whether a vendor index was asked for it, and the public index has it as a placeholder."""
    declared = question.variant.environment.python.indexes
    patterns = (p for i in declared if i.name in question.asked.indexes for p in i.packages)
    named = any(fnmatch.fnmatchcase(pin.name, pattern) for pattern in patterns)
    return named and facts.is_placeholder(pin.name, pin.version) is not None


def _placeholders(asked: SolverInput, pins: tuple[Pin, ...]) -> SolverInput:
    """The question for exactly these source distributions, without anything that they require."""
    rows = ({"name": pin.name, "version": pin.version, "requires-dist": []} for pin in pins)
    return SolverInput(
        image=asked.image,
        python=asked.python,
        platform=asked.platform,
        as_of=asked.as_of,
        requirements=tuple(f"{pin.name}=={pin.version}" for pin in pins),
        stubs=tuple(pin.name for pin in pins),
        metadata=tuple(msgspec.json.encode(row).decode() for row in rows),
    )


def solve(
    asked: SolverInput,
    tool: uv.Uv,
    runner: Runner,
    *,
    pins: str = "",
    upgrade: tuple[str, ...] | None = (),
) -> tuple[Pin, ...] | uv.Failure:
    """One call of uv: every package of the resolution, or why there is none. Nothing is asked for
    nothing."""
    if not (asked.requirements or asked.provided):
        return ()
    with temporary.scratch(uv.files(asked, tool, pins=pins)) as folder:
        outcome = runner(uv.command(asked, tool, folder=folder, upgrade=upgrade))
        if outcome.missing or outcome.code:
            return uv.failure(outcome)
        text = files.read_text(f"{folder}/{uv.OUTPUT}")
    return tuple(_named(pin) for pin in requirements.parse(text))


_SPEAKERS = {
    "-r requirements.in": PROFILE,
    "-c constraints.txt": f"{PROFILE} (constraint)",
    "-c bundle.txt": "bundle",
    "-c installed.txt": overlay.CONDA,
    "-c companions.txt": "torch companions",
    "--override overrides.txt": f"{PROFILE} (override)",
}


def _named(pin: Pin) -> Pin:
    via = (_SPEAKERS.get(asker) or canonical_name(asker) for asker in pin.via)
    return Pin(name=pin.name, version=pin.version, hashes=pin.hashes, via=tuple(sorted(set(via))))
