"""What ``envbuild nightly`` says: a line a stage while it runs, a line a profile at its end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from envbuild.history import judging
from envbuild.nightly import night as nights
from envbuild.report.plain import printable
from envbuild.speech import counted

if TYPE_CHECKING:
    from envbuild.cli.console import Console, Style
    from envbuild.history.model import Night, ProfileNight, StageResult
    from envbuild.nightly.ledger import Name

_STYLES: dict[str, Style] = {"pass": "", "warn": "warning", "fail": "error", "not-run": "dim"}
_WORDS = {"pass": "pass", "warn": "warn", "fail": "FAIL", "not-run": "not run"}

_EVERY = 0.2
"""Seconds between two looks of the live line."""


class Telling:
    """Says how a night goes; called by several threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._turn = threading.Lock()
        self._running: dict[Name, str] = {}
        self._said = 0.0
        self.troubles: list[str] = []

    def begins(self, name: Name) -> None:
        """A stage is begun."""
        with self._turn:
            self._running[name] = ""
            self._live()

    def line(self, name: Name, text: str) -> None:
        """What a stage says while it runs."""
        with self._turn:
            if time.monotonic() - self._said > _EVERY:
                self._running[name] = printable(text)
                self._live()

    def ended(self, name: Name, result: StageResult, *, resumed: bool) -> None:
        """What a stage came to."""
        with self._turn:
            self._running.pop(name, None)
            blocked = result.status == "not-run" and not result.seconds
            text = f"{_target(name)} {result.stage}: {_said(result, resumed=resumed)}"
            if blocked:
                self._console.detail(text)
            else:
                self._console.say(text, style=_STYLES[result.status])
                if result.status == "fail" and result.hint:
                    self._console.say(f"  hint: {result.hint}", style="hint")
            self._live()

    def trouble(self, name: Name, text: str) -> None:
        """What goes wrong beside a stage."""
        with self._turn:
            said = f"{_target(name)} {name.stage}: {text}"
            self.troubles.append(said)
            self._console.fail(said, kind="warning")

    def _live(self) -> None:
        self._said = time.monotonic()
        if self._running:
            name, text = next(iter(self._running.items()))
            more = f" (and {len(self._running) - 1} more)" if len(self._running) > 1 else ""
            self._console.live(f"{_target(name)} {name.stage}{more} {text}"[:98])


def _target(name: Name) -> str:
    target = f"{name.profile}/{name.variant}" if name.variant else name.profile
    return f"{target} (committed lock)" if name.mode == "committed" else target


def _said(result: StageResult, *, resumed: bool) -> str:
    took = f" ({result.seconds:.1f} s)" if result.seconds and not result.carried else ""
    since = f" (as in {result.carried})" if result.carried else ""
    before = " (before the interruption)" if resumed else ""
    return f"{_WORDS[result.status]}: {result.reason}{since}{took}{before}"


# --- The end -------------------------------------------------------------------------------------


def profile(one: ProfileNight) -> str:
    """A profile in a line."""
    bad = [stage for stage in judging.stages_of(one) if stage.status == "fail"]
    if bad:
        rest = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        return f"FAIL    {one.profile}: {bad[0].stage}: {bad[0].reason}{rest}"
    short = [stage for stage in judging.stages_of(one) if nights.cut_short(stage)]
    if short:
        return f"not run {one.profile}: {short[0].stage}: {short[0].reason}"
    worst = judging.worst(stage.status for stage in judging.stages_of(one))
    return f"{_WORDS[worst]:<7} {one.profile}: {_well(one)}"


def _well(one: ProfileNight) -> str:
    parts = [stage.reason for stage in one.stages if stage.stage == "lock"]
    warned = [stage.stage for stage in judging.stages_of(one) if stage.status == "warn"]
    parts += [f"warnings of {', '.join(dict.fromkeys(warned))}"] if warned else []
    for variant in one.variants:
        ran = [stage.stage for stage in variant.stages if stage.status != "not-run"]
        parts += [f"{variant.variant}: {', '.join(ran)}"] if ran else []
    return "; ".join(parts) or "nothing found"


def summary(night: Night) -> str:
    """The night in a line."""
    bad, short = nights.failures(night), nights.unfinished(night)
    left = [name for name in short if name not in bad]
    well = len(night.profiles) - len(bad) - len(left)
    parts = [f"{well} well"] if well else []
    parts += [f"{len(bad)} failed"] if bad else []
    parts += [f"{len(left)} not finished"] if left else []
    took = _duration(night.ended - night.began)
    return f"{counted(len(night.profiles), 'profile')}: {', '.join(parts) or 'none'} ({took})"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60) % 60, int(seconds // 3600)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {int(seconds) % 60:02} s"
