"""What ``envbuild lock`` says about a variant that got no lock: cause, chain, ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.cli import lock_pins
from envbuild.lock.overlay import CONDA
from envbuild.lock.working import Refusal
from envbuild.names import requirement_name
from envbuild.speech import counted
from envbuild.tools import proc

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from envbuild.cli.console import Console
    from envbuild.cli.locking import Outcome
    from envbuild.errors import InputError, Problem
    from envbuild.lock.conflict import Explanation, Part
    from envbuild.lock.uv import Failure
    from envbuild.lock.ways import WayOut
    from envbuild.lock.working import Done

_LINES = 6
"""The most lines of uv's reasoning that are shown without ``--verbose``."""

_CAUSES = {
    "unsatisfiable": "no set of versions satisfies every requirement",
    "not-found": "a package is in no index that was asked",
    "build": "a package cannot be built to learn what it requires",
    "network": "the package index cannot be reached",
    "offline": "the cache does not hold everything, and the network is off",
    "input": "uv does not understand a requirement",
    "interrupted": "uv was interrupted",
    "killed": "uv was killed",
    "failed": "uv failed",
}

_AGAINST = {
    "requirement": "required by the profile",
    "constraint": "a constraint of the profile",
    "override": "an override of the profile",
    "bundle": "what the image brings",
    "companion": "what torch asks of packages compiled against it",
    "provided": "what the image holds",
}


_OWN = ("requirement", "constraint", "override")
"""What the profile says itself."""


class Report(Struct, frozen=True, kw_only=True):
    """What is said of a refusal: ``text`` of one or more lines, and how to go on."""

    text: str
    hint: str = ""


def say_refusal(console: Console, one: Done, index: str) -> None:
    """Say why a job gave no lock: all of it is the error, and is said with ``--quiet`` too."""
    refusal = one.result
    assert isinstance(refusal, Refusal)  # the caller asked
    for problem in refusal.problems:
        console.problem(problem)
    said = report(one.job.step.target, refusal, index=index)
    console.fail(proc.masked(said.text))
    console.hint(proc.masked(said.hint))
    if refusal.failure:
        console.detail(proc.masked(refusal.failure.text))


def say_error(
    console: Console, profile: str, error: InputError, *, said: Container[Problem]
) -> None:
    """Say why a profile could not be begun, but for the problems that were said before."""
    for problem in error.problems:
        if problem not in said:
            console.problem(problem)
    named = profile in error.message
    console.fail(error.message if named else f"{profile}: {error.message}")
    console.hint(error.hint)


def error_data(profile: str, error: InputError) -> dict[str, object]:
    """Why a profile could not be begun, for machines."""
    problems = [str(problem) for problem in error.problems] or [error.message]
    return {"profile": profile, "status": "failed", "variants": [], "problems": problems}


def report(target: str, refusal: Refusal, *, index: str) -> Report:
    """What to say of a refusal; ``index`` is whose index did not answer, if that is the cause."""
    failure, explanation = refusal.failure, refusal.explanation
    if refusal.conda:
        said = [f"{target}: {refusal.conda.cause}", *refusal.conda.lines]
        return Report(text="\n  ".join(said), hint=refusal.conda.hint)
    if refusal.git:
        return Report(text=f"{target}: resolved, but a git source has no commit")
    if failure is None:
        return Report(text=f"{target}: resolved, but it may not become a lock")
    lines = [f"{target}: {_CAUSES[failure.kind]}"]
    if explanation:
        lines += _explained(explanation)
    else:
        lines += [f"  {line}" for line in _tail(failure.text)]
    return Report(text="\n".join(lines), hint=_hint(failure, explanation, index))


def _explained(explanation: Explanation) -> list[str]:
    lines = ["  these cannot stand together:"] if explanation.core else []
    lines += [f"    {_part(part)}" for part in explanation.core]
    if explanation.chain:
        *way, against = explanation.chain
        lines.append(f"  because {' -> '.join(way)}, against {against}")
    lines += [f"  uv: {line}" for line in _argument(explanation.words)]
    lines += [f"  no index has {name}" for name in explanation.reading.missing]
    lines += [f"  {name} has no wheel for this platform" for name in explanation.reading.no_wheel]
    lines += [f"  {name} is published as source only" for name in explanation.reading.source_only]
    if not explanation.complete:
        lines.append("  (the search was cut short: there may be a smaller set)")
    for number, way_out in enumerate(explanation.ways_out, 1):
        lines += _way_out(number, way_out)
    if explanation.refused and not explanation.ways_out:
        lines.append("  with other edits it was solved here, but that may not become a lock:")
        lines += [f"    {problem}" for problem in explanation.refused]
    return lines


def _argument(words: str) -> list[str]:
    """uv's own reasoning about the core, without its frame."""
    start = words.find("Because ")
    lines = words[start:].partition("\n\n")[0].splitlines() if start >= 0 else []
    return [line.strip() for line in lines[:_LINES]]


def _part(part: Part) -> str:
    place = f"{part.mark}: " if part.mark else ""
    return f"{place}{part.text} ({_AGAINST[part.kind]})"


def _way_out(number: int, way_out: WayOut) -> list[str]:
    gives = f" (gives {', '.join(way_out.gives)})" if way_out.gives else ""
    report = [f"  way out {number}, solved here{gives}: under python in the profile"]
    for kind, key, field in (
        ("override", "overrides", "requirement"),
        ("exclude", "exclude", "package"),
        ("build", "build-from-source", "package"),
    ):
        texts = [edit.text for edit in way_out.edits if edit.kind == kind]
        if texts:
            report += [f"    {key}:", "      append:"]
        for text in texts:
            report += [f"        - {field}: {text}", '          reason: "" # why this is safe']
    return report


def _hint(failure: Failure, explanation: Explanation | None, index: str) -> str:
    if explanation:
        return _moment(explanation) or _advice(explanation)
    if failure.kind == "network":
        return f"the index is {index}; --offline uses the cache alone"
    if failure.kind == "offline":
        return "run once without --offline to fill the cache"
    if failure.kind == "build":
        return "pin its build requirements under python.build-constraints, or state its metadata"
    if failure.kind == "killed":
        return "the system kills what takes too much memory: try --jobs 1"
    return ""


def _moment(explanation: Explanation) -> str:
    """Whether another as-of moment is a way out: said only when it was tried."""
    published, later = explanation.published, explanation.later
    if later is None:
        return ""
    gives = f" (it was solved here, with {', '.join(later.gives)})" if later.gives else ""
    if later.moment is None:
        return f"the profile's as-of is too old: a later one has a solution{gives}"
    return f"what is wanted was published at {published}: an as-of after that moment has it{gives}"


def _advice(explanation: Explanation) -> str:
    reading = explanation.reading
    if reading.missing:
        return "check the spelling, or name the index that has it in your uv settings"
    if explanation.ways_out:
        return ""
    if explanation.published:
        return (
            f"something wanted was published at {explanation.published}, but no later as-of helps"
        )
    if reading.no_version:
        return f"no index that was asked has {reading.no_version[0]} as of the profile's moment"
    own = [part for part in explanation.core if part.kind in _OWN]
    names = {requirement_name(part.text) for part in own}
    if len(names) == 1 and len(own) == len(explanation.core) > 1:
        return "the profile itself asks for both: change one of these lines"
    if any(part.kind in ("bundle", "provided") for part in explanation.core):
        return "no relaxation that was tried solved it; two environments may be the answer"
    return "no relaxation that was tried solved it"


def _tail(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()][-12:]


def as_data(refusal: Refusal) -> dict[str, object]:
    """A refusal for machines."""
    explanation = refusal.explanation
    later = explanation.later if explanation else None
    return {
        "kind": refusal.kind,
        "text": refusal.failure.text if refusal.failure else _conda_text(refusal),
        "steps": list(refusal.conda.steps) if refusal.conda else [],
        "problems": [str(problem) for problem in refusal.problems],
        "core": [_part(part) for part in explanation.core] if explanation else [],
        "chain": list(explanation.chain) if explanation else [],
        "ways-out": [
            [{edit.kind: edit.text} for edit in way_out.edits]
            for way_out in (explanation.ways_out if explanation else ())
        ],
        "later-as-of": later.moment or "unknown" if later else None,
    }


def _conda_text(refusal: Refusal) -> str:
    said = refusal.conda
    return "\n".join((said.cause, *said.lines)) if said else ""


def say_done(console: Console, one: Done, index_origin: Callable[[], str]) -> None:
    """Say how a job ended; ``index_origin`` tells which setting names the default index."""
    if isinstance(one.result, Refusal):
        say_refusal(console, one, _whose_index(one, index_origin))
        return
    count = counted(len(one.result.packages), "package")
    if one.result.conda:
        count += f", {len(one.result.conda.packages)} of conda"
    provided = sum(row.by != CONDA for row in one.result.provided)
    outcome = count + (f", {provided} left to the image" if provided else "")
    console.step(one.job.step, outcome, one.seconds)
    for step in one.result.steps:
        console.detail(f"  {step}")
    for name, version in _unmoved(one):
        asked = one.job.question.asked
        console.say(
            f"  {name} stays {version} as of {asked.as_of}: envbuild why says who limits it"
        )
    lock_pins.say(console, one.result)
    for row in one.result.unknown:
        console.say(f"  not known: {row.what} ({row.why})")


def _unmoved(one: Done) -> list[tuple[str, str]]:
    """What was let go by name, and has the version that it had."""
    previous = one.job.previous
    if previous is None or isinstance(one.result, Refusal):
        return []
    before = {package.name: package.version for package in previous.packages}
    now = {package.name: package.version for package in one.result.packages}
    let_go = one.job.question.upgrade or ()
    return [(name, now[name]) for name in let_go if name in now and now[name] == before.get(name)]


def _whose_index(one: Done, index_origin: Callable[[], str]) -> str:
    """Who names the index that a failure is about."""
    failure = one.result.failure if isinstance(one.result, Refusal) else None
    for name, url in one.job.question.indexes().items():
        if failure and url.rstrip("/") in failure.text:
            return f"{name!r}, as the profile declares it"
    return f"the one that {index_origin()} names"


def as_row(outcome: Outcome) -> dict[str, object]:
    """What became of a target, as ``--json`` prints it."""
    variants = []
    for job in outcome.target.jobs:
        one = outcome.done.get(job.step.target)
        row: dict[str, object] = {
            "variant": job.question.variant.name,
            "action": job.step.action,
            "reason": job.step.reason,
        }
        if one is not None:
            row["seconds"] = round(one.seconds, 3)
            row["outcome"] = (
                as_data(one.result)
                if isinstance(one.result, Refusal)
                else lock_pins.answer_row(one.result)
            )
        variants.append(row)
    profile = outcome.target.profile.name
    return {"profile": profile, "status": outcome.status, "variants": variants}
