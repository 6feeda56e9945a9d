"""What the nights before say of a profile: since when it fails, what it took, how its rows ended.
Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

from envbuild.history.judging import failed, good, stages_of
from envbuild.history.model import Night, ProfileNight, StageResult, VariantNight
from envbuild.report.nightly.model import Mark
from envbuild.report.nightly.trends import BARS, Measure
from envbuild.report.nightly.words import date
from envbuild.speech import counted

Was = tuple[int, ProfileNight]
"""The number of a night, and what a profile came to in it."""


class Past:
    """Nights, the oldest first and of each name one, by profile; the last one is shown."""

    def __init__(self, nights: Sequence[Night]) -> None:
        self.nights = tuple(nights)
        self._of: dict[str, list[Was]] = {}
        for number, night in enumerate(self.nights):
            for profile in night.profiles:
                self._of.setdefault(profile.profile, []).append((number, profile))

    @property
    def shown(self) -> Night:
        """The night that is shown."""
        return self.nights[-1]

    @property
    def last_but_one(self) -> Night | None:
        """The night before it."""
        return self.nights[-2] if len(self.nights) > 1 else None

    def of(self, profile: str) -> Sequence[Was]:
        """Every night that had a profile."""
        return self._of.get(profile, ())

    def before(self, profile: str) -> ProfileNight | None:
        """The profile as it was when it was seen for the last time before the shown night."""
        known = [one for number, one in self.of(profile) if number < len(self.nights) - 1]
        return known[-1] if known else None

    def last_good(self, profile: str) -> Night | None:
        """The last night in which a profile was good."""
        found = (number for number, one in reversed(self.of(profile)) if good(one))
        return next((self.nights[number] for number in found), None)

    def failing(self, profile: str) -> tuple[Night, int] | None:
        """The first night that failed since the profile was good for the last time, and in how
        many it has failed since then."""
        bad: list[int] = []
        for number, one in reversed(self.of(profile)):
            if good(one):
                break
            if failed(one):
                bad.append(number)
        return (self.nights[bad[-1]], len(bad)) if bad else None

    def good_since(self, profile: str) -> tuple[Night, int] | None:
        """The first night of those at the end that were all good, and how many they are."""
        found = [number for number, one in _while_good(self.of(profile))]
        return (self.nights[found[-1]], len(found)) if found else None

    @functools.cached_property
    def dates(self) -> dict[str, str]:
        """The date of each night by its id."""
        return {night.id: date(night.began) for night in self.nights}

    def marks(self, profile: str, variant: str) -> list[tuple[str, Mark]]:
        """How a row ended in the last nights, with the date of each."""
        start = max(len(self.nights) - BARS, 0)
        found: dict[int, ProfileNight] = {n: one for n, one in self.of(profile) if n >= start}
        return [
            (date(self.nights[n].began), _row_mark(found[n], variant) if n in found else "none")
            for n in range(start, len(self.nights))
        ]

    def seconds(self, profile: str) -> Iterator[tuple[str, str, int, float]]:
        """Variant (empty: of the whole profile), stage, night and seconds of every stage that was
        run to its end; one that was carried over took no time in that night."""
        for number, one in self.of(profile):
            for stage in one.stages:
                if _timed(stage):
                    yield "", stage.stage, number, stage.seconds
            for variant in one.variants:
                for stage in variant.stages:
                    if _timed(stage):
                        yield variant.variant, stage.stage, number, stage.seconds

    def sizes(self, profile: str, variant: str) -> list[Measure]:
        """The size of a variant's image over the nights, in bytes."""
        return [
            (number, float(found.image.size))
            for number, one in self.of(profile)
            for found in one.variants
            if found.variant == variant and found.image and found.image.size > 0
        ]


def _while_good(known: Sequence[Was]) -> Iterator[Was]:
    for was in reversed(known):
        if not good(was[1]):
            return
        yield was


def _timed(stage: StageResult) -> bool:
    return stage.status in ("pass", "warn") and not stage.carried


def mark(profile: ProfileNight) -> Mark:
    """How a profile ended: one that failed nowhere and was not found good was not run."""
    if failed(profile):
        return "fail"
    if not good(profile):
        return "not-run"
    return "warn" if any(one.status == "warn" for one in stages_of(profile)) else "pass"


def _row_mark(profile: ProfileNight, variant: str) -> Mark:
    own = [one for one in profile.variants if one.variant == variant]
    if not own:
        return row_mark(profile, None) if not variant else "none"
    return row_mark(profile, own[0])


def row_mark(profile: ProfileNight, variant: VariantNight | None) -> Mark:
    """How one variant of a profile ended, with what holds for the whole profile."""
    own = variant.stages if variant else ()
    statuses = {one.status for one in (*profile.stages, *own)}
    if "fail" in statuses:
        return "fail"
    if not statuses or (own and all(one.status == "not-run" for one in own)):
        return "not-run"
    if "not-run" in {one.status for one in own} or statuses == {"not-run"}:
        return "not-run"
    return "warn" if "warn" in statuses else "pass"


def state(past: Past, profile: ProfileNight) -> str:
    """One sentence: since when a profile is as it is, and when it was good for the last time."""
    name, known = profile.profile, counted(len(past.nights), "night")
    last = past.last_good(name)
    good_at = f"last good {date(last.began)}" if last else f"never good in the {known} kept"
    found = past.failing(name)
    if failed(profile) and found:
        first, count = found
        if count == 1:
            return f"Fails since this night; {good_at}"
        return f"Fails since {date(first.began)} ({counted(count, 'night')}); {good_at}"
    since = past.good_since(name)
    if since:
        return f"Good since {date(since[0].began)} ({counted(since[1], 'night')})"
    return f"Found nothing out in this night; {good_at}"


def worst(marks: Iterable[Mark]) -> Mark:
    """The gravest of some marks."""
    found = set(marks)
    order: tuple[Mark, ...] = ("fail", "not-run", "warn", "pass")
    return next((one for one in order if one in found), "none")
