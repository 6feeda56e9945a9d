"""One run of ``envbuild nightly``: a night begun or taken up again, run, kept and reported."""

from __future__ import annotations

import os
import platform
import threading
import time
from typing import TYPE_CHECKING

import msgspec

import envbuild
from envbuild import stamps
from envbuild.cli import night_room, reporting
from envbuild.cli.night_telling import Telling, profile, summary
from envbuild.engines import containers
from envbuild.errors import EnvbuildError
from envbuild.history import judging
from envbuild.nightly import calling, night, opening, planning
from envbuild.nightly.chain import Desk
from envbuild.nightly.keys import Keys
from envbuild.nightly.ledger import Ledger
from envbuild.nightly.slots import Slots
from envbuild.nightly.stages import Doors
from envbuild.tools import driver, files, proc, temporary, turns
from envbuild.tools.git import Git

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envbuild.cli.console import Style
    from envbuild.cli.main import Session
    from envbuild.cli.night_options import Options
    from envbuild.history.model import Night
    from envbuild.history.store import History
    from envbuild.nightly.model import Begun, Subject
    from envbuild.nightly.night import Order, Told
    from envbuild.nightly.room import Room

_FOLDER = "nightly"
_STAGES = "stages"
"""The file that every stage holds while its process lives."""

_ENDING = 4 * calling.GRACE
"""Seconds that the stages of a killed night may take to end."""


def run(session: Session, names: tuple[str, ...], options: Options) -> int:
    """Run a night, or print what it would do; the exit status.

    Raises:
        InputError: there is no such profile, or what ``--from`` goes on from is not there.
        ToolError: another night runs here, the disk cannot hold the images, or something cannot
            be written.
    """
    slots = Slots(options.jobs, limit=options.time)  # its clock begins here
    root = session.workspace.root
    if options.dry_run:
        return _Run(session, options, slots).plan(names)
    place = f"{root}/{turns.PRIVATE}/{_FOLDER}"
    with turns.at_once(f"{place}/lock", what="a night"):
        session.console.unheard = True  # a night is worth more than its talk
        _after_killed(session, place)
        return _Run(session, options, slots).run(names)


def _after_killed(session: Session, place: str) -> None:
    """Wait for what a killed night had begun, and clear what it has left lying."""

    def waiting(process: str) -> None:
        session.console.say(f"waiting for the end of a killed night's stages ({process}) ...")

    turns.released(f"{place}/{_STAGES}", waiting=waiting, timeout=_ENDING)
    temporary.forget_beside(f"{place}/work")
    containers.forget_killed(runner=proc.run, environ=os.environ)


class _Run:
    def __init__(self, session: Session, options: Options, slots: Slots) -> None:
        self.session = session
        self.options = options
        self.slots = slots
        self.clock = time.time()
        self.root = session.workspace.root
        self.folder = f"{self.root}/{turns.PRIVATE}/{_FOLDER}"
        self.ledger = Ledger(f"{self.folder}/running")
        self.telling = Telling(session.console)
        self.history: History = reporting.history(session, options.history)
        self.kept = self.history.nights(opening.NEWEST)
        with slots.busy():
            self.gpus = driver.visible(proc.run, os.environ, _read)

    # --- What is to be done ----------------------------------------------------------------------

    def order(self, names: tuple[str, ...]) -> Order:
        """The profiles as they are now, and what the last nights say of them."""
        workspace, asked = self.session.workspace, self.options.asked
        found = workspace.profiles()
        chosen = opening.chosen(found, names, asked.shard)
        machine = platform.machine()
        subjects = tuple(
            opening.subject(workspace, found, name, asked.wishes, machine=machine)
            for name in chosen
        )
        opening.refuse_unknown(subjects, asked.wishes)
        lasts = {name: opening.last(self.history, self.kept.nights, name) for name in chosen}
        opening.refuse_without_last(lasts, asked.wishes)
        work = os.path.abspath(f"{self.folder}/work")
        return night.Order(subjects=subjects, lasts=lasts, folder=work)

    def plan(self, names: tuple[str, ...]) -> int:
        """Print what would be done."""
        order, options = self.order(names), self.options
        steps = [
            step
            for one in order.subjects
            for step in planning.plan(
                one,
                options.asked.wishes,
                order.lasts[one.profile],
                keys=self._keys(one),
                force=options.force,
            )
        ]
        if options.as_json:
            self.session.console.json(steps)
        else:
            self.session.console.plan(tuple(steps))
        return 0

    def _keys(self, subject: Subject) -> Keys:
        wishes, machine = self.options.asked.wishes, self._machine()
        return Keys(subject.snapshot, wishes, program=stamps.identity(), machine=machine)

    def _machine(self) -> str:
        """What of this machine the tests of an image depend on."""
        return msgspec.json.encode((platform.machine(), self.gpus)).decode()

    # --- Doing it --------------------------------------------------------------------------------

    def run(self, names: tuple[str, ...]) -> int:
        """Run the night; the exit status."""
        order = self.order(names)
        removed = opening.forget_removed(order.folder, self.session.workspace.profiles().sources)
        self._clear_engine()
        begun = self._begun(order)
        subjects, nights = order.subjects, self.kept.nights
        with self.slots.busy():
            room, said = night_room.of_night(self.options, subjects, nights, root=self.root)
        for text in (*self.kept.broken, *removed, *said, *begun.notes):
            self.session.console.say(f"note: {text}")
        desk = self._desk(begun, room)
        told = self._told(begun, notes=(*self.kept.broken, *removed, *said))
        try:
            went = night.run(order, desk)
        except KeyboardInterrupt:
            self.session.console.say("the night stays as it is: envbuild nightly goes on with it")
            raise
        notes = (*told.notes, *self.telling.troubles)
        made, blobs = night.finished(
            went,
            msgspec.structs.replace(told, notes=notes),
            history=self.history,
            nights=nights,
            desk=desk,
        )
        try:
            self.history.add(made, blobs)
        except EnvbuildError:
            self.session.console.say("the night is done and not kept: the same command keeps it")
            raise
        self.ledger.clear()
        return self._say(made)

    def _clear_engine(self) -> None:
        """Remove what builds that were killed have left in the engine, in a night that was killed
        too or in the last one."""
        there = self.ledger.begun()
        nights = self.kept.nights
        since = there.clock if there else nights[-1].began if nights else None
        if since is not None and "build" in self.options.asked.wishes.stages:
            with self.slots.busy():
                night_room.forget_killed(self.options.asked.wishes.engine, since=since)

    def _begun(self, order: Order) -> Begun:
        """The night: one that was killed, where it was the same one, else a new one."""
        asked, say = self.options.asked, self.session.console.say
        question = opening.question(asked, [one.profile for one in order.subjects])
        there = self.ledger.begun()
        if there is not None and any(one.id == there.id for one in self.kept.nights):
            say(f"night {there.id} was complete when it was ended: it is in the history")
            self.ledger.clear()
            there = None
        why = opening.resumable(there, question, now=self.clock)
        if there is not None and not why and not self.options.restart:
            say(f"night {there.name} is taken up again: what is done stands (--restart: anew)")
            return there
        if there is not None:
            why = "--restart" if self.options.restart else why
            say(f"night {there.name} was not finished, and is dropped: {why}")
        self.ledger.clear()
        begun = opening.begin(asked, self.kept.nights, question, now=self.clock)
        self.ledger.begin(begun)
        return begun

    def _desk(self, begun: Begun, room: Room) -> Desk:
        return Desk(
            wishes=self.options.asked.wishes,
            moment=begun.moment,
            force=self.options.force,
            doors=Doors(
                own=calling.own(os.environ, held=os.path.abspath(f"{self.folder}/{_STAGES}"))
            ),
            ledger=self.ledger,
            slots=self.slots,
            follower=self.telling,
            room=room,
            program=stamps.identity(),
            machine=self._machine(),
            alone=threading.Lock() if self.gpus else None,
        )

    def _told(self, begun: Begun, *, notes: Sequence[str]) -> Told:
        shard = self.options.asked.shard
        return night.Told(
            begun=begun,
            machine=self.options.asked.machine,
            version=envbuild.__version__,
            shard=str(shard) if shard else "",
            revision=_revision(self.root),
            notes=tuple(notes),
            before=max(0.0, self.clock - begun.clock),
            clock=self.clock,
        )

    # --- Saying it -------------------------------------------------------------------------------

    def _say(self, made: Night) -> int:
        console = self.session.console
        if self.options.as_json:
            console.json(made)
        else:
            for one in made.profiles:
                style: Style = "error" if judging.failed(one) else ""
                console.data(console.styled(profile(one), style))
        console.say(f"night {made.name}: {summary(made)}")
        shown = reporting.shown(self.history, made.name)
        page = reporting.write(self.session, self.history, shown, self.options.report)
        console.say(f"history: {self.history.place}; page: {page}")
        return 1 if night.failures(made) or night.unfinished(made) else 0


def _read(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None


def _revision(root: str) -> str:
    """The workspace's commit; empty where it is in no repository."""
    try:
        return Git(root, os.environ, proc.run).commit("HEAD") or ""
    except EnvbuildError:
        return ""
