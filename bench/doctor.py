"""How fast ``envbuild doctor`` examines a tree of Isaac Sim's size, and in how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import trees

_SECONDS = 20.0
_MEGABYTES = 300.0
_LINEAR = 1.3
"""By how much a file of the large tree may cost more than one of a tree with a quarter of it."""


def doctor(cache: Path | None) -> str:
    """Seconds and megabytes of two sizes, each with what it has read in memory already. ``cache``
    keeps the wheels of NumPy that stand in them."""
    with tempfile.TemporaryDirectory() as scratch:
        return _figures(cache or Path(scratch))


def _figures(cache: Path) -> str:
    lines = ["envbuild doctor, of generated trees, warm"]
    each = []
    for files in (trees.FILES // 4, trees.FILES):
        with tempfile.TemporaryDirectory() as place:
            root = trees.make(Path(place) / "prefix", files, cache=cache)
            _examine(root)
            seconds, megabytes = _examine(root)
        each.append(seconds / files)
        lines.append(f"  {files:7} files, {seconds:6.1f} s, {megabytes:6.0f} MB")
        if files == trees.FILES:
            lines[-1] += f"   aim <= {_SECONDS:g} s {_word(seconds <= _SECONDS)}"
            lines[-1] += f", <= {_MEGABYTES:g} MB {_word(megabytes <= _MEGABYTES)}"
    ratio = each[1] / each[0]
    lines.append(
        f"  a file of the larger costs {ratio:.2f} x one of the smaller"
        f"   aim <= {_LINEAR:g} {_word(ratio <= _LINEAR)}"
    )
    return "\n".join(lines)


def _word(reached: bool) -> str:
    return "ok" if reached else "MISSED"


def _examine(root: Path) -> tuple[float, float]:
    """Seconds and the largest memory in MB; what is wrong with the tree is found (status 1)."""
    envbuild = Path(sys.executable).parent / "envbuild"
    started = time.perf_counter()
    with subprocess.Popen(
        [envbuild, "doctor", root, "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 1:
        raise RuntimeError(f"doctor ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024
