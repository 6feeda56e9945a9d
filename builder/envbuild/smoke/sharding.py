"""Tests that several machines share, and their results made one report again. Pure.

What is shared are the tests of every image, and its static stage. Each machine says of what it does
not run in which part it is; so a report of one part names the checks of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.plan import Shard
from envbuild.smoke import asking, planning
from envbuild.smoke.asking import Job
from envbuild.smoke.model import Cause, CheckResult, SmokeReport, Verdict

_IN = re.compile(r"in shard (\d+/\d+)")

_RANKS: Mapping[Verdict, int] = {"not-run": 1, "pass": 2, "warn": 3, "fail": 4}
"""What counts of a check that several parts made: of the image as a whole, the worst."""


def divided(jobs: Iterable[Job], part: Shard) -> list[Job]:
    """The jobs, each with what is not in this part of it marked as run elsewhere.

    Raises:
        InputError: there is nothing to test, or no test of a name that was asked for.
    """
    listed = list(jobs)
    units = {
        f"{job.target.name} {unit}": (at, unit)
        for at, job in enumerate(listed)
        for unit in planning.units(asking.question(job))
    }
    elsewhere: dict[int, dict[str, str]] = {at: {} for at in range(len(listed))}
    for index in range(1, part.count + 1):
        other = Shard(index=index, count=part.count)
        for name in other.of(units) if index != part.index else ():
            at, unit = units[name]
            elsewhere[at][unit] = f"in shard {other}"
    return [_marked(job, elsewhere[at], part) for at, job in enumerate(listed)]


def _marked(job: Job, elsewhere: Mapping[str, str], part: Shard) -> Job:
    options = msgspec.structs.replace(
        job.wishes.options, elsewhere=tuple(sorted(elsewhere.items()))
    )
    wishes = msgspec.structs.replace(job.wishes, options=options)
    return msgspec.structs.replace(job, wishes=wishes, shard=part)


# --- One report of all parts ----------------------------------------------------------------------


class Part(Struct, frozen=True, kw_only=True):
    """What one machine said; ``label`` is its file."""

    label: str
    reports: tuple[SmokeReport, ...]

    @property
    def shard(self) -> str:
        """Which part it is (``2/3``); empty for a run of everything."""
        return self.reports[0].shard if self.reports else ""


class Merged(Struct, frozen=True, kw_only=True):
    """One report an image; ``missing`` are the parts without a result."""

    reports: tuple[SmokeReport, ...]
    missing: tuple[str, ...]


def merged(parts: Sequence[Part], *, broken: Sequence[str] = ()) -> Merged:
    """The parts as one; ``broken`` says of files why nothing can be read from them.

    A check has the verdict of the part that ran it. Those of a part without a result are not run.

    Raises:
        InputError: they are not parts of one run: of other images, locks or tests, of another
            count, or one of them twice.
    """
    if not parts:
        raise InputError("there is no result to merge", hint="envbuild smoke --shard 1/3 --json")
    _refuse_foreign(parts)
    count = parts[0].shard.partition("/")[2]
    present = {one.shard for one in parts}
    missing = tuple(
        name for at in range(1, int(count) + 1) if (name := f"{at}/{count}") not in present
    )
    why = f": {'; '.join(broken)}" if broken else ""
    gone = {name: f"shard {name} has no result{why}" for name in missing}
    reports = tuple(
        _one([part.reports[at] for part in parts], gone) for at in range(len(parts[0].reports))
    )
    return Merged(reports=reports, missing=missing)


def _refuse_foreign(parts: Sequence[Part]) -> None:
    first = parts[0]
    seen: dict[str, str] = {}
    for one in parts:
        if not one.shard:
            raise InputError(
                f"{one.label} is no part: it was made without --shard",
                hint="envbuild smoke --shard I/N --json makes one",
            )
        other = seen.setdefault(one.shard, one.label)
        if other != one.label:
            raise InputError(
                f"{other} and {one.label} are both shard {one.shard}", hint="leave one of them out"
            )
        if one.shard.partition("/")[2] != first.shard.partition("/")[2]:
            raise InputError(
                f"{first.label} is shard {first.shard}, and {one.label} shard {one.shard}",
                hint="merge the parts of one run",
            )
        _refuse_other(first, one)


def _refuse_other(first: Part, one: Part) -> None:
    """Refuse a part that is of other images than the first.

    Raises:
        InputError: with what differs.
    """
    named = [[f"{r.profile}/{r.variant}" for r in part.reports] for part in (first, one)]
    if named[0] != named[1]:
        raise InputError(
            f"{first.label} is of {', '.join(named[0])}, and {one.label} of {', '.join(named[1])}",
            hint="name the same profiles for every shard",
        )
    for left, right in zip(first.reports, one.reports, strict=True):
        for what, kind in (("lock", "lock"), ("content", "image")):
            if getattr(left, what) != getattr(right, what):
                raise InputError(
                    f"{left.profile}/{left.variant}: {first.label} is of another {kind} than"
                    f" {one.label}",
                    hint="run all shards on the same: push the image once, and pull it everywhere",
                )
        if [check.id for check in left.checks] != [check.id for check in right.checks]:
            raise InputError(
                f"{left.profile}/{left.variant}: {first.label} has other checks than {one.label}",
                hint="run all shards of the same profile, by the same envbuild",
            )


def _one(reports: Sequence[SmokeReport], gone: Mapping[str, str]) -> SmokeReport:
    first = reports[0]
    rows = zip(*(report.checks for report in reports), strict=True)
    return msgspec.structs.replace(
        first,
        checks=tuple(_check(row, gone) for row in rows),
        causes=_causes(reports),
        missing=tuple(dict.fromkeys(need for report in reports for need in report.missing)),
        engine=", ".join(dict.fromkeys(report.engine for report in reports)),
        python=next((report.python for report in reports if report.python), ""),
        seconds=max(report.seconds for report in reports),
        folder="",
        shard="",
        lost=tuple(gone),
    )


def _check(row: Sequence[CheckResult], gone: Mapping[str, str]) -> CheckResult:
    """The verdict of the part that made a check."""
    own = max(row, key=_weight)
    place = _elsewhere(own)
    return msgspec.structs.replace(own, reason=gone[place]) if place in gone else own


def _weight(check: CheckResult) -> int:
    return 0 if _elsewhere(check) else _RANKS[check.verdict]


def _elsewhere(check: CheckResult) -> str:
    """The part that a check is in, where it is another; else empty."""
    match = _IN.fullmatch(check.reason) if check.verdict == "not-run" else None
    return match[1] if match else ""


def _causes(reports: Sequence[SmokeReport]) -> tuple[Cause, ...]:
    """Every cause once, with the checks that it explains in any part."""
    found: dict[str, Cause] = {}
    for cause in (one for report in reports for one in report.causes):
        known = found.setdefault(cause.id, cause)
        checks = tuple(dict.fromkeys((*known.checks, *cause.checks)))
        found[cause.id] = msgspec.structs.replace(known, checks=checks)
    return tuple(found.values())
