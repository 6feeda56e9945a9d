"""A report in lines for a terminal or a log. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from envbuild.smoke.model import Cause, CheckResult, SmokeReport, Verdict
from envbuild.speech import wrapped

_TRACEBACK = 12
"""Lines of a check that are shown."""

_STACKS = 80
"""Lines of the threads of a test that had to be ended."""

_WORDS: dict[Verdict, str] = {
    "pass": "pass   ",
    "warn": "warn   ",
    "fail": "FAIL   ",
    "not-run": "not run",
}


def lines(report: SmokeReport) -> Iterator[tuple[str, Verdict | None]]:
    """The lines of a report, one a check, each with the verdict that it is about; None: neither.

    Checks of a test that was not run stand on one line, since one reason holds for all.
    """
    yield f"{report.profile} {report.variant}: {report.image} ({report.engine})", None
    for group in _groups(report.checks):
        first = group[0]
        name = f"{first.test}/*" if len(group) > 1 else first.id
        seconds = f" ({first.seconds:.1f} s)" if first.seconds >= 0.1 else ""
        reason = f": {first.reason}" if first.reason else ""
        count = f" ({len(group)} checks)" if len(group) > 1 else ""
        named = f" [{first.diagnosis}]" if first.diagnosis else ""
        text = f"  {_WORDS[first.verdict]} {name}{named}{reason}{count}{seconds}"
        yield text, first.verdict
        if first.verdict in ("fail", "warn"):
            yield from ((f"            | {line}", None) for line in _shown(first))
    for number, cause in enumerate(report.causes, 1):
        yield "", None
        yield from ((line, None) for line in _cause(number, cause))


def summary(report: SmokeReport) -> str:
    """One line: how many checks have which verdict."""
    parts = [f"{report.count('pass')} passed"]
    parts += [f"{report.count('fail')} failed"] if report.count("fail") else []
    parts += [f"{report.count('warn')} warn"] if report.count("warn") else []
    parts += [f"{report.count('not-run')} not run"] if report.count("not-run") else []
    return f"{report.profile} {report.variant}: {', '.join(parts)} ({report.seconds:.1f} s)"


def as_data(report: SmokeReport) -> dict[str, Any]:
    """The report for ``--json``: each check has its ``id`` too."""
    data: dict[str, Any] = msgspec.to_builtins(report)
    for row, check in zip(data["checks"], report.checks, strict=True):
        row["id"] = check.id
    return {**data, "ok": report.ok}


def _shown(check: CheckResult) -> tuple[str, ...]:
    """The lines of a check, as many as can be read: a traceback's last ones say most."""
    if check.lines == (check.reason,):
        return ()
    first = check.name in ("verdict", "close")
    most = _STACKS if first else _TRACEBACK
    if len(check.lines) <= most:
        return check.lines
    left_out = f"… {len(check.lines) - most} more lines (--json)"
    return (*check.lines[:most], left_out) if first else (left_out, *check.lines[-most:])


def _groups(checks: tuple[CheckResult, ...]) -> Iterator[list[CheckResult]]:
    group: list[CheckResult] = []
    for one in checks:
        alike = group and group[0].verdict == one.verdict == "not-run"
        if alike and (group[0].test, group[0].reason) == (one.test, one.reason):
            group.append(one)
            continue
        if group:
            yield group
        group = [one]
    if group:
        yield group


def _cause(number: int, cause: Cause) -> Iterator[str]:
    yield wrapped(f"{number}. ", f"{cause.id}: {cause.title}")
    yield wrapped("   cause: ", cause.cause)
    for text in cause.proves:
        yield wrapped("   proves: ", text)
    yield wrapped(f"   fix for {cause.fix_for}: " if cause.fix_for else "   fix: ", cause.fix)
    yield wrapped("   explains: ", ", ".join(cause.checks))
    if cause.also:
        yield wrapped("   shows as: ", ", ".join(cause.also))
    for line in cause.lines:
        yield f"     | {line}"
