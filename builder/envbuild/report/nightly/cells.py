"""One stage as a cell of the grid, with everything that opens from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from envbuild.history.model import Part, StageResult, Status
from envbuild.report.nightly.bounds import Bounds, fitting, weight
from envbuild.report.nightly.model import SAID, Cell, Known, Shown, ShownPart
from envbuild.report.nightly.words import duration, rough, short, size
from envbuild.speech import counted

_LOG = re.compile(r"logs/[A-Za-z0-9][A-Za-z0-9._-]*")
_GRAVEST_FIRST: tuple[Status, ...] = ("fail", "warn", "not-run", "pass")
_LINE = 240
_DIAGNOSES = 4
_MARKUP = 90
"""Bytes of markup around one part."""


class Frame(Struct, frozen=True, kw_only=True):
    """What all cells of a page share: addresses of logs by digest, dates of nights by id, how much
    there is room for, and what all stages of the night took together."""

    logs: Mapping[str, str]
    dates: Mapping[str, str]
    bounds: Bounds = Bounds()
    seconds: float = 0.0


def cell(result: StageResult, frame: Frame, *, where: str, anchor: str) -> Cell:
    """A stage that was asked for. ``where`` is the profile, and the variant where it has one."""
    took = duration(result.seconds) if result.seconds > 0 and not result.carried else ""
    carried = _carried(result, frame)
    said = SAID[result.status]
    return Cell(
        stage=result.stage,
        mark=result.status,
        brief=_brief(result),
        label=f"{_brief(result)}: {result.stage} of {where}, {said}",
        title=f"{result.stage} {said}",
        anchor=anchor,
        took=took,
        carried=carried,
        reason=short(result.reason, frame.bounds.text),
        hint=short(result.hint, frame.bounds.text),
        known=tuple(
            Known(id=short(one.id, 80), title=short(one.title, 200), fix=short(one.fix, 600))
            for one in result.diagnosis[:_DIAGNOSES]
        ),
        groups=_groups(result.parts, frame.bounds.parts),
        tail=_tail(result, frame.bounds.tail),
        log=_address(frame.logs.get(result.log, "")) if result.log else "",
        log_size=size(result.log_size) if result.log_size > 0 else "",
    )


def nothing(stage: str, *, where: str) -> Cell:
    """The cell of a stage that nobody asked for."""
    return Cell(stage=stage, mark="none", brief="", label=f"{stage} of {where}: not asked for")


def _brief(result: StageResult) -> str:
    if result.status == "pass":
        return "carried" if result.carried else rough(result.seconds) or "passed"
    return {"warn": "warned", "fail": "failed", "not-run": "not run"}[result.status]


def _carried(result: StageResult, frame: Frame) -> str:
    """From which night a result is, where it was not run again."""
    if not result.carried:
        return ""
    when = frame.dates.get(result.carried)
    return f"{when} (night {short(result.carried, 80)})" if when else short(result.carried, 80)


def _groups(parts: Sequence[Part], room: int) -> tuple[Shown, ...]:
    """The parts by status, the gravest first; what has no room is counted."""
    found = []
    for status in _GRAVEST_FIRST:
        of_status = [_part(part) for part in parts if part.status == status]
        if not of_status:
            continue
        # What went well needs one line each at most: it never takes the room of what did not.
        kept = of_status[: fitting(of_status, room, _cost)]
        room -= sum(map(_cost, kept))
        left = len(of_status) - len(kept)
        said = f"{SAID[status].capitalize()}: {len(of_status)}"
        found.append(Shown(status=status, said=said, parts=tuple(kept), left=left))
    return tuple(found)


def _part(part: Part) -> ShownPart:
    slow = part.seconds >= 1.0
    return ShownPart(
        name=short(part.name, 120),
        reason="" if part.status == "pass" else short(part.reason),
        place=short(part.place, 160),
        took=duration(part.seconds) if slow else "",
    )


def _cost(part: ShownPart) -> int:
    return _MARKUP + weight(part.name, part.reason, part.place, part.took)


def _tail(result: StageResult, room: int) -> tuple[str, ...]:
    """The last lines of what did not pass; of what did, the log tells enough."""
    if result.status == "pass":
        return ()
    newest = [_line(line) for line in reversed(result.tail)]
    kept = newest[: fitting(newest, room, lambda line: 1 + weight(line))]
    left = len(newest) - len(kept)
    cut = [f"… {counted(left, 'line')} more before these …"] if left else []
    return (*cut, *reversed(kept))


def _line(text: str) -> str:
    """A line with its indent: a traceback reads by it."""
    indent = len(text) - len(text.lstrip(" "))
    return " " * min(indent, 40) + short(text, _LINE)


def _address(href: str) -> str:
    """An address of a log beside the page; empty for any other."""
    return href if _LOG.fullmatch(href) else ""
