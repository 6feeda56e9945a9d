"""What a stage came to, from how its process ended and what it said. Pure."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from envbuild.history.model import Image, Part, Stage, StageResult, Status
from envbuild.nightly.calling import Called
from envbuild.report.plain import printable
from envbuild.speech import counted

TAIL = 40
"""Lines of a log that a result shows."""

_LONGEST = 400
"""Characters of a reason."""

_LOGGED = 2000
"""Characters of a line that is added to a log."""

PARTS = 400
"""Parts that a result holds: of a flood the first."""


class Judged(Struct, frozen=True, kw_only=True):
    """A result without its times, and ``lines`` that its log is to have beside what was said."""

    result: StageResult
    lines: tuple[str, ...] = ()
    image: Image | None = None


def line(text: object, longest: int = _LONGEST) -> str:
    """A text of somebody else as one short line that can be printed."""
    shown = printable(" ".join(str(text).split()))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def logged(text: object) -> str:
    """A text of somebody else as one line of a log."""
    return printable(str(text))[:_LOGGED]


def unfinished(stage: Stage, called: Called, *, over: bool) -> StageResult | None:
    """The result of a stage whose process did not come to an end of its own; None where it did.

    ``over``: that it was ended is because the time of the night was.
    """
    took = f"after {called.seconds:.0f} s"
    if called.timed_out and over:
        return result(stage, "not-run", f"the night's time was over while it ran ({took})")
    if called.timed_out:
        return result(stage, "fail", f"it did not end by itself, and was ended {took}")
    if called.code < 0:
        name = signal.Signals(-called.code).name if -called.code in _SIGNALS else f"{-called.code}"
        memory = ": the machine may be out of memory" if name == "SIGKILL" else ""
        return result(stage, "fail", f"it was ended by {name} {took}{memory}")
    if called.code == 4:  # a bug of ours, as its last line says
        return failed(stage, called, "it failed unexpectedly")
    return None


_SIGNALS = frozenset(int(one) for one in signal.Signals)


def result(stage: Stage, status: Status, reason: str, **more: Any) -> StageResult:  # noqa: ANN401
    """A result with a reason that can be printed."""
    return StageResult(stage=stage, status=status, reason=line(reason), **more)


def failed(stage: Stage, called: Called, otherwise: str, **more: Any) -> StageResult:  # noqa: ANN401
    """A failure whose reason is the error that was said, else ``otherwise``."""
    reason, hint = said(called.tail)
    more.setdefault("hint", line(hint))
    return result(stage, "fail", reason or f"{otherwise} (exit status {called.code})", **more)


def said(tail: Sequence[str]) -> tuple[str, str]:
    """The first error that was said, and the hint below it; empty where there is none. What comes
    behind the first one mostly sums up."""
    for number, one in enumerate(tail):
        before, found, text = one.partition("error: ")
        if found and (not before or before.endswith(": ")):
            hints = (line.strip() for line in tail[number + 1 :])
            hint = next((line for line in hints if line.startswith("hint: ")), "")
            return f"{before}{text}", hint.removeprefix("hint: ")
    return "", ""


# --- Rules ---------------------------------------------------------------------------------------

_OF_SEVERITY: dict[str, Status] = {"error": "fail", "warning": "warn", "note": "pass"}


def rules(stage: Stage, called: Called, *, strict: bool) -> Judged:
    """What ``check`` says: of the profile and its lock, or of its wheels too (``audit``)."""
    data = called.data
    if called.code not in (0, 1) or not isinstance(data, dict):
        return Judged(result=failed(stage, called, "it could not be checked"))
    found = [one for one in rows_of(data.get("findings")) if one.get("waived") is None]
    parts = [_finding(one, strict=strict) for one in found]
    open_ends = _unpinned(data.get("unpinned")) if stage == "check" else ()
    parts += [Part(name="unpinned", status="warn", reason=one) for one in open_ends]
    status = "fail" if called.code else worst(parts)
    first = next((one for one in parts if one.status == status and status != "pass"), None)
    reason = f"{first.name}: {first.reason}" if first else _nothing(parts)
    rest = sum(one.status in ("fail", "warn") for one in parts) - 1
    reason += f" (and {rest} more)" if first and rest > 0 else ""
    shown = result(stage, status, reason, parts=tuple(parts[:PARTS]), hint=_fix(found, first))
    return Judged(result=shown, lines=tuple(_told(found)))


def worst(parts: Iterable[Part]) -> Status:
    """The gravest state of some parts of which each was looked at."""
    there = {one.status for one in parts}
    return "fail" if "fail" in there else "warn" if "warn" in there else "pass"


def _nothing(parts: Sequence[Part]) -> str:
    return counted(len(parts), "note") if parts else "nothing found"


def _finding(one: dict[str, Any], *, strict: bool) -> Part:
    status = _OF_SEVERITY.get(str(one.get("severity")), "warn")
    mark = one.get("mark")
    place = f"{mark.get('file')}:{mark.get('line')}" if isinstance(mark, dict) else ""
    return Part(
        name=line(one.get("rule", "")),
        status="fail" if strict and status == "warn" else status,
        reason=line(one.get("message", "")),
        place=line(place),
    )


def _unpinned(data: object) -> list[str]:
    """What a lock leaves open, in a line each."""
    if not isinstance(data, dict):
        return []
    variants = [(name, rows) for one in data.values() for name, rows in dict(one).items()]
    return [
        line(f"{variant}: {row.get('what', '')}: {row.get('why', '')}")
        for variant, rows in variants
        for row in rows_of(rows)
    ]


def _fix(found: Sequence[dict[str, Any]], first: Part | None) -> str:
    fixes = (one.get("fixes") for one in found if first and one.get("rule") == first.name)
    return line(next((one[0] for one in fixes if isinstance(one, list) and one), ""))


def _told(found: Iterable[dict[str, Any]]) -> Iterable[str]:
    for one in found:
        yield logged(f"{one.get('severity')} [{one.get('rule')}] {one.get('message')}")
        yield logged(f"  {one.get('why', '')}")
        fixes = one.get("fixes")
        if isinstance(fixes, list):
            yield from (logged(f"  fix: {fix}") for fix in fixes)


def rows_of(data: object) -> list[dict[str, Any]]:
    """The objects of a list in JSON; nothing where it is none."""
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


# --- Locks and Dockerfiles -----------------------------------------------------------------------


def lock(called: Called, profile: str) -> Judged:
    """What ``lock`` says; the reason of a lock that was made is for who knows the old one."""
    row = next((one for one in rows_of(called.data) if one.get("profile") == profile), {})
    parts = tuple(map(_variant, rows_of(row.get("variants"))))
    if called.code == 0 and row.get("status") in ("written", "unchanged"):
        return Judged(result=result("lock", "pass", "locked", parts=parts))
    problems = row.get("problems")
    if isinstance(problems, list) and problems:
        hint = said(called.tail)[1]
        shown = result("lock", "fail", str(problems[0]), parts=parts, hint=line(hint))
        return Judged(result=shown, lines=tuple(map(logged, problems)))
    return Judged(result=failed("lock", called, "it could not be locked", parts=parts))


def _variant(row: dict[str, Any]) -> Part:
    outcome = row.get("outcome")
    kind = outcome.get("kind") if isinstance(outcome, dict) else None
    text = str(outcome.get("text") or "") if isinstance(outcome, dict) else ""
    seconds = row.get("seconds")
    return Part(
        name=line(row.get("variant", "")),
        status="fail" if kind else "pass",
        reason=line(f"{kind}: {text}" if kind else row.get("reason", "")),
        seconds=float(seconds) if isinstance(seconds, (int, float)) else 0.0,
    )


def lock_check(called: Called) -> Judged:
    """What ``lock --check`` says of the committed lock."""
    if called.code == 0:
        return Judged(result=result("lock", "pass", "the committed lock is fresh"))
    return Judged(result=failed("lock", called, "the committed lock is not fresh"))


def render(called: Called) -> Judged:
    """What ``render`` says."""
    rows = rows_of(called.data)
    states = {str(one.get("status")) for one in rows}
    if called.code or not rows or states - {"written", "unchanged"}:
        return Judged(result=failed("render", called, "it could not be rendered"))
    reason = "as before" if states == {"unchanged"} else "written"
    return Judged(result=result("render", "pass", reason))


def timed(result: StageResult, *, began: float, seconds: float, key: str) -> StageResult:
    """A result with its times, and what it depends on."""
    return msgspec.structs.replace(result, began=began, seconds=round(seconds, 3), key=key)
