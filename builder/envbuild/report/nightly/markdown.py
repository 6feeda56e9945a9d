"""A night in Markdown: for a pull request, or for ``$GITHUB_STEP_SUMMARY``. Pure.

Whatever came from a log, a lock or a name is shown as it is: it marks nothing up and mentions
nobody.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence

from envbuild.history import judging
from envbuild.history.model import (
    STAGES,
    Night,
    ProfileNight,
    StageResult,
    Status,
    VariantNight,
)
from envbuild.lock.moves import Move
from envbuild.report.nightly.forms import counts, stages
from envbuild.report.plain import code, markdown, printable
from envbuild.speech import counted

MOST = 60_000
"""Bytes. GitHub refuses a comment of more than 65,536 characters, and a summary of more than 1 MiB;
GitLab a note of more than 1,000,000 characters."""

_WORDS: dict[Status, str] = {
    "pass": "passed",
    "warn": "⚠️ warned",
    "fail": "❌ **failed**",
    "not-run": "◌ not run",
}
_ORDER: tuple[Status, ...] = ("fail", "warn", "not-run", "pass")
_RISKY = 5
_TAIL = 12
_PARTS = 10
_LONGEST = 300
"""Characters of one line of a log, or of one reason."""

_LAST_SECOND = 253402300799.0


def summary(night: Night, *, most: int = MOST) -> str:
    """The summary of a night, of at most so many bytes; it says what it leaves out."""
    rows = sorted(_rows(night), key=lambda row: _ORDER.index(row[0]))
    failures = list(_failures(night))
    head = "\n\n".join(filter(None, (_title(night), *_notes(night))))
    left = most - len(head.encode()) - 600  # what is left out must still be said
    # At least half of the room is for what failed: the table only says where to look.
    table, cut_rows = _within([row for _, row in rows], left // 2 if failures else left)
    left -= sum(map(_size, table))
    told, cut = _within(failures, left)
    left -= sum(map(_size, told))
    idle, cut_idle = _within(list(_idle(night)), left)
    parts = [head, "\n".join((*_HEADER, *table))]
    parts += [_left_out(cut_rows, "row", "the table")] if cut_rows else []
    parts += ["## What failed", *told] if told else []
    parts += [_left_out(cut, "failure", "this summary")] if cut else []
    parts += ["## What was not run", "\n".join(idle)] if idle else []
    parts += [_left_out(cut_idle, "line", "this list")] if cut_idle else []
    return "\n\n".join(parts) + "\n"


def _size(text: str) -> int:
    return len(text.encode()) + 2


def _within(texts: Sequence[str], room: int) -> tuple[list[str], int]:
    """The first texts that have room, and how many have none."""
    kept = []
    for text in texts:
        room -= _size(text)
        if room < 0:
            break
        kept.append(text)
    return kept, len(texts) - len(kept)


def _left_out(count: int, noun: str, where: str) -> str:
    return f"*{counted(count, noun)} more had no room in {where}; the report has all of them.*"


# --- The head and the table ----------------------------------------------------------------------

_HEADER = (
    f"| profile | variant | {' | '.join(STAGES)} | time |",
    f"|---|---|{'---|' * len(STAGES)}--:|",
)


def _title(night: Night) -> str:
    failed = sum(map(judging.failed, night.profiles))
    every = counted(len(night.profiles), "profile")
    said = f"{failed} of {every} failed" if failed else f"{every}, none failed"
    if not night.profiles:
        said = "no profile"
    mark = "❌" if failed else "✅" if night.profiles else "◌"
    return f"# {mark} Night {markdown(_short(night.name))}: {said}"


def _notes(night: Night) -> Iterator[str]:
    count = counts(stages(night))
    said = [
        f"{count.passed} stages passed",
        f"{count.warned} warned",
        f"{count.failed} failed",
        f"{count.not_run} not run",
    ]
    took = _took(night.ended - night.began)
    where = f" on {code(_short(night.machine))}" if night.machine else ""
    yield f"{', '.join(said)}. Began {_moment(night.began)}{where}, took {took}."
    for note in night.notes[:20]:
        yield f"> **note**: {markdown(_short(note))}"


def _rows(night: Night) -> Iterator[tuple[Status, str]]:
    for profile in sorted(night.profiles, key=lambda one: one.profile):
        for variant in profile.variants or (None,):
            own = variant.stages if variant else ()
            found = {one.stage: one for one in (*profile.stages, *own)}
            cells = [_cell(found.get(stage)) for stage in STAGES]
            name = code(_short(profile.profile))
            which = code(_short(variant.variant)) if variant else ""
            seconds = _took(sum(one.seconds for one in found.values() if not one.carried))
            row = f"| {name} | {which} | {' | '.join(cells)} | {seconds} |"
            yield judging.worst(one.status for one in found.values()), row


def _cell(one: StageResult | None) -> str:
    if one is None:
        return "not asked"
    return f"{_WORDS[one.status]} (as before)" if one.carried else _WORDS[one.status]


# --- What failed, and what was not run -----------------------------------------------------------


def _failures(night: Night) -> Iterator[str]:
    for profile in sorted(night.profiles, key=lambda one: one.profile):
        moves = list(_moves(profile))
        for variant, stage in _placed(profile):
            if stage.status == "fail":
                yield "\n".join((*_failure(profile, variant, stage), *moves, *_tail(stage)))
                moves = []  # of all stages the same


def _placed(profile: ProfileNight) -> Iterator[tuple[VariantNight | None, StageResult]]:
    yield from ((None, stage) for stage in profile.stages)
    yield from ((one, stage) for one in profile.variants for stage in one.stages)


def _failure(
    profile: ProfileNight, variant: VariantNight | None, stage: StageResult
) -> Iterator[str]:
    where = f"{profile.profile}/{variant.variant}" if variant else profile.profile
    yield f"### {code(_short(where))}: {stage.stage}"
    yield ""
    yield f"- **reason**: {markdown(_short(stage.reason)) or 'not said'}"
    if stage.hint:
        yield f"- **hint**: {markdown(_short(stage.hint))}"
    for one in stage.diagnosis:
        fix = f" Fix: {markdown(_short(one.fix))}" if one.fix else ""
        yield f"- **known as** {code(one.id)}: {markdown(_short(one.title))}.{fix}"
    broken = [part for part in stage.parts if part.status == "fail"]
    for part in broken[:_PARTS]:
        place = f" ({code(_short(part.place))})" if part.place else ""
        yield f"- {code(_short(part.name))}: {markdown(_short(part.reason)) or 'failed'}{place}"
    if broken[_PARTS:]:
        yield f"- and {len(broken) - _PARTS} more"


def _moves(profile: ProfileNight) -> Iterator[str]:
    if not profile.moves:
        return
    yield f"- **moved since the last good night** ({len(profile.moves)}, the riskiest first):"
    yield from (f"  - {_move(move)}" for move in profile.moves[:_RISKY])
    if profile.moves[_RISKY:]:
        yield f"  - and {len(profile.moves) - _RISKY} more"


def _move(move: Move) -> str:
    old, new = (code(_short(one)) or "nothing" for one in (move.old, move.new))
    why = f": {markdown(_short(move.why))}" if move.why else ""
    return f"{move.risk}: {code(_short(move.what))} {old} → {new}{why}"


def _tail(stage: StageResult) -> Iterator[str]:
    lines = [_short(line) for line in stage.tail[-_TAIL:]]
    if not lines:
        return
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from ("", f"{fence}text", *lines, fence)


def _idle(night: Night) -> Iterator[str]:
    """What was not run, what has the same reason in one line."""
    found: dict[tuple[str, str], list[str]] = {}
    for profile in sorted(night.profiles, key=lambda one: one.profile):
        for variant, stage in _placed(profile):
            if stage.status == "not-run":
                where = f"{profile.profile}/{variant.variant}" if variant else profile.profile
                found.setdefault((stage.stage, stage.reason), []).append(where)
    for (stage_, reason), places in found.items():
        said = markdown(_short(reason)) or "no reason is said"
        yield f"- {stage_} of {_listed(places)}: {said}"


def _listed(places: Iterable[str]) -> str:
    every = [code(_short(one)) for one in places]
    more = f" and {len(every) - _PARTS} more" if every[_PARTS:] else ""
    return ", ".join(every[:_PARTS]) + more


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _took(seconds: float) -> str:
    whole = round(max(seconds, 0.0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _moment(seconds: float) -> str:
    held = min(max(seconds, 0.0), _LAST_SECOND)
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(held))
