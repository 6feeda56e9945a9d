"""What a page says of moments, durations and sizes, and texts made short and harmless. Pure."""

from __future__ import annotations

import math
import time

from envbuild.report.plain import printable

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LATEST = 253_402_300_799.0
"""The last second of the year 9999: a moment behind it is a clock's mistake."""

_CUT = "…"


def short(text: str, most: int = 300) -> str:
    """A text on one line with nothing in it that moves a cursor; of a long one, both its ends."""
    if len(text) > most:
        head = most * 2 // 3
        text = f"{text[:head]} {_CUT} {text[len(text) - (most - head) :]}"
    return printable(text).strip()


def moment(seconds: float) -> str:
    """``22 Nov 2026, 03:27 UTC``; empty for what is no moment."""
    day, clock = date(seconds), _gone(seconds)
    return f"{day}, {clock.tm_hour:02}:{clock.tm_min:02} UTC" if clock else ""


def date(seconds: float) -> str:
    """``22 Nov 2026``, in UTC; empty for what is no moment."""
    found = _gone(seconds)
    return f"{found.tm_mday} {_MONTHS[found.tm_mon - 1]} {found.tm_year}" if found else ""


def machine_moment(seconds: float) -> str:
    """``2026-11-22T03:27:57Z``; empty for what is no moment."""
    found = _gone(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", found) if found else ""


def _gone(seconds: float) -> time.struct_time | None:
    usual = math.isfinite(seconds) and 0 < seconds <= _LATEST
    return time.gmtime(seconds) if usual else None


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``1 h 12 min``."""
    if not math.isfinite(seconds) or seconds <= 0:
        return "0 s"
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f} s"
    whole = round(min(seconds, _LATEST))
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"


def rough(seconds: float) -> str:
    """``0.4 s``, ``98 s``, ``12 min``, ``1.7 h``: as short as a cell; empty for none."""
    if not math.isfinite(seconds) or seconds <= 0:
        return ""
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    held = min(seconds, _LATEST)
    return f"{held / 60:.0f} min" if held < 5970 else f"{held / 3600:.1f} h"


def size(number: float) -> str:
    """``4.2 GB``, ``312 MB``: powers of ten, as registries count."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            found = number / scale
            return f"{found:.0f} {unit}" if found >= 99.5 else f"{found:.1f} {unit}"
    return f"{max(int(number), 0)} B"


def listed(names: tuple[str, ...], most: int = 3) -> str:
    """``a, b and c``; of many, the first ones and how many more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
