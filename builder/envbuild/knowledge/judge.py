"""Rules held against worlds: what may not meet, said once, with its place and its source. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.errors import Mark, Problem
from envbuild.knowledge import matching, terms
from envbuild.knowledge.conditions import Severity
from envbuild.knowledge.finding import Found
from envbuild.knowledge.rulebook import AUDITED, WAIVER_IDLE, WAIVER_UNKNOWN

if TYPE_CHECKING:
    from envbuild.knowledge.rulebook import Ready, Rulebook
    from envbuild.knowledge.world import World
    from envbuild.profile.model import Waiver
    from envbuild.profile.resolved import KeyPath

_NAME = re.compile(r"\{([A-Za-z0-9.-]+)\}")
_WORST: tuple[Severity, ...] = ("error", "warning", "note")


class Finding(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What a rule says of a profile.

    ``variants`` are those that it is true of, ``mark`` the line of the profile that it concerns,
    ``fixes`` ways out of it, any one of which will do. ``waived`` is the reason why the profile
    sets it aside, None where it does not.
    """

    rule: str
    severity: Severity
    profile: str
    variants: tuple[str, ...]
    mark: Mark | None
    message: str
    why: str
    fixes: tuple[str, ...]
    source: str
    waived: str | None = None


def _nothing(_: World) -> Iterable[Finding]:
    return ()


def judge(
    worlds: Iterable[World],
    book: Rulebook,
    *,
    beside: Callable[[World], Iterable[Finding]] = _nothing,
) -> tuple[Finding, ...]:
    """Everything that the rules say of some worlds: by profile, then by place, the worst first.

    What is true of several variants of a profile is said once. ``beside`` gives what else was found
    of a world, which a profile waives in the same way.
    """
    by_profile: dict[str, list[World]] = {}
    for world in worlds:
        by_profile.setdefault(world.profile, []).append(world)
    return tuple(found for own in by_profile.values() for found in _of_profile(own, book, beside))


def _of_profile(
    worlds: list[World], book: Rulebook, beside: Callable[[World], Iterable[Finding]]
) -> list[Finding]:
    merged: dict[tuple[str, Mark | None, str], Finding] = {}
    used: set[Mark | None] = set()
    idle: dict[Mark | None, tuple[Waiver, World]] = {}
    for world in worlds:
        waivers = _waivers(world)
        for found in (*_of_world(world, book), *beside(world)):
            mark, waiver = waivers.get(found.rule, (None, None))
            if waiver is None:
                _add(merged, found)
            else:
                used.add(mark)
                _add(merged, _with(found, waived=waiver.reason))
        for mark, waiver in waivers.values():
            if waiver.rule in AUDITED:
                continue  # whether it waives something is known where all wheels were read
            if waiver.rule not in book.rules:
                _add(merged, _unknown(world, mark, waiver, book))
            elif not (
                world.locked is None and matching.of_a_lock(book.rules[waiver.rule].rule.when)
            ):
                idle[mark] = (waiver, world)
    for mark, (waiver, world) in idle.items():
        if mark not in used and _own(world, mark):
            _add(merged, _idle(world, mark, waiver))
    return sorted(merged.values(), key=_order)


def _add(merged: dict[tuple[str, Mark | None, str], Finding], found: Finding) -> None:
    key = (found.rule, found.mark, found.message)
    before = merged.get(key)
    if before is None:
        merged[key] = found
    elif not set(found.variants) <= set(before.variants):
        merged[key] = _with(before, variants=(*before.variants, *found.variants))


def _with(found: Finding, **changes: object) -> Finding:
    values = {name: getattr(found, name) for name in found.__struct_fields__}
    return Finding(**(values | changes))


def _order(found: Finding) -> tuple[int, str, int, int, str]:
    mark = found.mark or Mark("", 0, 0)
    return (_WORST.index(found.severity), mark.file, mark.line, mark.column, found.rule)


def _of_world(world: World, book: Rulebook) -> list[Finding]:
    said: list[Finding] = []
    covered: set[tuple[str, Mark | None]] = set()
    for ready in book.rules.values():
        for found in ready.test(world, Found()):
            one = _finding(world, ready, found)
            said.append(one)
            covered |= {(name, one.mark) for name in ready.rule.covers}
    return [one for one in said if (one.rule, one.mark) not in covered]


def _finding(world: World, ready: Ready, found: Found) -> Finding:
    rule = ready.rule

    def said(text: str) -> str:
        return _filled(text, found.values, world)

    return Finding(
        rule=rule.id,
        severity=rule.severity,
        profile=world.profile,
        variants=(world.variant.name,),
        mark=_mark(world, found.at or ready.at),
        message=said(rule.message),
        why=said(rule.why),
        fixes=tuple(said(text) for text in rule.fix),
        source=f"{rule.evidence.source} ({rule.evidence.confidence} {rule.evidence.date})",
    )


def _filled(text: str, values: Mapping[str, str], world: World) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in values:
            return values[name]
        known = terms.value(name, world)
        if known is None:
            return "(not known)"
        return known if isinstance(known, str) else ", ".join(known)

    return _NAME.sub(value, text)


def _mark(world: World, path: KeyPath | None) -> Mark | None:
    """The place of a key, or of what it stands in; of the whole profile, its name."""
    marks = world.variant.marks
    while path and path not in marks:
        path = path[:-1]
    return marks.get(path or ("name",)) or marks.get(())


# --- Waivers -------------------------------------------------------------------------------------


def _waivers(world: World) -> dict[str, tuple[Mark | None, Waiver]]:
    listed = enumerate(world.environment.waive)
    return {row.rule: (_mark(world, ("waive", index, "rule")), row) for index, row in listed}


def _own(world: World, mark: Mark | None) -> bool:
    """Whether a waiver stands in the profile's own file: an inherited one need not fit."""
    own = _mark(world, ("name",))
    return mark is None or own is None or mark.file == own.file


def _unknown(world: World, mark: Mark | None, waiver: Waiver, book: Rulebook) -> Finding:
    near = get_close_matches(waiver.rule, book.rules, n=1)
    return Finding(
        rule=WAIVER_UNKNOWN,
        severity="warning",
        profile=world.profile,
        variants=(world.variant.name,),
        mark=mark,
        message=f"no rule is called {waiver.rule!r}",
        why="a waiver of a rule that does not exist waives nothing",
        fixes=(f"did you mean {near[0]}?" if near else "remove the waiver",),
        source="the profile",
    )


def _idle(world: World, mark: Mark | None, waiver: Waiver) -> Finding:
    return Finding(
        rule=WAIVER_IDLE,
        severity="warning",
        profile=world.profile,
        variants=(world.variant.name,),
        mark=mark,
        message=f"the waiver of {waiver.rule!r} waives nothing",
        why="the rule has nothing against this profile; a waiver that stays hides what comes later",
        fixes=("remove the waiver",),
        source="the profile",
    )


def as_problem(found: Finding) -> Problem:
    """A finding as other problems are shown: its rule in brackets, the ways out as the hint."""
    message = f"{found.message} [{found.rule}]"
    return Problem(message=message, mark=found.mark, hint=", or: ".join(found.fixes))


def unwaived(findings: Iterable[Finding], severity: Severity) -> Iterator[Finding]:
    """The findings of a severity that the profile does not waive."""
    return (one for one in findings if one.severity == severity and one.waived is None)
