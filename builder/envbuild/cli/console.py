"""What a command speaks through: data on stdout, talk on stderr, clear without colour."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any, Literal

import click

from envbuild.errors import Mark, Problem
from envbuild.plan import Plan, Step

Style = Literal["", "error", "warning", "hint", "good", "dim"]
Kind = Literal["error", "warning"]

_STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "hint": {"fg": "cyan"},
    "good": {"fg": "green"},
    "dim": {"dim": True},
}
_SHOWN = 100
"""Characters of a source line that are shown around an error."""


class NobodyReadsError(Exception):
    """The other end of a pipe is closed: there is nobody to speak to any more."""


class Console:
    """Speaks to one user.

    ``volume``: -1 quiet, 0 usual, 1 verbose. ``color``: ``auto`` asks NO_COLOR, FORCE_COLOR and
    each stream. ``source`` gives the lines of the file that a message points at. ``unheard``: what
    is done matters also where nobody reads what is said of it.
    """

    def __init__(self, environ: Mapping[str, str], *, volume: int = 0, color: str = "auto") -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # as stderr is, so that no text fails
        self.volume = volume
        self.source: Callable[[str], list[str]] = lambda _: []
        self.unheard = False
        self._color = {
            stream: wants_color(color, environ, terminal=stream.isatty())
            for stream in (sys.stdout, sys.stderr)
        }
        self._live = sys.stderr.isatty() and environ.get("TERM") != "dumb" and volume == 0
        self._transient = False

    def data(self, text: str) -> None:
        """What was asked for, on stdout."""
        self._write(text, sys.stdout)

    def json(self, value: object) -> None:
        """A value as JSON on stdout."""
        from envbuild.report import plain  # not on the way to a check

        self.data(plain.as_json(value))

    def say(self, text: str, *, style: Style = "") -> None:
        """Talk on stderr; silent with ``--quiet``."""
        if self.volume >= 0:
            self._write(self.styled(text, style), sys.stderr)

    def detail(self, text: str) -> None:
        """Talk that only ``--verbose`` shows."""
        if self.volume > 0:
            self._write(self.styled(text, "dim"), sys.stderr)

    def live(self, text: str) -> None:
        """What is going on at this moment: one line of a terminal, gone with the next output."""
        if self._live:
            self._forget()
            click.echo(text, nl=False, err=True)
            self._transient = True

    def always(self, text: str) -> None:
        """Talk on stderr, even with ``--quiet``."""
        self._write(text, sys.stderr)

    def fail(self, text: str, *, kind: Kind = "error") -> None:
        """A line that is shown even with ``--quiet``."""
        self._write(f"{self.styled(kind, kind)}: {_printable(text)}", sys.stderr)

    def hint(self, text: str | None) -> None:
        """How to go on, after an error."""
        if text:
            self._write(f"  {self.styled('hint', 'hint')}: {_printable(text)}", sys.stderr)

    def problem(self, problem: Problem, *, kind: Kind = "error") -> None:
        """One problem with its place, the line that it points at, and its hint; a warning is
        silent with ``--quiet``."""
        if kind == "warning" and self.volume < 0:
            return
        place = f"{problem.mark}: " if problem.mark else ""
        label = self.styled(kind, kind)
        self._write(f"{place}{label}: {_printable(problem.message)}", sys.stderr)
        if problem.mark:
            for line in _pointed(problem.mark, self.source(problem.mark.file)):
                self._write(self.styled(line, "dim"), sys.stderr)
        self.hint(problem.hint)

    def plan(self, steps: Plan) -> None:
        """A plan as lines on stdout."""
        width = max((len(step.target) for step in steps), default=0)
        for step in steps:
            self.data(f"{step.action:<4} {step.kind} {step.target:<{width}}  {step.reason}")

    def step(self, step: Step, outcome: str, seconds: float) -> None:
        """One step that was done."""
        self.say(f"{step.kind} {step.target}: {outcome} ({seconds:.1f} s)")

    def styled(self, text: str, style: Style) -> str:
        """The text with a style; a stream without colour drops it again."""
        return click.style(text, **_STYLES[style]) if style else text

    def _write(self, text: str, stream: IO[str]) -> None:
        try:
            self._forget()
            click.echo(text, file=stream, color=self._color[stream])
        except BrokenPipeError:
            if not self.unheard:
                raise NobodyReadsError from None
            lead_nowhere(stream)
        except OSError:
            if stream is not sys.stderr:
                raise
            # Talk that a full device does not take ends no work: there is nowhere to say it.

    def _forget(self) -> None:
        if self._transient:
            click.echo("\r\x1b[2K", nl=False, err=True, color=True)
            self._transient = False


def lead_nowhere(stream: IO[str]) -> None:
    """Drop what a stream holds and cannot write, and all that comes after it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def wants_color(choice: str, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to use colour: the option, then NO_COLOR, FORCE_COLOR and TERM, then the stream."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return terminal and environ.get("TERM") != "dumb"


def _pointed(mark: Mark, lines: list[str]) -> tuple[str, ...]:
    """The line of a mark and a caret below its column; a long line is cut around it."""
    if not 0 < mark.line <= len(lines):
        return ()
    text = _printable(lines[mark.line - 1].rstrip("\r\n"))
    first = max(0, mark.column - _SHOWN // 2) if len(text) > _SHOWN else 0
    shown = text[first : first + _SHOWN]
    margin = " " * len(f"{mark.line}")
    return (f"  {mark.line} | {shown}", f"  {margin} | {' ' * (mark.column - 1 - first)}^")


def _printable(text: str) -> str:
    """The text with nothing in it that moves a terminal's cursor or changes its colours."""
    return "".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else "?" for c in text)
