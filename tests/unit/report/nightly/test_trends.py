"""Lines, strips, and the words of a page."""

from __future__ import annotations

import pytest

from envbuild.report.nightly.trends import BARS, POINTS, strip, thinned, trend
from envbuild.report.nightly.words import duration, moment, rough, short, size
from tests.support.nights import BEGAN, DAY


def test_a_trend_says_what_its_line_shows():
    found = trend(("build", "v"), [(0, 10.0), (1, 30.0), (3, 20.0)], nights=4, said=rough)
    assert (found.least, found.median, found.latest, found.change) == ("10 s", "20 s", "20 s", "")
    assert found.line == "M2 15L40 3L116 9"
    assert trend(("build", ""), [], nights=4, said=rough) is None
    assert trend(("build", ""), [(0, float("nan"))], nights=4, said=rough) is None


def test_a_long_trend_keeps_its_ends_and_its_peak():
    points = [(n, 10.0 + n % 3) for n in range(365)]
    points[200] = (200, 99.0)
    kept = thinned(points)
    assert len(kept) == POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert (200, 99.0) in kept
    assert [n for n, _ in kept] == sorted(n for n, _ in kept)


def test_a_strip_tells_each_status_by_shape_and_in_words():
    marks = [
        ("1 Nov", "pass"),
        ("2 Nov", "fail"),
        ("3 Nov", "warn"),
        ("4 Nov", "not-run"),
        ("", "none"),
    ]
    found = strip(marks)
    assert len({path.partition("v")[2] or path for _, path in found.bars}) == 5
    assert found.label == (
        "Last 5 nights: 1 passed; failed 2 Nov; warned 3 Nov; not run 4 Nov; not there in 1"
    )
    assert strip([("", "pass")] * 99).width == BARS * 6


@pytest.mark.parametrize(
    ("seconds", "long", "brief"),
    [
        (0.02, "0.1 s", "0.1 s"),
        (9.99, "10 s", "10 s"),
        (80, "1 min 20 s", "80 s"),
        (800, "13 min", "13 min"),
        (5990, "1 h 39 min", "1.7 h"),
        (7200, "2 h", "2.0 h"),
        (-1, "0 s", ""),
        (float("nan"), "0 s", ""),
    ],
)
def test_durations(seconds, long, brief):
    assert (duration(seconds), rough(seconds)) == (long, brief)


def test_sizes_and_moments():
    assert [size(n) for n in (0, 999, 1500, 4.2e9, 123e9)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "4.2 GB",
        "123 GB",
    ]
    assert moment(BEGAN + DAY / 2) == "18 Nov 2026, 23:06 UTC"
    assert moment(float("inf")) == moment(-3) == moment(1e300) == ""


def test_texts_are_short_and_harmless():
    assert short("a\x1b[31mb\u202e\ud800c\nd") == "a?[31mb??c d"
    cut = short("x" * 1000 + "end", 60)
    assert len(cut) == 63
    assert cut.endswith("end")
