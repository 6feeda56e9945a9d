"""Which nights were good, where a bad one began, and what several machines' parts make. Pure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from envbuild.history.model import (
    STAGES,
    Night,
    ProfileNight,
    StageResult,
    Status,
    VariantNight,
)

_WORST_FIRST: tuple[Status, ...] = ("fail", "warn", "pass", "not-run")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_LONGEST = 40
"""Characters of a machine's name in an id."""

ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""What an id of a night may be, since it is the name of a file too; :func:`new_id` makes them."""

_TICK = 1.0
"""Seconds by which a night is put behind the last one where the clock went back: ids hold whole
seconds."""

_LAST_SECOND = 253402300799.0
"""The end of the year 9999, the last that a date has four digits for."""


def stages_of(profile: ProfileNight) -> tuple[StageResult, ...]:
    """Every stage of a profile: its own, then those of each variant."""
    return (*profile.stages, *(one for variant in profile.variants for one in variant.stages))


def failed(profile: ProfileNight) -> bool:
    """Whether any stage of a profile failed."""
    return any(one.status == "fail" for one in stages_of(profile))


def good(profile: ProfileNight) -> bool:
    """Whether a profile was found to work: nothing failed, and what was begun was finished.

    A variant of which no stage was run at all (for a platform that this machine has not) says
    nothing; but of a profile with variants at least one must have been run.
    """
    begun = [one for one in profile.variants if any(_ran(stage) for stage in one.stages)]
    if profile.variants and not begun:
        return False
    counted = (*profile.stages, *(stage for one in begun for stage in one.stages))
    return bool(counted) and all(one.status in ("pass", "warn") for one in counted)


def worst(statuses: Iterable[Status]) -> Status:
    """The gravest of some states; ``not-run`` where nothing ran."""
    found = set(statuses)
    return next((one for one in _WORST_FIRST if one in found), "not-run")


def last_good(nights: Sequence[Night], profile: str) -> tuple[Night, ProfileNight] | None:
    """The last night in which a profile was good; ``nights`` are the oldest first."""
    return next((one for one in reversed(_of(nights, profile)) if good(one[1])), None)


def first_bad(nights: Sequence[Night], profile: str) -> tuple[Night, ProfileNight] | None:
    """The first night in which a profile failed after it was good for the last time; None where it
    has not failed since. Nights that found nothing out count for neither side."""
    known = _of(nights, profile)
    since = next((at for at in reversed(range(len(known))) if good(known[at][1])), -1)
    return next((one for one in known[since + 1 :] if failed(one[1])), None)


def _of(nights: Sequence[Night], profile: str) -> list[tuple[Night, ProfileNight]]:
    return [(night, one) for night in nights for one in night.profiles if one.profile == profile]


# --- Several parts of one night ------------------------------------------------------------------


def ordered(nights: Iterable[Night]) -> tuple[Night, ...]:
    """Nights by when they began, then by id: the same order whoever asks."""
    return tuple(sorted(nights, key=lambda night: (night.began, night.id)))


def together(nights: Iterable[Night]) -> tuple[Night, ...]:
    """One night a name, the oldest first; that of one part is that part itself.

    Of a stage that several parts have, one machine's later result replaces its earlier one, and of
    several machines the worst counts; what was run counts before what was not. The id is that of
    the newest part. A part that is missing is noted.
    """
    parts: dict[str, list[Night]] = {}
    for night in ordered(nights):
        parts.setdefault(night.name, []).append(night)
    return ordered(_joined(found) for found in parts.values())


def _joined(parts: Sequence[Night]) -> Night:
    if len(parts) == 1:
        return _with_notes(parts[0], _missing(parts))
    profiles: dict[str, list[tuple[str, ProfileNight]]] = {}
    for part in parts:
        for profile in part.profiles:
            profiles.setdefault(profile.profile, []).append((part.machine, profile))
    shards = _unique(part.shard for part in parts)
    joined = msgspec.structs.replace(
        parts[-1],
        machine=", ".join(_unique(part.machine for part in parts)),
        began=min(part.began for part in parts),
        ended=max(part.ended for part in parts),
        version=", ".join(_unique(part.version for part in parts)),
        profiles=tuple(_profile(profiles[name]) for name in sorted(profiles)),
        shard=", ".join(shards),
        revision=", ".join(_unique(part.revision for part in parts)),
        notes=_unique(note for part in parts for note in part.notes),
        overhead=sum(part.overhead for part in parts),
    )
    return _with_notes(joined, _missing(parts))


def _with_notes(night: Night, notes: tuple[str, ...]) -> Night:
    if not notes:
        return night
    return msgspec.structs.replace(night, notes=_unique((*night.notes, *notes)))


def _missing(parts: Sequence[Night]) -> tuple[str, ...]:
    """Which shards of a night are not there."""
    there: dict[str, set[str]] = {}
    for part in parts:
        index, slash, count = part.shard.partition("/")
        if slash and count.isdecimal():
            there.setdefault(count, set()).add(index)
    return tuple(
        f"part {index}/{count} of this night is missing"
        for count, found in sorted(there.items())
        for index in map(str, range(1, min(int(count), 1000) + 1))
        if index not in found
    )


def _profile(parts: Sequence[tuple[str, ProfileNight]]) -> ProfileNight:
    if len(parts) == 1:
        return parts[0][1]
    last = parts[-1][1]
    variants: dict[str, list[tuple[str, VariantNight]]] = {}
    for machine, part in parts:
        for variant in part.variants:
            variants.setdefault(variant.variant, []).append((machine, variant))
    locked = next((part for _, part in reversed(parts) if part.lock), last)
    return ProfileNight(
        profile=last.profile,
        stages=_stages([(machine, part.stages) for machine, part in parts]),
        variants=tuple(_variant(variants[name]) for name in sorted(variants)),
        lock=locked.lock,
        committed=locked.committed,
        against=locked.against,
        moves=locked.moves,
    )


def _variant(parts: Sequence[tuple[str, VariantNight]]) -> VariantNight:
    last = parts[-1][1]
    return VariantNight(
        variant=last.variant,
        platform=last.platform,
        stages=_stages([(machine, part.stages) for machine, part in parts]),
        image=next((part.image for _, part in reversed(parts) if part.image), None),
    )


def _stages(
    parts: Sequence[tuple[str, tuple[StageResult, ...]]],
) -> tuple[StageResult, ...]:
    """Each stage once: of a machine the last that ran, of several machines the worst."""
    found: dict[str, dict[str, StageResult]] = {}
    for machine, stages in parts:
        for one in stages:
            of_stage = found.setdefault(one.stage, {})
            if machine not in of_stage or _ran(one) or not _ran(of_stage[machine]):
                of_stage[machine] = one
    return tuple(
        min(found[stage].values(), key=lambda one: _WORST_FIRST.index(one.status))
        for stage in STAGES
        if stage in found
    )


def _ran(one: StageResult) -> bool:
    return one.status != "not-run"


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


# --- When a night begins, and what it is called --------------------------------------------------


def began(nights: Iterable[Night], now: float) -> tuple[float, str]:
    """When a new night begins (seconds since 1970), and a note where the clock must be wrong.

    A night never begins before one that the history holds: where this machine's clock says so, it
    is put right behind the last.
    """
    now = min(max(now, 0.0), _LAST_SECOND - 1)
    last = max((night.began for night in nights), default=now)
    if last <= now:
        return now, ""
    note = (
        f"the clock says {moment(now)}, before the last night began ({moment(last)}): one of both"
        " is wrong; this night is put behind that one"
    )
    return min(last + _TICK, _LAST_SECOND), note


def moment(seconds: float) -> str:
    """``2026-11-22 03:27:57 UTC``."""
    held = min(max(seconds, 0.0), _LAST_SECOND)
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(held))


def new_id(began: float, machine: str, chance: Callable[[int], bytes]) -> str:
    """The id of a night that begins now: its time, the machine, and four digits by ``chance``
    (``os.urandom``), because two may begin in one second."""
    held = min(max(began, 0.0), _LAST_SECOND)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(held))
    return f"{stamp}-{machine_name(machine)}-{chance(2).hex()}"


def machine_name(name: str) -> str:
    """A machine's name in small letters, digits and hyphens; ``machine`` where nothing is left."""
    plain = _NOT_PLAIN.sub("-", name.lower()).strip("-")[:_LONGEST].strip("-")
    return plain or "machine"
