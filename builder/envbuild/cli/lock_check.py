"""``envbuild lock --check``: are the locks true to their profiles, and what lies there unused?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envbuild.cli import locking
from envbuild.errors import InputError, Problem
from envbuild.lock import folder
from envbuild.lock.model import HEADER
from envbuild.profile.explain import tidy
from envbuild.profile.resolve import resolve
from envbuild.speech import counted
from envbuild.tools import files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.cli.auditing import Auditor
    from envbuild.cli.main import Session
    from envbuild.workspace import Profiles

_WRITTEN = (("lockfiles", HEADER), ("Dockerfiles", "Dockerfile"))
"""The folders with one folder for each profile, and the file that shows that we wrote it."""


def check(
    session: Session,
    found: Profiles,
    chosen: Iterable[str],
    *,
    as_json: bool,
    auditor: Auditor | None = None,
) -> int:
    """Say whether locks are fresh, and which input moved where they are not; with an ``auditor``,
    what of the wheels of those that are will break.

    A profile that is wrong or a lock that cannot be read is said, and the others are still looked
    at. The exit status: 2 where there was such a one, 1 where a lock is not fresh or would break,
    else 0.

    Raises:
        InputError: there is no profile, or none of a chosen name.
    """
    states: dict[str, dict[str, object]] = {}
    problems: list[Problem] = []
    errors = 0
    for name in _names(found, chosen):
        try:
            status, reasons = _state(session, found, name)
            if auditor and status == "fresh":
                status, reasons = _audited(session, found, name, auditor)
        except InputError as error:
            errors += 1
            said = error.problems or (Problem(message=error.message, hint=error.hint),)
            status = "invalid" if error.problems else "broken"
            reasons = tuple(str(problem) for problem in said)
            problems += said
        states[name] = {"status": status, "reasons": reasons}
    for problem in tidy(problems):
        session.console.problem(problem)
    for name, state in states.items():
        if state["status"] == "invalid":
            session.console.fail(f"{name}: the profile is invalid")
    if as_json:
        session.console.json(states)
    return _summary(session, [str(state["status"]) for state in states.values()], errors=errors)


def _names(found: Profiles, chosen: Iterable[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(chosen)) or found.default
    if not names:
        raise InputError("there is no profile here", hint="envbuild init makes one")
    for name in names:
        if name not in found.sources:
            resolve(name, found.sources)
    return names


def _state(session: Session, found: Profiles, name: str) -> tuple[str, tuple[str, ...]]:
    """How a lock is, and why; said where it is not fresh.

    Raises:
        InputError: the profile is wrong, or its lock cannot be read.
    """
    profile = resolve(name, found.sources)
    state = locking.freshness_of(session.workspace, found, profile)
    if state.fresh:
        locking.remember(session.workspace, found, profile)
    else:
        session.console.fail(f"{name}: lock is {state.status}")
        for reason in state.reasons:
            session.console.say(f"  {reason}")
    return state.status, state.reasons


def _audited(
    session: Session, found: Profiles, name: str, auditor: Auditor
) -> tuple[str, tuple[str, ...]]:
    """The same of a fresh lock whose wheels are read."""
    lock = folder.read(*locking.workspace_path(session.workspace, name))
    if auditor.sound(resolve(name, found.sources), lock):
        return "fresh", ()
    return "breaks", tuple(one.message for one in auditor.said(name))


def _summary(session: Session, statuses: list[str], *, errors: int) -> int:
    breaking = statuses.count("breaks")
    bad = sum(status not in ("fresh", "breaks") for status in statuses)
    if breaking:
        session.console.say(f"{breaking} of {len(statuses)} locks would break")
    if not bad and breaking:
        return 1
    if not bad:
        session.console.say(f"{counted(len(statuses), 'profile')}, all locks fresh")
        return 0
    session.console.say(f"{bad} of {len(statuses)} locks are not fresh")
    if bad > errors:
        session.console.hint("envbuild lock")
    return 2 if errors else 1


def mention_leftovers(session: Session, found: Profiles) -> None:
    """Name the folders that envbuild wrote for profiles that are no longer there."""
    if session.console.volume < 0:
        return
    for stage, mark in _WRITTEN:
        place = session.workspace.path(stage)
        for name in files.names(place, label=stage):
            if name not in found.sources and os.path.isfile(os.path.join(place, name, mark)):
                session.console.hint(f"{stage}/{name} belongs to no profile: it can be removed")
