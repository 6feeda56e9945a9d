"""Figures over nights as lines of SVG, statuses as bars; each with what it says in words. Pure.

A bar says its status by its height and its outline, not only by its colour: a pass is low, a
warning half as high, a failure high; of what was not run there is only a frame, of what was not
there a dot.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence

from envbuild.report.nightly.model import SAID, Mark, Strip, Trend
from envbuild.report.nightly.words import listed
from envbuild.speech import counted

WIDTH, HEIGHT = 120, 24
POINTS = 60
"""Points of a line: two pixels for each are all that can be seen."""

BARS = 30
"""Nights in a strip: a month."""

_STEP, _BAR, _FOOT = 6, 4, 16

Measure = tuple[int, float]
"""The number of a night, and what was measured in it."""


def thinned(points: Sequence[Measure], most: int = POINTS) -> list[Measure]:
    """At most so many of the points, the first and the last among them.

    Of each stretch the point stays that stands out most from its neighbours, so that no peak is
    lost (largest triangle three buckets: S. Steinarsson, 2013).
    """
    if len(points) <= most:
        return list(points)
    step = (len(points) - 2) / (most - 2)
    edges = [int(number * step) + 1 for number in range(most - 1)]
    kept = [points[0]]
    for low, high in itertools.pairwise(edges):
        following = points[high : int(high + step) + 1] or points[-1:]
        x = sum(point[0] for point in following) / len(following)
        y = sum(point[1] for point in following) / len(following)
        kept.append(max(points[low:high], key=_triangle(kept[-1], (x, y))))
    return [*kept, points[-1]]


def _triangle(left: Measure, right: tuple[float, float]) -> Callable[[Measure], float]:
    """Twice the area of the triangle that a point makes with two others."""
    wide, high = right[0] - left[0], right[1] - left[1]
    return lambda point: abs(wide * (point[1] - left[1]) - (point[0] - left[0]) * high)


def trend(
    what: tuple[str, str], points: Sequence[Measure], *, nights: int, said: Callable[[float], str]
) -> Trend | None:
    """A figure over ``nights`` nights; None when it was never measured. ``what`` says of which
    stage, and of which variant, where it is one's.

    The line begins at nought, so that a small change looks small.
    """
    usual = [point for point in points if math.isfinite(point[1]) and point[1] >= 0]
    if not usual:
        return None
    values = [value for _, value in usual]
    top, middle, latest = max(values) or 1.0, statistics.median(values), values[-1]
    places = [
        (round(number / max(nights - 1, 1) * (WIDTH - 6) + 2, 1), _height(value / top))
        for number, value in thinned(usual)
    ]
    return Trend(
        what=what[0],
        variant=what[1],
        line="M" + "L".join(f"{x:g} {y:g}" for x, y in places),
        end=places[-1],
        least=said(min(values)),
        median=said(middle),
        latest=said(latest),
        change=_change(latest, middle) if len(values) > 1 else "",
        nights=len(values),
    )


def _height(share: float) -> float:
    return round(HEIGHT - 3 - share * (HEIGHT - 6), 1)


def _change(latest: float, middle: float) -> str:
    """``+12 %``; empty below a twentieth, which one night does by itself."""
    if not middle:
        return ""
    percent = (latest / middle - 1) * 100
    if abs(percent) < 5:
        return ""
    sign = "+" if percent > 0 else "\N{MINUS SIGN}"
    return f"{sign}{min(abs(percent), 9999):.0f} %"


def strip(marks: Sequence[tuple[str, Mark]]) -> Strip:
    """The last nights as bars, the newest at the right; ``marks`` are dates with what was there."""
    shown = marks[-BARS:]
    return Strip(
        width=len(shown) * _STEP,
        bars=outlines([mark for _, mark in shown]),
        label=_in_words(shown),
    )


def outlines(marks: Sequence[Mark]) -> tuple[tuple[Mark, str], ...]:
    """The bars of each status as one path."""
    found: dict[Mark, list[str]] = {}
    for number, mark in enumerate(marks):
        found.setdefault(mark, []).append(_bar(number * _STEP, mark))
    return tuple((mark, "".join(paths)) for mark, paths in sorted(found.items()))


def _bar(x: int, mark: Mark) -> str:
    if mark == "not-run":
        return f"M{x + 0.5:g} 8.5h3v7h-3z"
    if mark == "none":
        return f"M{x + 1} {_FOOT - 2}h2v2h-2z"
    high = {"pass": 6, "warn": 10, "fail": 16}[mark]
    return f"M{x} {_FOOT}v-{high}h{_BAR}v{high}z"


def _in_words(marks: Sequence[tuple[str, Mark]]) -> str:
    """``Last 30 nights: 28 passed; failed 12 Nov 2026 and 13 Nov 2026``."""
    parts = []
    good = sum(mark == "pass" for _, mark in marks)
    if good:
        parts.append(f"{good} passed")
    for status in ("fail", "warn", "not-run"):
        dates = tuple(date for date, mark in marks if mark == status)
        if dates:
            parts.append(f"{SAID[status]} {listed(dates[::-1])}")
    away = sum(mark == "none" for _, mark in marks)
    if away:
        parts.append(f"not there in {away}")
    return f"Last {counted(len(marks), 'night')}: {'; '.join(parts)}"
