"""What a command speaks through: data on stdout, talk on stderr, clear without colour."""

from __future__ import annotations

import sys
from typing import Literal

import click
import msgspec

from envbuild.errors import Problem
from envbuild.plan import Plan, Step

_STYLES = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "hint": {"fg": "cyan"},
    "good": {"fg": "green"},
    "dim": {"dim": True},
}


class Console:
    """Speaks to one user. ``volume``: -1 quiet, 0 usual, 1 verbose."""

    def __init__(self, *, volume: int, color: bool) -> None:
        self.volume = volume
        self.color = color

    def data(self, text: str) -> None:
        """What was asked for, on stdout."""
        click.echo(text, color=self.color)

    def json(self, value: object) -> None:
        """A value as JSON on stdout."""
        data = msgspec.json.format(msgspec.json.encode(value), indent=2)
        click.echo(data.decode())

    def say(self, text: str, *, style: str = "") -> None:
        """Talk on stderr; silent with ``--quiet``."""
        if self.volume >= 0:
            click.echo(self.styled(text, style), err=True, color=self.color)

    def detail(self, text: str) -> None:
        """Talk that only ``--verbose`` shows."""
        if self.volume > 0:
            click.echo(self.styled(text, "dim"), err=True, color=self.color)

    def fail(self, text: str, *, kind: Literal["error", "warning"] = "error") -> None:
        """A line that is shown even with ``--quiet``."""
        click.echo(f"{self.styled(kind, kind)}: {text}", err=True, color=self.color)

    def hint(self, text: str | None) -> None:
        """How to go on, after an error."""
        if text:
            click.echo(f"  {self.styled('hint', 'hint')}: {text}", err=True, color=self.color)

    def problem(self, problem: Problem, *, kind: Literal["error", "warning"] = "error") -> None:
        """One problem with its place and its hint."""
        place = f"{problem.mark}: " if problem.mark else ""
        label = self.styled(kind, kind)
        click.echo(f"{place}{label}: {problem.message}", err=True, color=self.color)
        self.hint(problem.hint)

    def plan(self, steps: Plan) -> None:
        """A plan as lines on stdout."""
        width = max((len(step.target) for step in steps), default=0)
        for step in steps:
            self.data(f"{step.action:<4} {step.kind} {step.target:<{width}}  {step.reason}")

    def step(self, step: Step, outcome: str, seconds: float) -> None:
        """One step that was done."""
        self.say(f"{step.kind} {step.target}: {outcome} ({seconds:.1f} s)")

    def styled(self, text: str, style: str) -> str:
        """The text with a style, where colour is on."""
        return click.style(text, **_STYLES[style]) if self.color and style else text  # type: ignore[arg-type]


def wants_color(choice: str, environ: dict[str, str]) -> bool:
    """Whether to use colour: the option, then NO_COLOR and FORCE_COLOR, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or sys.stderr.isatty()
