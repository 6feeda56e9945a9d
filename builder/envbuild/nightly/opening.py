"""What a night acts on: profiles as they are now, what the last nights say of them, and the night
itself, begun or taken up again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from envbuild.build import planning
from envbuild.errors import InputError
from envbuild.history import judging
from envbuild.history.model import STAGES, Night
from envbuild.history.store import History
from envbuild.nightly import scratch
from envbuild.nightly.chain import Last
from envbuild.nightly.flow import last_lock
from envbuild.nightly.keys import digest
from envbuild.nightly.model import Begun, Subject, Target, Wishes
from envbuild.plan import Shard
from envbuild.profile.resolve import resolve
from envbuild.tools import temporary
from envbuild.tools.trouble import cannot_write
from envbuild.workspace import Profiles, Workspace

NEWEST = 64
"""Files of nights that are looked into for what the last ones say."""

_STALE = 24 * 3600.0
"""Seconds after which a night that was not finished is not taken up again: its locks see a moment
that is past."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Asked(Struct, frozen=True, kw_only=True):
    """A night as it is asked for: what it does, of which part, and what it is called."""

    wishes: Wishes
    shard: Shard | None = None
    night: str = ""
    machine: str = ""


# --- The profiles --------------------------------------------------------------------------------


def chosen(found: Profiles, names: Iterable[str], shard: Shard | None) -> tuple[str, ...]:
    """The profiles of a night, sorted: those named, or all; of them the part of the shard.

    Raises:
        InputError: there is none, or a name is not known.
    """
    wanted = tuple(dict.fromkeys(names)) or found.default
    if not wanted:
        raise InputError("there is no profile here", hint="envbuild init makes one")
    for name in wanted:
        if name not in found.sources:
            resolve(name, found.sources)  # says which are near
    return shard.of(wanted) if shard else tuple(sorted(wanted))


def subject(
    workspace: Workspace, found: Profiles, name: str, wishes: Wishes, *, machine: str
) -> Subject:
    """A profile as it is now; ``machine`` as ``uname -m`` says it.

    Raises:
        InputError: one of its files cannot be read.
    """
    taken = scratch.snapshot(workspace, found, name)
    try:
        profile = resolve(name, found.sources)
    except InputError:
        return Subject(profile=name, snapshot=taken)
    run, left = planning.chosen(profile.variants, wishes.variants, machine)
    why = {one.variant: one.reason for one in left}
    named = {one.name for one in run} | why.keys()
    return Subject(
        profile=name,
        snapshot=taken,
        targets=tuple(
            Target(
                variant=one.name,
                platform=one.platform,
                left_out=why.get(one.name, ""),
                tested=bool(one.environment.smoke),
            )
            for one in profile.variants
            if one.name in named
        ),
    )


def refuse_unknown(subjects: Iterable[Subject], wishes: Wishes) -> None:
    """Refuse the name of a variant that no profile has.

    Raises:
        InputError: with those that there are.
    """
    known = {target.variant for one in subjects for target in one.targets}
    for name in wishes.variants:
        if name not in known:
            hint = f"variants: {', '.join(sorted(known))}" if known else None
            raise InputError(f"no profile has a variant {name!r}", hint=hint)


def last(history: History, nights: Sequence[Night], profile: str) -> Last | None:
    """What the newest night that has a profile says of it, with the newest lock that is kept."""
    of = [(night, one) for night in nights for one in night.profiles if one.profile == profile]
    if not of:
        return None
    night, newest = of[-1]
    locked = next((one for _, one in reversed(of) if one.lock), None)
    data = history.blob(locked.lock) if locked else None
    return Last(night=night.id, profile=newest, lock=last_lock(data, profile))


def refuse_without_last(lasts: Mapping[str, Last | None], wishes: Wishes) -> None:
    """Refuse ``--from`` where no night has what it goes on from.

    Raises:
        InputError: with the profiles.
    """
    first = wishes.carry_from
    if first is None or first == STAGES[0]:
        return
    without = [name for name, one in lasts.items() if one is None]
    if STAGES.index(first) > STAGES.index("lock"):
        without += [name for name, one in lasts.items() if one and one.lock is None]
    if without:
        raise InputError(
            f"--from {first}: no earlier night has what stands before it for "
            + ", ".join(sorted(without)),
            hint="run the whole night once, without --from",
        )


def forget_removed(folder: str, known: Iterable[str]) -> tuple[str, ...]:
    """Remove the scratch workspaces of profiles that there are no more; what is said of it.

    Raises:
        ToolError: one cannot be removed.
    """
    try:
        there = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        wanted = set(known)
        gone = [n for n in there if n not in wanted and os.path.isdir(f"{folder}/{n}")]
        for name in gone:
            temporary.remove_tree(f"{folder}/{name}")
    except OSError as error:
        raise cannot_write(folder, error) from None
    return (f"not in this workspace any more: {', '.join(gone)}",) if gone else ()


# --- The night -----------------------------------------------------------------------------------


def question(asked: Asked, profiles: Sequence[str]) -> str:
    """What a night does, as a digest: one that was killed is taken up by the same question."""
    shard = str(asked.shard) if asked.shard else ""
    return digest(asked.wishes, shard, asked.night, list(profiles))


def begin(asked: Asked, nights: Sequence[Night], question: str, *, now: float) -> Begun:
    """A new night; ``now`` is this machine's clock.

    Raises:
        InputError: the name that it is given is none.
    """
    began, note = judging.began(nights, now)
    night = asked.night
    if night and not _NAME.fullmatch(night):
        raise InputError(f"--night {night!r} is no name", hint="letters, digits, '.', '-' and '_'")
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
    own = judging.new_id(began, asked.machine, os.urandom)
    return Begun(
        id=own,
        name=night or (moment[:10] if asked.shard else own),
        began=began,
        clock=now,
        moment=moment,
        question=question,
        notes=(note,) if note else (),
    )


def resumable(begun: Begun | None, question: str, *, now: float) -> str:
    """Why an unfinished night is not taken up again; empty where it is."""
    if begun is None:
        return "there is none"
    if begun.question != question:
        return "it was asked for something else"
    if not -_STALE <= now - begun.clock <= _STALE:
        return "it is more than a day old"
    return ""
