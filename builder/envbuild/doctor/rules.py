"""The rules of :mod:`envbuild.knowledge` asked of an environment that exists.

A rule is made for profiles. Here it is asked of a profile that installs exactly what a launcher
finds: every package in one version, against whatever others ask for. Two kinds of rules have no
answer then, and are left out, or an alternative of theirs is, by what they ask:

- those that ask how a profile is written: its variables, its entrypoint, its contracts, how its
  packages are built or bounded (:data:`_ANSWERED` are the questions that files answer);
- those that hold a package against one that is not there: what is missing has no version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding
from envbuild.doctor.worlds import Asked, product, worlds
from envbuild.knowledge import facts, judge, matching, rulebook, terms
from envbuild.knowledge.conditions import Condition
from envbuild.knowledge.ranges import wanted
from envbuild.knowledge.rulebook import Ready, Rulebook
from envbuild.scan.model import Distribution, Product

_ANSWERED = frozenset(
    {
        "isaac_sim",
        "isaac_lab",
        "gr00t",
        "simulator",
        "python",
        "architecture",
        "git",
        "requires",
        "pulls",
        "bounded",
        "locked",
        "overridden",
        "conda",
        "barred",
        "companion",
        "known",
        "compare",
    }
)
"""The questions of a condition that what is installed answers."""

_UNWRITTEN = frozenset({"driver-min", "driver-below", "image", "cuda", "image-torch-cuda"})
"""The values of a world that only a profile states."""

_OF_RELEASES = {"python": "isaac-sim.python", "isaac-sim": "isaac-lab.isaac-sim"}
"""The comparisons of what is there with what a release is made for."""


def findings(case: Case) -> tuple[Finding, ...]:
    """What the rules say, once for all launchers; the copies concerned are in ``where``."""
    said: dict[tuple[str, str], Finding] = {}
    for asked in worlds(case.scan):
        book = Rulebook(rules=dict(_fitting(rulebook.shipped(), asked)))
        for found in judge.judge([asked.world], book):
            one = _finding(found, asked, book.rules[found.rule])
            said.setdefault((one.id, one.what), one)
    return tuple(said.values())


def _finding(found: judge.Finding, asked: Asked, ready: Ready) -> Finding:
    compared = ready.rule.when.compare
    of_release = compared is not None and _OF_RELEASES.get(compared.value) == compared.than
    where = found.mark.file if found.mark else asked.order.path
    named = [one for one in asked.copies.values() if (one.metadata or one.package) == where]
    products = [one.path for one in _products(asked)] if of_release else []
    return Finding(
        id="release-mismatch" if of_release else found.rule,
        severity=found.severity,
        what=found.message,
        where=tuple(dict.fromkeys((where, *products))),
        why=found.why,
        sure="proven" if ready.rule.evidence.confidence == "read" else "heuristic",
        hits=tuple(f"{one.name} {one.version}" for one in named),
        repair=_in_environments(asked, found, compared.value)
        if compared and of_release
        else found.fixes,
        source=found.source,
    )


# --- Which rules are asked -----------------------------------------------------------------------


def _fitting(book: Rulebook, asked: Asked) -> Iterator[tuple[str, Ready]]:
    for name, ready in book.rules.items():
        left = askable(ready.rule.when, asked.copies)
        if left is not None:
            yield name, msgspec.structs.replace(ready, test=matching.prepared(left))


def askable(condition: Condition, copies: Mapping[str, Distribution]) -> Condition | None:
    """What is left of a condition without the alternatives that files do not answer; None where
    nothing can come of it."""
    denied = condition.not_
    if not _is_answered(condition) or (denied and not _is_deniable(denied, copies)):
        return None
    needed = [askable(part, copies) for part in condition.all_]
    choices = [part for part in (askable(one, copies) for one in condition.any_) if part]
    if None in needed or (condition.any_ and not choices):
        return None
    return msgspec.structs.replace(
        condition, all_=tuple(part for part in needed if part), any_=tuple(choices)
    )


def _is_answered(condition: Condition) -> bool:
    """Whether files answer what a condition itself asks."""
    terms = set(condition.known)
    if condition.compare:
        terms |= {condition.compare.value, condition.compare.than}
    return set(matching.asked(condition)) <= _ANSWERED and not terms & _UNWRITTEN


def _is_deniable(condition: Condition, copies: Mapping[str, Distribution]) -> bool:
    """Whether files answer all of a condition that must not hold, and every package is there that
    it speaks of."""
    wishes = (
        *condition.requires,
        *condition.pulls,
        *condition.bounded,
        *condition.locked,
        *condition.overridden,
    )
    there = not condition.conda and all(wanted(wish).name in copies for wish in wishes)
    parts = (*condition.all_, *condition.any_, *filter(None, (condition.not_,)))
    return there and _is_answered(condition) and all(_is_deniable(one, copies) for one in parts)


def _products(asked: Asked) -> Iterator[Product]:
    for kind in facts.KINDS:
        found = product(asked.scan, kind, asked.order)
        if found:
            yield found


def _in_environments(asked: Asked, found: judge.Finding, compared: str) -> tuple[str, ...]:
    """How a release gets what it is made for: another Python is another environment."""
    if compared != "python":
        return found.fixes
    wanted_python = terms.value("isaac-sim.python", asked.world)
    return (f"an environment with Python {wanted_python}, and everything installed into that",)
