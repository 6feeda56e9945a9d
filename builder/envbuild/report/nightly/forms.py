"""A night as JSON data for other programs: one stable form. Pure.

Moments are RFC 3339 in UTC, times are seconds, sizes are bytes; a state is one of ``pass``,
``warn``, ``fail`` and ``not-run``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from envbuild.history import judging
from envbuild.history.model import (
    Diagnosis,
    Image,
    Night,
    Part,
    ProfileNight,
    StageResult,
    Status,
    VariantNight,
)
from envbuild.lock.moves import Move

SCHEMA = 1
"""The version of the form: it moves when a field gets another meaning or goes; new fields come
without."""

_LAST_SECOND = 253402300799.0


class Form(Struct, frozen=True, kw_only=True, rename="kebab"):
    """A part of the form."""


class Counts(Form, frozen=True, kw_only=True):
    """How many stages came to what."""

    passed: int = 0
    warned: int = 0
    failed: int = 0
    not_run: int = 0


class StageForm(Form, frozen=True, kw_only=True):
    """One stage. ``carried`` is the id of the night that the result is from, where nothing that it
    depends on has moved since; ``log`` the digest of the whole log (empty: not kept), ``log_size``
    its bytes before anything was left out, ``tail`` its last lines."""

    stage: str
    status: Status
    reason: str
    hint: str
    began: str
    seconds: float
    carried: str
    parts: tuple[Part, ...]
    diagnosis: tuple[Diagnosis, ...]
    tail: tuple[str, ...]
    log: str
    log_size: int


class VariantForm(Form, frozen=True, kw_only=True):
    """One variant with its stages, and its image where there is one."""

    variant: str
    platform: str
    status: Status
    stages: tuple[StageForm, ...]
    image: Image | None


class ProfileForm(Form, frozen=True, kw_only=True):
    """One profile. ``good``: nothing failed and all that was begun was finished. ``last_good`` is
    the name of the last night in which it was, ``first_bad`` that of the first one after it that
    failed (empty: none). ``moves`` are those since the lock of the night ``against``."""

    profile: str
    status: Status
    good: bool
    lock: str
    committed: bool
    against: str
    last_good: str
    first_bad: str
    moves: tuple[Move, ...]
    stages: tuple[StageForm, ...]
    variants: tuple[VariantForm, ...]


class NightForm(Form, frozen=True, kw_only=True):
    """One night, all parts of it together."""

    name: str
    id: str
    machine: str
    shard: str
    began: str
    ended: str
    seconds: float
    overhead: float
    version: str
    revision: str
    notes: tuple[str, ...]
    status: Status
    counts: Counts
    profiles: tuple[ProfileForm, ...]


class PastForm(Form, frozen=True, kw_only=True):
    """One night of the history in short; ``profiles`` are the states by name."""

    name: str
    began: str
    status: Status
    counts: Counts
    profiles: Mapping[str, Status]


class ReportForm(Form, frozen=True, kw_only=True):
    """The whole: the night that is shown, and the history with it, the oldest night first;
    ``broken`` is what of the history could not be read."""

    format: int
    envbuild: str
    night: NightForm
    history: tuple[PastForm, ...]
    broken: tuple[str, ...]


def report(
    nights: Sequence[Night], shown: Night, *, broken: Sequence[str] = (), version: str
) -> ReportForm:
    """The form of a night that is shown, with the history that it stands in (nights as
    :func:`envbuild.history.judging.together` gives them)."""
    until = [one for one in nights if (one.began, one.id) <= (shown.began, shown.id)]
    return ReportForm(
        format=SCHEMA,
        envbuild=version,
        night=night(shown, until),
        history=tuple(map(_past, nights)),
        broken=tuple(broken),
    )


def night(shown: Night, past: Sequence[Night]) -> NightForm:
    """A night; ``past`` are the nights up to it, with it."""
    return NightForm(
        name=shown.name,
        id=shown.id,
        machine=shown.machine,
        shard=shown.shard,
        began=moment(shown.began),
        ended=moment(shown.ended),
        seconds=round(max(shown.ended - shown.began, 0.0), 3),
        overhead=round(shown.overhead, 3),
        version=shown.version,
        revision=shown.revision,
        notes=shown.notes,
        status=status_of(stages(shown)),
        counts=counts(stages(shown)),
        profiles=tuple(_profile(one, past) for one in sorted(shown.profiles, key=_name)),
    )


def stages(shown: Night) -> list[StageResult]:
    """Every stage of a night."""
    return [stage for profile in shown.profiles for stage in judging.stages_of(profile)]


def counts(found: Iterable[StageResult]) -> Counts:
    """How many stages came to what."""
    states = [one.status for one in found]
    return Counts(
        passed=states.count("pass"),
        warned=states.count("warn"),
        failed=states.count("fail"),
        not_run=states.count("not-run"),
    )


def status_of(found: Iterable[StageResult]) -> Status:
    """The gravest state of some stages."""
    return judging.worst(one.status for one in found)


def moment(seconds: float) -> str:
    """``2026-11-22T03:27:57Z``; empty for no moment."""
    if not 0.0 < seconds <= _LAST_SECOND:
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _name(profile: ProfileNight) -> str:
    return profile.profile


def _profile(one: ProfileNight, past: Sequence[Night]) -> ProfileForm:
    last = judging.last_good(past, one.profile)
    bad = judging.first_bad(past, one.profile)
    return ProfileForm(
        profile=one.profile,
        status=status_of(judging.stages_of(one)),
        good=judging.good(one),
        lock=one.lock,
        committed=one.committed,
        against=one.against,
        last_good=last[0].name if last else "",
        first_bad=bad[0].name if bad else "",
        moves=one.moves,
        stages=tuple(map(_stage, one.stages)),
        variants=tuple(map(_variant, one.variants)),
    )


def _variant(one: VariantNight) -> VariantForm:
    return VariantForm(
        variant=one.variant,
        platform=one.platform,
        status=status_of(one.stages),
        stages=tuple(map(_stage, one.stages)),
        image=one.image,
    )


def _stage(one: StageResult) -> StageForm:
    fields: dict[str, Any] = {
        name: getattr(one, name) for name in StageForm.__struct_fields__ if name != "began"
    }
    return StageForm(began=moment(one.began), **fields)


def _past(one: Night) -> PastForm:
    return PastForm(
        name=one.name,
        began=moment(one.began),
        status=status_of(stages(one)),
        counts=counts(stages(one)),
        profiles={
            profile.profile: status_of(judging.stages_of(profile)) for profile in one.profiles
        },
    )
