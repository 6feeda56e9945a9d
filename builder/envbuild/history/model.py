"""A night as it is kept: what every stage of every profile came to, as frozen values.

One file is one machine's part of a night. It is written once, when that part has ended, and never
changed: several machines, and several shards, give several files with one ``name``.
"""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from envbuild.lock.moves import Move

SCHEMA = 1

Stage = Literal["check", "lock", "audit", "render", "build", "smoke"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""In the order in which they run."""

OF_PROFILE: tuple[Stage, ...] = ("check", "lock", "audit", "render")
"""The stages that are one for a whole profile; the others are one for each of its variants."""

Status = Literal["pass", "warn", "fail", "not-run"]
STATUSES: tuple[Status, ...] = get_args(Status)


class Diagnosis(Struct, frozen=True, kw_only=True):
    """A known failure that a log proves: ``id`` of its signature, and what to do about it."""

    id: str
    title: str
    fix: str = ""


class Part(Struct, frozen=True, kw_only=True):
    """One of the things that a stage looked at: a finding of ``check`` or ``audit``, a test of
    ``smoke``. ``place`` is a file with its line, where there is one."""

    name: str
    status: Status
    reason: str = ""
    seconds: float = 0.0
    place: str = ""


class StageResult(Struct, frozen=True, kw_only=True):
    """What one stage came to.

    ``reason`` is one line, also where it is well (``3 packages moved``); of a stage that was not
    run it says why. ``began`` in seconds since 1970 by this machine's clock, ``seconds`` by one
    that cannot jump. ``carried`` is the id of the night that this result is from, where nothing
    that it depends on has moved since; ``key`` is the digest of all that it depends on.

    ``tail`` are the last lines of the log, ``log`` the digest of the whole one as the history keeps
    it (``sha256:…``; empty: not kept) and ``log_size`` its bytes before anything was left out.
    Every text has gone through :func:`envbuild.report.plain.printable` and is masked.
    """

    stage: Stage
    status: Status
    reason: str = ""
    hint: str = ""
    began: float = 0.0
    seconds: float = 0.0
    carried: str = ""
    key: str = ""
    parts: tuple[Part, ...] = ()
    diagnosis: tuple[Diagnosis, ...] = ()
    tail: tuple[str, ...] = ()
    log: str = ""
    log_size: int = 0


class Image(Struct, frozen=True, kw_only=True):
    """The image of a variant. ``identity`` is what its engine knows it by, ``digest`` that of its
    manifest where it was pushed; ``size`` in bytes."""

    reference: str
    identity: str
    engine: str
    digest: str = ""
    size: int = 0


class VariantNight(Struct, frozen=True, kw_only=True):
    """The stages of one variant: ``build`` and ``smoke``, those that were asked for."""

    variant: str
    platform: str
    stages: tuple[StageResult, ...] = ()
    image: Image | None = None


class ProfileNight(Struct, frozen=True, kw_only=True):
    """One profile in a night.

    ``stages`` are those of :data:`OF_PROFILE` that were asked for. ``lock`` is the digest of the
    lock folder that was built from, as the history keeps it (empty: there is none), ``committed``
    whether that is the workspace's own lock and not an upgraded one. ``moves`` is what moved since
    the lock of the night ``against``, the last good one of this profile; the riskiest first.
    """

    profile: str
    stages: tuple[StageResult, ...] = ()
    variants: tuple[VariantNight, ...] = ()
    lock: str = ""
    committed: bool = True
    against: str = ""
    moves: tuple[Move, ...] = ()


class Night(Struct, frozen=True, kw_only=True):
    """One machine's part of a night.

    ``id`` names its file and is its own (``20261122T032757Z-host-3f9a``); ``name`` is shared by
    the parts of one night. ``began`` and ``ended`` in seconds since 1970: of two nights of one
    history the later one never begins earlier, whatever the clock did (``notes`` says that it
    jumped). ``shard`` is ``2/3``, or empty for the whole. ``revision`` is the workspace's commit.
    ``overhead`` are the seconds of the night in which no stage ran.
    """

    schema: int
    id: str
    name: str
    machine: str
    began: float
    ended: float
    version: str
    profiles: tuple[ProfileNight, ...]
    shard: str = ""
    revision: str = ""
    notes: tuple[str, ...] = ()
    overhead: float = 0.0
