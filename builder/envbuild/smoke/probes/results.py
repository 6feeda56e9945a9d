"""What a check says, as plain data, and how it reaches the disk."""

from __future__ import annotations

import json
import os
import traceback
from typing import Any

PASS, WARN, FAIL, NOT_RUN = "pass", "warn", "fail", "not-run"

Result = dict[str, Any]
"""``check``, ``verdict``, ``reason``, ``seconds``, and ``lines`` of what went wrong."""

_LONGEST = 400
"""Characters of a reason."""

_LINES = 120
"""Lines of a traceback that are kept: the first and the last half of them."""


def result(check: str, verdict: str, reason: str = "", *, lines: tuple[str, ...] = ()) -> Result:
    """A result; ``seconds`` is set by who took the time."""
    return {
        "check": check,
        "verdict": verdict,
        "reason": short(reason),
        "seconds": 0.0,
        "lines": list(_cut(lines)),
    }


def short(text: str) -> str:
    """The text on one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def failed(check: str, error: BaseException, *, hidden: str = "") -> Result:
    """The result of a check that raised; frames of files below ``hidden`` are left out."""
    frames = traceback.TracebackException.from_exception(error)
    _hide(frames, hidden)
    lines = tuple("".join(frames.format()).splitlines())
    said = "".join(frames.format_exception_only()).strip()
    return result(check, FAIL, said or type(error).__name__, lines=lines)


def write_whole(path: str, value: object) -> None:
    """Write a value as JSON so that it is on the disk, whole, when this returns.

    Raises:
        OSError: it could not be written; the path is as it was.
    """
    beside = f"{path}.new"
    with open(beside, "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(beside, 0o644)
    os.replace(beside, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _hide(frames: traceback.TracebackException, hidden: str) -> None:
    seen: set[int] = set()
    one: traceback.TracebackException | None = frames
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        if hidden:
            kept = [frame for frame in one.stack if not _ours(frame.filename, hidden)]
            one.stack = traceback.StackSummary.from_list(kept)
        one = one.__cause__ or one.__context__


def _ours(path: str, hidden: str) -> bool:
    """Whether a frame belongs to the probes, or to the import system that they call."""
    return path.startswith((hidden, "<frozen importlib")) or path.endswith("importlib/__init__.py")


def _cut(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) <= _LINES:
        return lines
    half = _LINES // 2
    left_out = f"  … {len(lines) - 2 * half} lines left out …"
    return (*lines[:half], left_out, *lines[-half:])
