"""Why a build failed, read from its last lines. Pure."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from envbuild.engines.calling import last_line
from envbuild.engines.model import Engine
from envbuild.errors import ToolError
from envbuild.tools.proc import Outcome

_LINES = 40
"""Lines of the failing step that an error shows."""

_VERTEX = re.compile(r"#(?P<number>\d+) (?P<rest>.*)")
_CLOCK = re.compile(r"\d+\.\d+ ")
"""The seconds before each line of a step, in BuildKit's plain progress."""

_SUMMARY = "------"
_STEP = re.compile(r"(?:\[\d+/\d+\] )?STEP \d+/\d+: ")
_TITLE = re.compile(r"\[[^\]]*\] ")

_TITLE_LENGTH = 80
"""Characters of a step that a message shows; some have thousands."""

_REASONS = (
    re.compile(r"^(?:error )?building at STEP \".*\": (?P<why>.*)$", re.DOTALL),
    re.compile(r"^while running runtime: (?P<why>.*)$"),
    re.compile(r"^(?:executor failed running|process ).*: (?P<why>exit code: \d+)$"),
)
"""What stands around a reason that says it better alone; each is tried on what the last left."""

_WAYS_OUT = (
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        "the disk is full: free some space, then build again",
    ),
    (
        re.compile(r"cgroups in hybrid mode not supported"),
        "crun cannot run here: install runc",
    ),
    (
        re.compile(r"granting entitlement network\.host is not allowed"),
        "buildx's builder may not use the host's network: `docker buildx use default`",
    ),
    (
        re.compile(r"unauthorized|authentication required|pull access denied", re.IGNORECASE),
        "log in to the registry, or name a mirror of it",
    ),
)
"""What a reason or a last line says, and what to do then."""


_LOST = re.compile(
    r"code = Unavailable|error reading from server|connection (?:refused|reset)"
    r"|transport is closing|failed to receive status|closing transport|no active session"
    r"|context deadline exceeded"
)
"""What buildx says when a builder is gone that it was talking to."""


def failure(
    engine: Engine, outcome: Outcome, *, lines: Sequence[str], log: str, lost: str = ""
) -> ToolError:
    """The error for a build that failed; ``lines`` are the last ones of its log, ``lost`` is why
    the builder is not there any more."""
    own = engine.builder in ("buildx", "buildkit")
    step, why, said = _buildkit(lines) if own else _buildah(lines)
    if engine.remote is not None and (lost or _LOST.search(why)):
        return _gone(engine.remote.name, outcome, why=lost or why, said=said, log=log)
    if outcome.missing:
        why = "it is not installed"
    elif outcome.timed_out:
        why = f"no end after {outcome.seconds:.0f} s"
    elif outcome.code < 0 and not outcome.stopped:
        why = f"it was ended by {_signal(-outcome.code)} after {outcome.seconds:.0f} s"
    where = f" at {_short(step)}" if step else ""
    text = "\n".join((*said[-_LINES:], why))
    way = next((hint for pattern, hint in _WAYS_OUT if pattern.search(text)), None)
    who = f"the builder {engine.remote.name}" if engine.remote else engine.name
    return ToolError(
        f"{who} could not build the image{where}: {why or f'exit code {outcome.code}'}",
        hint=f"{way}; the whole log: {log}" if way else f"the whole log: {log}",
        command=outcome.command.text(),
        output="\n".join(said[-_LINES:]),
    )


def _signal(number: int) -> str:
    known = number in {int(one) for one in signal.Signals}
    return signal.Signals(number).name if known else f"signal {number}"


def _gone(name: str, outcome: Outcome, *, why: str, said: list[str], log: str) -> ToolError:
    return ToolError(
        f"the builder {name} was lost while it built: {why}",
        hint=f"docker buildx inspect {name} says whether it is back; --builder OTHER builds on"
        f" another, without --builder this machine does; the whole log: {log}",
        command=outcome.command.text(),
        output="\n".join(said[-_LINES:]),
    )


def _buildah(lines: Sequence[str]) -> tuple[str, str, list[str]]:
    """The step at which podman or buildah stopped, the reason, and what was said since."""
    # The last error, not the last line: the two streams come without any order between them.
    errors = [line for line in lines if line.startswith("Error: ")]
    why = last_line(errors[-1] if errors else "\n".join(lines))
    for pattern in _REASONS:
        if match := pattern.search(why):
            why = match["why"]
    begun = [number for number, line in enumerate(lines) if _STEP.match(line)]
    if not begun:
        return "", why, list(lines)
    step = _STEP.sub("", lines[begun[-1]], count=1)
    said = [one for one in lines[begun[-1] + 1 :] if not one.startswith(("Error: ", "time="))]
    return step, why, said


def _buildkit(lines: Sequence[str]) -> tuple[str, str, list[str]]:
    """The step that BuildKit marks as failed, the reason, and its lines without numbers and clocks.

    Steps run beside each other, so the last lines of the log may be another's; and BuildKit ends
    with a summary that says again what the step said.
    """
    steps: dict[str, list[str]] = {}
    failing = ""
    for line in lines:
        if line == _SUMMARY and failing:
            break
        match = _VERTEX.fullmatch(line)
        if match is None:
            continue
        steps.setdefault(match["number"], []).append(match["rest"])
        if match["rest"].startswith("ERROR: "):
            failing = match["number"]
    if not failing:
        return "", last_line("\n".join(lines)), list(lines)
    own = steps[failing]
    why = last_line(next(one for one in own if one.startswith("ERROR: ")))
    for pattern in _REASONS:
        if match := pattern.search(why):
            why = match["why"]
    title = next((one for one in own if one.startswith("[")), "")
    said = [
        _CLOCK.sub("", one, count=1)
        for one in own
        if one != title and not one.startswith(("sha256:", "ERROR: "))
    ]
    return _TITLE.sub("", title, count=1), why, said


def _short(step: str) -> str:
    line = " ".join(step.split())
    return line if len(line) <= _TITLE_LENGTH else f"{line[: _TITLE_LENGTH - 1]}…"
