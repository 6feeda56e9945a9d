"""How long a night may take, and what it may take on the disk, as people write it. Pure."""

from __future__ import annotations

import re

from envbuild.errors import InputError

_TIME = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

_PER_JOB = 4 << 30
"""Bytes of memory for each stage at a time: a solver over a robotics stack takes up to three."""


def seconds(text: str) -> float:
    """``4h``, ``1h30m``, ``90m``, ``45s`` in seconds.

    Raises:
        InputError: it is no time, or none at all.
    """
    found = _TIME.fullmatch(text.strip().lower())
    parts = [float(one or 0) for one in found.groups()] if found else [0.0]
    total = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if total <= 0:
        raise InputError(f"--time-budget {text!r} is no time", hint="--time-budget 1h30m")
    return total


def size(text: str) -> int:
    """``60GB`` (powers of 1000), ``60GiB`` (of 1024) in bytes.

    Raises:
        InputError: it is no size, or none at all.
    """
    found = _SIZE.fullmatch(text.strip())
    if found:
        unit = 1024 if found[3] else 1000
        total = int(float(found[1]) * unit ** _POWERS[found[2].lower()])
        if total > 0:
            return total
    raise InputError(f"--disk-budget {text!r} is no size", hint="--disk-budget 60GB")


def jobs(cores: int, memory: int) -> int:
    """How many stages run at a time where nobody says it; ``memory`` in bytes."""
    return max(1, min(cores, memory // _PER_JOB))


def told(number: float) -> str:
    """Bytes for people: ``12.3 GB``."""
    for unit, power in (("TB", 4), ("GB", 3), ("MB", 2)):
        if number >= 1000**power:
            return f"{number / 1000**power:,.1f} {unit}"
    return f"{number / 1000:,.0f} kB"
