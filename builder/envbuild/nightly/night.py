"""A whole night: every profile's chain at the same time, as far as the machine allows, and what is
kept of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.history import blobs, judging
from envbuild.history.model import SCHEMA, Night, ProfileNight, StageResult
from envbuild.history.store import History
from envbuild.nightly import flow, relocking
from envbuild.nightly.chain import Chain, Desk, Last
from envbuild.nightly.flow import Flow, Went
from envbuild.nightly.ledger import Ledger, Name
from envbuild.nightly.model import Begun, Subject
from envbuild.nightly.scratch import Scratch


class Told(Struct, frozen=True, kw_only=True):
    """What stands of a night beside its profiles. ``before`` are the seconds from its beginning to
    that of this run, where it was taken up again; ``clock`` is the machine's at that of this
    run."""

    begun: Begun
    machine: str
    version: str
    shard: str = ""
    revision: str = ""
    notes: tuple[str, ...] = ()
    before: float = 0.0
    clock: float = 0.0


class Order(Struct, frozen=True, kw_only=True):
    """The profiles of a night, what the last nights say of each, and the folder for their scratch
    workspaces."""

    subjects: tuple[Subject, ...]
    lasts: Mapping[str, Last | None]
    folder: str


def run(order: Order, desk: Desk) -> tuple[Went, ...]:
    """Every profile through its stages; a failure of one is none of another.

    A bug of ours in one chain ends that chain: the others come to their end, and it is raised then.

    Raises:
        KeyboardInterrupt: the night is ended; what is done stays.
    """
    went: dict[str, Went] = {}
    broken: list[BaseException] = []

    def one(number: int, subject: Subject) -> None:
        scratch = Scratch(root=f"{order.folder}/{subject.profile}", snapshot=subject.snapshot)
        last = order.lasts.get(subject.profile)
        try:
            chain = Chain(desk, subject, scratch, number=number, last=last)
            went[subject.profile] = Flow(chain).run()
        except BaseException as error:  # noqa: BLE001 (raised below, by the thread that waits)
            broken.append(error)

    threads = [
        threading.Thread(target=one, args=(number, subject), daemon=True)
        for number, subject in enumerate(order.subjects)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        desk.slots.end()
        raise
    if broken:
        raise broken[0]
    return tuple(went[subject.profile] for subject in order.subjects)


# --- What is kept --------------------------------------------------------------------------------


def finished(
    went: Sequence[Went],
    told: Told,
    *,
    history: History,
    nights: Sequence[Night],
    desk: Desk,
) -> tuple[Night, dict[str, bytes]]:
    """The night as the history keeps it, and the locks and logs that it names."""
    named: dict[str, bytes] = {}
    profiles = []
    for one in went:
        named |= {digest: data for digest, data in one.blobs.items() if digest == one.night.lock}
        compared = _compared(one, history, nights)
        profiles.append(_with_logs(compared, desk.ledger, named))
    began = told.begun.began
    night = Night(
        schema=SCHEMA,
        id=told.begun.id,
        name=told.begun.name,
        machine=told.machine,
        began=began,
        ended=began + told.before + desk.slots.passed(),
        version=told.version,
        profiles=tuple(profiles),
        shard=told.shard,
        revision=told.revision,
        notes=(*told.begun.notes, *told.notes, *_jumped(told, desk)),
        overhead=round(desk.slots.idle(), 3),
    )
    return night, named


_JUMP = 60.0
"""Seconds by which the clock may be set while a night runs without a word."""


def _jumped(told: Told, desk: Desk) -> tuple[str, ...]:
    jump = desk.doors.clock() - told.clock - desk.slots.passed()
    if abs(jump) < _JUMP:
        return ()
    return (f"the clock was moved by {jump:+,.0f} s while the night ran; durations are right",)


def _compared(went: Went, history: History, nights: Sequence[Night]) -> ProfileNight:
    """The profile with what moved since its last good night."""
    profile = went.night
    good = judging.last_good(nights, profile.profile)
    if good is None or not profile.lock:
        return profile
    night, before = good
    against = night.id
    if before.lock == profile.lock:
        return msgspec.structs.replace(profile, against=against)
    data = history.blob(before.lock) if before.lock else None
    old = flow.last_lock(data, profile.profile)
    if old is None:
        return profile
    try:
        new = relocking.unpacked(went.blobs[profile.lock], f"lockfiles/{profile.profile}")
        moves = relocking.moves(old, new)
    except InputError:
        return profile
    return msgspec.structs.replace(profile, against=against, moves=moves)


def _with_logs(profile: ProfileNight, ledger: Ledger, named: dict[str, bytes]) -> ProfileNight:
    """The profile whose results name their logs; the logs come to ``named``."""

    def logged(one: StageResult, variant: str) -> StageResult:
        if one.carried or (one.status == "not-run" and not one.seconds):
            return one
        path = _log(ledger, Name(profile=profile.profile, stage=one.stage, variant=variant))
        if not path:
            return one
        digest, data, size = blobs.log_blob(path)
        named[digest] = data
        return msgspec.structs.replace(one, log=digest, log_size=size)

    return msgspec.structs.replace(
        profile,
        stages=tuple(logged(one, "") for one in profile.stages),
        variants=tuple(
            msgspec.structs.replace(
                one, stages=tuple(logged(stage, one.variant) for stage in one.stages)
            )
            for one in profile.variants
        ),
    )


def _log(ledger: Ledger, name: Name) -> str:
    """The log of a stage; that with the committed lock where it was not run with the night's."""
    fallen_back = msgspec.structs.replace(name, mode="committed")
    paths = (ledger.log_path(name), ledger.log_path(fallen_back))
    return next((path for path in paths if os.path.isfile(path)), "")


def failures(night: Night) -> tuple[str, ...]:
    """The profiles of a night that are not well: something failed."""
    return tuple(one.profile for one in night.profiles if judging.failed(one))


def unfinished(night: Night) -> tuple[str, ...]:
    """The profiles of which something was asked and is not known: time or room was over."""
    return tuple(
        one.profile
        for one in night.profiles
        if any(cut_short(stage) for stage in judging.stages_of(one))
    )


def cut_short(stage: StageResult) -> bool:
    """Whether something was asked for and did not come about: time or room was over."""
    return stage.status == "not-run" and stage.reason.startswith(CUT_SHORT)


CUT_SHORT = ("the night's time", "no room", "the night was ended")
"""How the reasons begin of what was asked for and did not come about."""
