"""What a night is asked to do, and what it acts on, as frozen values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from envbuild.history.model import STAGES, Image, Stage, StageResult
from envbuild.nightly.scratch import Snapshot

Mode = Literal["night", "committed"]
"""Which lock a stage is about: the one of the night, or the workspace's own where that of the night
has failed."""


class Wishes(Struct, frozen=True, kw_only=True):
    """What a night does, whatever the profiles are: the question that a killed one is resumed by.

    ``stages`` are run; ``carry_from`` is ``--from``: the stages before it are those of the last
    night. ``upgrade``: every version of a lock may move. ``tag`` names images, with ``{profile}``
    and ``{variant}`` in it; ``*_words`` are options that are handed on as they are.
    """

    stages: tuple[Stage, ...] = STAGES
    carry_from: Stage | None = None
    upgrade: bool = True
    keep_going: bool = False
    strict: bool = False
    variants: tuple[str, ...] = ()
    tag: str = "{profile}:{variant}-nightly"
    engine: str = "auto"
    push: bool = False
    lock_words: tuple[str, ...] = ()
    build_words: tuple[str, ...] = ()
    smoke_words: tuple[str, ...] = ()


class Target(Struct, frozen=True, kw_only=True):
    """A variant of a profile; ``left_out`` says why this machine does not build it, ``tested``
    whether the profile has tests of its image."""

    variant: str
    platform: str
    left_out: str = ""
    tested: bool = True


class Subject(Struct, frozen=True, kw_only=True):
    """A profile as it was when the night began; without targets where it cannot be used."""

    profile: str
    snapshot: Snapshot
    targets: tuple[Target, ...] = ()


class Locked(Struct, frozen=True, kw_only=True):
    """A lock that a chain goes on with: the digest of its folder as the history keeps it, the
    ``as-of`` that the profile's copy says with it (empty: its own), and whether it is the
    workspace's own."""

    digest: str
    moment: str = ""
    committed: bool = False


class Kept(Struct, frozen=True, kw_only=True):
    """What stands of a finished stage: enough to go on from it after a kill."""

    result: StageResult
    image: Image | None = None
    locked: Locked | None = None


class Begun(Struct, frozen=True, kw_only=True):
    """A night that was begun: its names, the moment that its locks see, and the question.

    ``began`` and ``clock`` are the same moment: as the history has it, and by this machine's clock;
    ``moment`` is it too, as locks write it.
    """

    id: str
    name: str
    began: float
    clock: float
    moment: str
    question: str
    notes: tuple[str, ...] = ()
