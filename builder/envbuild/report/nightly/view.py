"""Nights as what a page shows of the last of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from envbuild.errors import InputError
from envbuild.history.judging import stages_of, together
from envbuild.history.model import (
    STAGES,
    Night,
    ProfileNight,
)
from envbuild.report.nightly.attention import attention, further, missing_parts, sentence
from envbuild.report.nightly.bounds import bounds
from envbuild.report.nightly.cells import Frame
from envbuild.report.nightly.model import (
    SAID,
    Machine,
    Mark,
    PastNight,
    Share,
    View,
)
from envbuild.report.nightly.past import Past, mark, worst
from envbuild.report.nightly.profiles import profile_shown, seconds
from envbuild.report.nightly.trends import BARS, strip
from envbuild.report.nightly.words import (
    date,
    duration,
    machine_moment,
    moment,
    short,
)

_NO_LOGS: Mapping[str, str] = {}
_NAME, _TEXT, _NOTES = 120, 300, 40


def view(nights: Sequence[Night], *, shown: str = "", logs: Mapping[str, str] = _NO_LOGS) -> View:
    """The night of the name ``shown`` (the newest, where that is empty) with those before it.

    ``nights`` may hold several parts of a night, in any order. ``logs`` has the address of each
    log beside the page, by its digest; one that is missing is not linked to.

    Raises:
        InputError: there is no such night.
    """
    past = Past(_until(together(nights), shown))
    night = past.shown
    profiles = sorted(night.profiles, key=lambda one: one.profile)
    frame = Frame(
        logs=logs,
        dates=past.dates,
        bounds=bounds(profiles),
        seconds=sum(seconds(one) for one in profiles),
    )
    pages = tuple(
        profile_shown(past, one, frame, number=number) for number, one in enumerate(profiles)
    )
    found = attention(past, pages)
    counts = Counter(page.mark for page in pages)
    told = {f"part {part} of this night is missing" for part in missing_parts(night)}
    return View(
        name=short(night.name, _NAME),
        mark=_night_mark(night),
        sentence=sentence(past, pages),
        further=further(found),
        began=moment(night.began),
        began_machine=machine_moment(night.began),
        took=duration(night.ended - night.began),
        revision=short(night.revision, 40),
        counts=tuple((m, word, counts[m]) for m, word in SAID.items() if counts[m]),
        attention=found,
        profiles=pages,
        past=tuple(_past_night(one, shown=one is night) for one in past.nights[-BARS:]),
        chart=strip([(date(one.began), _night_mark(one)) for one in past.nights[-BARS:]]),
        machines=tuple(_machine(part) for part in _parts(nights, night.name)),
        shares=tuple(_shares(profiles)),
        notes=tuple(short(note, _TEXT) for note in night.notes[:_NOTES] if note not in told),
        nights=len(past.nights),
        version=short(night.version, _NAME),
    )


def _until(nights: Sequence[Night], shown: str) -> Sequence[Night]:
    if not nights:
        raise InputError("there is no night to show", hint="envbuild nightly makes one")
    if not shown:
        return nights
    for number, night in enumerate(nights):
        if night.name == shown:
            return nights[: number + 1]
    newest = ", ".join(short(night.name, _NAME) for night in nights[-3:])
    raise InputError(f"there is no night {short(shown)!r}", hint=f"the newest ones: {newest}")


def _parts(nights: Sequence[Night], name: str) -> list[Night]:
    found = [night for night in nights if night.name == name]
    return sorted(found, key=lambda part: (part.shard, part.machine, part.began))


def _night_mark(night: Night) -> Mark:
    found: Mark = worst(mark(one) for one in night.profiles)
    return "not-run" if found in ("pass", "warn", "none") and missing_parts(night) else found


def _past_night(night: Night, *, shown: bool) -> PastNight:
    counts = Counter(mark(one) for one in night.profiles)
    return PastNight(
        name=short(night.name, _NAME),
        date=date(night.began),
        mark=_night_mark(night),
        counts=tuple((m, counts[m]) for m in SAID),
        took=duration(night.ended - night.began),
        shown=shown,
    )


def _machine(part: Night) -> Machine:
    whole = part.ended - part.began
    share = f" ({part.overhead / whole:.1%})" if whole > 0 and part.overhead >= 0 else ""
    return Machine(
        machine=short(part.machine, _NAME),
        shard=short(part.shard, 20),
        began=moment(part.began),
        took=duration(whole),
        overhead=f"{duration(part.overhead)}{share}",
        version=short(part.version, 40),
        profiles=len(part.profiles),
    )


def _shares(profiles: Sequence[ProfileNight]) -> Iterator[Share]:
    """What each stage took of all of them together."""
    taken: dict[str, float] = dict.fromkeys(STAGES, 0.0)
    for profile in profiles:
        for one in stages_of(profile):
            taken[one.stage] += 0.0 if one.carried else max(one.seconds, 0.0)
    whole, at = sum(taken.values()), 0.0
    for stage in STAGES:
        if taken[stage] > 0 and whole > 0:
            percent = taken[stage] / whole * 100
            yield Share(stage=stage, took=duration(taken[stage]), percent=percent, at=at)
            at += percent
