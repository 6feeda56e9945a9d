"""The stages of one profile, one after the other: each failure ends its own chain alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct

from envbuild.errors import EnvbuildError, ToolError
from envbuild.history.model import Image, ProfileNight, Stage, StageResult
from envbuild.lock.folder import LockFolder
from envbuild.nightly import stages, verdicts
from envbuild.nightly.calling import Called
from envbuild.nightly.keys import Keys
from envbuild.nightly.ledger import Ledger, Name
from envbuild.nightly.model import Kept, Subject, Wishes
from envbuild.nightly.scratch import Scratch
from envbuild.nightly.slots import OverError, Slots
from envbuild.nightly.stages import Doors, Work


class Last(Struct, frozen=True, kw_only=True):
    """What the newest night of the history says of a profile: its id, and its lock folder."""

    night: str
    profile: ProfileNight
    lock: LockFolder | None = None


class Follower(Protocol):
    """Who is told how a night goes, from several threads."""

    def begins(self, name: Name) -> None:
        """A stage is begun."""

    def line(self, name: Name, text: str) -> None:
        """What a stage says while it runs."""

    def ended(self, name: Name, result: StageResult, *, resumed: bool) -> None:
        """What a stage came to; ``resumed``: before the night was interrupted."""

    def trouble(self, name: Name, text: str) -> None:
        """What goes wrong beside a stage."""


class Desk(Struct, frozen=True, kw_only=True):
    """What every chain of a night works with.

    ``room`` says why the image of a variant cannot be held, empty where it can. ``alone`` is held
    by tests where they would share a GPU.
    """

    wishes: Wishes
    moment: str
    force: bool
    doors: Doors
    ledger: Ledger
    slots: Slots
    follower: Follower
    room: Callable[[str, str], str]
    program: str
    machine: str
    alone: threading.Lock | None = None


def _as_it_is(kept: Kept) -> tuple[Kept, Mapping[str, bytes]]:
    return kept, {}


class Task(Struct, frozen=True, kw_only=True):
    """A stage to be done: the words for envbuild, and what it depends on (``key``).

    ``prepare`` is called before it; ``then`` takes what it made, where it went well, and gives
    what stands of it, with the locks that this names. Their errors are the stage's.
    """

    name: Name
    key: str
    words: tuple[str, ...]
    carry: bool = False
    prepare: Callable[[], object] = lambda: None
    then: Callable[[Kept], tuple[Kept, Mapping[str, bytes]]] = _as_it_is

    @property
    def stage(self) -> Stage:
        """Which stage it is."""
        return self.name.stage


class Chain:
    """One profile in a night. ``number`` is its place among them: the first are finished first."""

    def __init__(
        self, desk: Desk, subject: Subject, scratch: Scratch, *, number: int, last: Last | None
    ) -> None:
        self.desk = desk
        self.subject = subject
        self.scratch = scratch
        self.number = number
        self.last = last
        wishes = desk.wishes
        self.keys = Keys(subject.snapshot, wishes, program=desk.program, machine=desk.machine)

    # --- One stage -------------------------------------------------------------------------------

    def stage(self, task: Task) -> Kept:
        """What a stage comes to: as it was before an interruption, carried from the last night
        where its key says so, or done now."""
        there = self.desk.ledger.kept(task.name)
        if there is not None and there.result.key == task.key:
            self.desk.follower.ended(task.name, there.result, resumed=True)
            return there
        carried = self._carried(task) if task.carry and not self.desk.force else None
        if carried is not None:
            self._keep(task.name, carried, {})
            return carried
        try:
            with self.desk.slots.taken(self.number):
                return self._done(task)
        except OverError:
            return self._left_out(task.name, "the night's time is over")

    def _done(self, task: Task) -> Kept:
        self.desk.follower.begins(task.name)
        began, started = self.desk.doors.clock(), time.monotonic()
        blobs: Mapping[str, bytes] = {}
        try:
            kept, called = self._called(task)
            if called.stopped or self.desk.slots.ended:
                return self._left_out(task.name, "the night was ended")
            if kept.result.status in ("pass", "warn"):
                kept, blobs = task.then(kept)
        except EnvbuildError as error:
            kept = Kept(result=of_error(task.stage, error))
        seconds = time.monotonic() - started
        result = verdicts.timed(kept.result, began=began, seconds=seconds, key=task.key)
        kept = msgspec.structs.replace(kept, result=result)
        self._keep(task.name, kept, blobs, ran=result.status != "not-run")
        return kept

    def _called(self, task: Task) -> tuple[Kept, Called]:
        desk = self.desk
        log = desk.ledger.log(task.name)
        task.prepare()
        work = Work(
            stage=task.stage,
            scratch=self.scratch,
            words=task.words,
            log=log,
            variant=task.name.variant,
        )
        with desk.slots.busy():
            judged, called = stages.do(
                work,
                desk.doors,
                seconds=desk.slots.left(stages.LONGEST[task.stage]),
                line=lambda text: desk.follower.line(task.name, text),
            )
        return Kept(result=judged.result, image=judged.image), called

    def _keep(
        self, name: Name, kept: Kept, blobs: Mapping[str, bytes], *, ran: bool = True
    ) -> None:
        if ran:
            try:
                self.desk.ledger.keep(name, kept, blobs)
            except ToolError as error:  # the night goes on; killed now, it would do this again
                self.desk.follower.trouble(name, error.message)
        self.desk.follower.ended(name, kept.result, resumed=False)

    def _left_out(self, name: Name, why: str) -> Kept:
        kept = Kept(result=verdicts.result(name.stage, "not-run", why))
        self.desk.follower.ended(name, kept.result, resumed=False)
        return kept

    def told(self, name: Name, result: StageResult) -> Kept:
        """A result that nothing had to be done for."""
        self.desk.follower.ended(name, result, resumed=False)
        return Kept(result=result)

    def left_out(self, stage: Stage, why: str, *, variant: str = "") -> Kept:
        """A stage that is not run, with the reason."""
        return self._left_out(Name(profile=self.subject.profile, stage=stage, variant=variant), why)

    def _carried(self, task: Task) -> Kept | None:
        """What the last night says of a stage that depends on nothing that has moved since."""
        if self.last is None or task.name.mode != "night":
            return None
        result, image = before(self.last.profile, task.stage, task.name.variant)
        if result is None or result.key != task.key or result.status not in ("pass", "warn"):
            return None
        night = result.carried or self.last.night
        return Kept(result=msgspec.structs.replace(result, carried=night), image=image)


def of_error(stage: Stage, error: EnvbuildError) -> StageResult:
    """The result of a stage that could not be done."""
    return verdicts.result(stage, "fail", error.message, hint=verdicts.line(error.hint or ""))


def before(
    profile: ProfileNight, stage: Stage, variant: str
) -> tuple[StageResult | None, Image | None]:
    """What a night says of a stage, and the image of that variant."""
    if not variant:
        return next((one for one in profile.stages if one.stage == stage), None), None
    of = next((one for one in profile.variants if one.variant == variant), None)
    if of is None:
        return None, None
    return next((one for one in of.stages if one.stage == stage), None), of.image
