"""What ``envbuild lock`` says about a variant that got no lock: cause, chain, ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envbuild.lock.conflict import Explanation, Part, WayOut
    from envbuild.lock.uv import Failure
    from envbuild.lock.working import Refusal

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


def lines(target: str, refusal: Refusal, *, index: str) -> tuple[str, ...]:
    """The report of one refusal; ``index`` says which setting names the default index."""
    if refusal.failure is None:
        return (f"{target}: resolved, but it may not become a lock",)
    report = [f"{target}: {_CAUSES[refusal.failure.kind]}"]
    explanation = refusal.explanation
    if explanation:
        report += _explained(explanation)
    else:
        report += [f"  {line}" for line in _tail(refusal.failure.text)]
    hint = _hint(refusal.failure, explanation, index)
    if hint:
        report.append(f"  hint: {hint}")
    return tuple(report)


def _explained(explanation: Explanation) -> list[str]:
    report = ["  these cannot stand together:"] if explanation.core else []
    report += [f"    {_part(part)}" for part in explanation.core]
    if explanation.chain:
        *way, against = explanation.chain
        report.append(f"  because {' -> '.join(way)}, against {against}")
    report += [f"  uv: {line}" for line in _argument(explanation.words)]
    report += [f"  no index has {name}" for name in explanation.reading.missing]
    report += [f"  {name} has no wheel for this platform" for name in explanation.reading.no_wheel]
    report += [f"  {name} is published as source only" for name in explanation.reading.source_only]
    if not explanation.complete:
        report.append("  (the search was cut short: there may be a smaller set)")
    for number, way_out in enumerate(explanation.ways_out, 1):
        report += _way_out(number, way_out)
    return report


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
    published = explanation.reading.published if explanation else None
    if published:
        return f"what is wanted was published at {published}: an as-of after that moment has it"
    if failure.kind == "network":
        return f"the index is the one that {index} names; --offline uses the cache alone"
    if failure.kind == "offline":
        return "run once without --offline to fill the cache"
    if failure.kind == "build":
        return "pin its build requirements under python.build-constraints, or state its metadata"
    return _advice(explanation) if explanation else ""


def _advice(explanation: Explanation) -> str:
    reading = explanation.reading
    if reading.missing:
        return "check the spelling, or name the index that has it in your uv settings"
    if explanation.ways_out:
        return ""
    if reading.no_version:
        return f"no index that was asked has {reading.no_version[0]} as of the profile's moment"
    if any(part.kind in ("bundle", "provided") for part in explanation.core):
        return "no relaxation that was tried solved it; two environments may be the answer"
    return "no relaxation that was tried solved it"


def _tail(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()][-12:]


def as_data(refusal: Refusal) -> dict[str, object]:
    """A refusal for machines."""
    explanation = refusal.explanation
    return {
        "kind": refusal.failure.kind if refusal.failure else "refused",
        "text": refusal.failure.text if refusal.failure else "",
        "problems": [str(problem) for problem in refusal.problems],
        "core": [_part(part) for part in explanation.core] if explanation else [],
        "chain": list(explanation.chain) if explanation else [],
        "ways-out": [
            [{edit.kind: edit.text} for edit in way_out.edits]
            for way_out in (explanation.ways_out if explanation else ())
        ],
    }
