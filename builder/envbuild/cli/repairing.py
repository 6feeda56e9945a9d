"""``envbuild doctor --fix`` and ``--undo``: the plan, the repair, and the way back."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from envbuild.build.supply import Means, Supply, supply
from envbuild.cli.uvtool import Tool
from envbuild.doctor.repair import journal, manifest, repairing, supplying
from envbuild.doctor.told import telling
from envbuild.errors import InputError
from envbuild.report.plain import printable
from envbuild.speech import counted
from envbuild.tools import proc, store

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.doctor.repair.repairing import Repair, Replacement
    from envbuild.doctor.told.telling import Answer


_KIT = "/kit/python"
"""The prefix of the Python in an Isaac Sim's folder."""


def fix(session: Session, told: Answer, again: Callable[[], Answer], *, agreed: bool) -> int:
    """Say what would be repaired; where it is ``agreed``, repair it and examine it ``again``.

    Raises:
        InputError: something would be changed that may not be.
        ToolError: a wheel cannot be had, or the disk refuses; nothing is changed then.
    """
    console = session.console
    repair = repairing.plan(told.findings, told.case.scan, closed=_closed)
    for step in repairing.steps(repair):
        console.data(printable(f"{step.action:<4} {step.kind} {step.target}  {step.reason}"))
    if not told.findings or not repair.parts:
        console.say(telling.last(told) if not told.findings else _nothing(told))
        return 1 if told.count("error") else 0
    if not agreed:
        console.say(f"{telling.counts(told)}; nothing was changed: --yes repairs what it can")
        return 1 if told.count("error") else 0
    _apply(session, repair)
    after = again()
    console.say(telling.last(after), style="" if after.findings else "good")
    return 1 if after.count("error") else 0


def undo(session: Session, place: str) -> int:
    """Undo the repair of a journal, or the last one of a prefix.

    Raises:
        InputError: there is none, or files have changed since.
        ToolError: the disk refuses.
    """
    if os.path.basename(os.path.dirname(place)) == manifest.FOLDER:
        found: str | None = place
    else:
        found = next(filter(None, map(journal.latest, (place, f"{place}{_KIT}"))), None)
    if found is None:
        raise InputError(f"{place} has no repair to undo", hint="envbuild doctor --fix makes one")
    whole = journal.finished(found)
    undone = journal.undo(found, say=session.console.live)
    if not whole:
        session.console.say("that repair was cut off: what it had done is undone")
    for line in undone.what:
        session.console.data(printable(f"undone: {line}"))
    return 0


def _nothing(told: Answer) -> str:
    return f"{telling.counts(told)}; --fix repairs none: without it, each says its way out"


def _apply(session: Session, repair: Repair) -> None:
    index = _supply(session)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def wheel(wanted: Replacement) -> str:
        return supplying.wheel(wanted, index, as_of=now)

    for part in repair.parts:
        path = journal.apply(part, wheel, say=session.console.live)
        done = counted(len(part.replacements) + len(part.aside), "repair")
        session.console.say(f"{printable(part.prefix)}: {done} done")
        session.console.say(f"envbuild doctor --undo {printable(path)} undoes it")


def _closed(folder: str) -> str:
    """Why nothing can be changed in a folder; empty where something can."""
    return "" if os.access(folder, os.W_OK) else "it cannot be written by you"


def _supply(session: Session) -> Supply:
    """Wheels as a build gets them: from the user's own index, kept in the same store."""
    means = Means(
        environ=os.environ,
        runner=proc.run,
        uv=Tool(offline=False, refresh=False),
        cache=store.cache_folder(os.environ),
        offline=False,
        live=session.console.live,
    )
    return supply(means)
