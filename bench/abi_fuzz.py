"""Broken ELF files, thousands of them: every one is read to an end, and soon."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
from tests.support.broken import broken
from tests.support.elf import TYPES, Library, amd_check, arm_check, container, written

from envbuild.scan.compiled import binaries
from envbuild.scan.sources.content import Held

GOAL = 1.0
"""Seconds of processor time for the slowest."""

_LARGEST = 300_000
"""Bytes of a real module that is broken."""

_RICH = Library(
    soname="libx.so",
    needed=("libc.so.6", "libm.so.6"),
    demands={"libc.so.6": ("GLIBC_2.17", "GLIBC_2.34"), "libm.so.6": ("GLIBC_2.29",)},
    offers=("X_1", "X_2"),
    symbols=("PyInit_x",),
    sections={
        ".rodata": TYPES,
        ".text": amd_check(96),
        ".nv_fatbin": container((2, 80, 0, 40), (1, 90, 0, 40)) * 3,
    },
)


def fuzz(count: int = 10_000) -> str:
    """How broken files were read, half of them written for it, half real modules."""
    chance = random.Random(20)
    ours, theirs = _written(), _real()
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    started = time.process_time()
    for number in range(count):
        data = broken(chance.choice(theirs if number % 2 and theirs else ours), chance)
        before = time.process_time()
        outcomes[binaries.read(Held(data)).wrong.partition(":")[0] or "read"] += 1
        slowest = max(slowest, time.process_time() - before)
    took = time.process_time() - started
    lines = [f"{count} broken ELF files, {took:.0f} s, no exception; {len(theirs)} real modules"]
    lines += [f"  {times:6} {outcome}" for outcome, times in outcomes.most_common()]
    met = "ok" if slowest <= GOAL else "MISSED"
    return "\n".join((*lines, f"  the slowest: {slowest * 1000:.1f} ms   aim <= {GOAL:g} s {met}"))


def _written() -> list[bytes]:
    arm = {**_RICH.sections, ".text": arm_check(32)}
    replaced = msgspec.structs.replace
    return [
        written(_RICH),
        written(replaced(_RICH, headers=False)),
        written(replaced(_RICH, machine="aarch64", sections=arm)),
        written(replaced(_RICH, machine="ppc64", order=">")),
        written(replaced(_RICH, machine="arm", width=32)),
    ]


def _real() -> list[bytes]:
    """Modules of the environment that this runs in."""
    found = sorted(Path(sys.prefix).rglob("*.so"))
    return [path.read_bytes() for path in found if path.stat().st_size < _LARGEST]
