"""Whole processes, timed in turn so that a drifting machine hits all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_USUAL = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""As a user's shell is: Python keeps compiled modules, which that switch would forbid."""


def once(argv: tuple[str, ...], cwd: Path) -> float:
    """Seconds that a command took; it must end with 0."""
    started = time.perf_counter()
    quiet = subprocess.DEVNULL
    subprocess.run(argv, cwd=cwd, check=True, stdin=quiet, stdout=quiet, stderr=quiet, env=_USUAL)
    return time.perf_counter() - started


def medians(
    commands: Mapping[str, tuple[str, ...]],
    cwd: Path,
    *,
    runs: int,
    before: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """The median seconds of each command over ``runs`` rounds, after one round that is not
    counted. ``before`` runs before every command, uncounted."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for round_number in range(runs + 1):
        for name, argv in commands.items():
            before()
            took = once(argv, cwd)
            if round_number:
                seconds[name].append(took)
    return {name: statistics.median(values) for name, values in seconds.items()}


def table(
    title: str, seconds: Mapping[str, float], *, base: str, limits: Mapping[str, float]
) -> str:
    """Lines of milliseconds and ratios to ``base``, with the ratio that is aimed at."""
    lines = [title]
    for name, value in seconds.items():
        ratio = value / seconds[base]
        limit = limits.get(name)
        aim = "" if limit is None else f"   aim <= {limit:g} {'ok' if ratio <= limit else 'MISSED'}"
        lines.append(f"  {name:<28} {value * 1000:9.1f} ms {ratio:7.2f} x{aim}")
    return "\n".join(lines)
