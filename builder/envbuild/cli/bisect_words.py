"""What is said of a refusal, on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envbuild.cli import lock_report
from envbuild.lock.working import Refusal
from envbuild.report import plain
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.lock.working import Done

_LONGEST = 300
"""Characters of a reason that are shown."""


def line(text: str) -> str:
    """A text on one line, masked, cut where it is too long."""
    shown = plain.printable(proc.masked(" ".join(text.split())))
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def refusal(done: Done) -> str:
    """Why a resolver refused."""
    result = done.result
    assert isinstance(result, Refusal)  # the caller looked
    problems = [str(problem) for problem in result.problems]
    said = lock_report.report(done.job.step.target, result, index="your index").text
    return line("; ".join(problems) or said)
