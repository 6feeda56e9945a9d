"""How fast shared objects are read for what they were built against, beside ``cat`` of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path

from bench.abi import read, shared_objects
from bench.abi_truth import Laboratory
from bench.abi_wheels import TUNED
from bench.standing import cores

GOAL = 0.5
"""Of the speed of ``cat``."""

_LEAST = 10**9


def speed(runs: int, cache: Path | None) -> str:
    """Megabytes a second of both, medians, of a gigabyte that the page cache has."""
    laboratory = Laboratory(cache)
    wheels = iter(TUNED)
    files: list[str] = []
    while sum(map(os.path.getsize, files)) < _LEAST:
        files += shared_objects(laboratory.wheel(next(wheels)))
    size = sum(map(os.path.getsize, files)) / 1e6
    cat, ours = [], []
    for _ in range(runs + 1):
        started = time.perf_counter()
        with open(os.devnull, "wb") as nothing:
            subprocess.run(("cat", "--", *files), check=True, stdout=nothing)
        cat.append(time.perf_counter() - started)
        started = time.perf_counter()
        for path in files:
            read(path)
        ours.append(time.perf_counter() - started)
    seconds = {"cat": statistics.median(cat[1:]), "the scan": statistics.median(ours[1:])}
    ratio = seconds["cat"] / seconds["the scan"]
    lines = [f"{size:.0f} MB in {len(files)} shared objects, medians of {runs}, {cores()}"]
    lines += [f"  {name:<9}{took:7.2f} s {size / took:7.0f} MB/s" for name, took in seconds.items()]
    met = "ok" if ratio >= GOAL else "MISSED"
    return "\n".join((*lines, f"  ratio: {ratio:.2f}   aim >= {GOAL} {met}"))
