"""Repairs that can be undone: everything is moved by renames that a journal knows beforehand.

``<prefix>/.envbuild-doctor/<time>`` holds the journal, what went away, and, until they are moved
into place, the files that come. It lies in the prefix because only there a rename is sure not to
be a copy, and outside of every site.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from envbuild.doctor.repair import staging, undoing
from envbuild.doctor.repair.manifest import FINISHED, FOLDER, FORMAT, NAME, UNDONE, Folder, Manifest
from envbuild.doctor.repair.repairing import Part, Replacement
from envbuild.errors import InputError
from envbuild.tools import files, temporary, turns, typed
from envbuild.tools.trouble import cannot_write

Say = Callable[[str], None]

_INNER = re.compile(rf"({staging.NEW}|{staging.OLD})/[0-9]+")
"""Where a journal keeps a file."""


def apply(part: Part, wheel: Callable[[Replacement], str], *, say: Say) -> str:
    """Repair a prefix; the path of the journal.

    ``wheel`` gives the path of a wheel whose hash was checked; all are asked for before anything
    is changed. ``say`` is told before each step. An error or Ctrl-C undoes what was done.

    Raises:
        InputError: something would be changed that may not be, or links lead out of the prefix.
        ToolError: a wheel cannot be had or read, or the disk refuses.
    """
    try:
        before = staging.look(part.prefix, "touched")
        with turns.alone(part.prefix):
            _sweep(part.prefix)
            path = prepare(part, wheel, before=before, say=say)
            try:
                carry_out(path, say=say)
            except BaseException:
                _undo(path, say=_silent)
                raise
    except OSError as error:
        raise cannot_write(part.prefix, error) from None
    return path


def prepare(part: Part, wheel: Callable[[Replacement], str], *, before: Folder, say: Say) -> str:
    """Write the journal of a repair, with the files that come; nothing of the prefix is changed.

    Raises:
        InputError, ToolError, OSError: as :func:`apply`; nothing is left of it.
    """
    now = datetime.now(UTC)
    path = f"{part.prefix.rstrip('/')}/{FOLDER}/{now:%Y%m%dT%H%M%S.%fZ}"
    try:
        os.makedirs(path, mode=0o700)
        stage = staging.Stage(journal=path, when=f"{now:%Y-%m-%dT%H:%M:%SZ}", prefix=before)
        made = staging.manifest(part, stage, wheel, say=say)
        undoing.durable(f"{path}/{NAME}", msgspec.json.encode(made))
    except BaseException:
        temporary.remove_tree(path, quietly=True)
        undoing.leave(part.prefix, before.mtime)
        raise
    return path


def carry_out(journal: str, *, say: Say) -> None:
    """Do what a journal says, from its first step on. What is killed on the way is undone by
    :func:`undo`.

    Raises:
        OSError: the disk refuses.
    """
    made = read(journal)
    total = len(made.gone) + len(made.come)
    for done, gone in enumerate(made.gone):
        say(f"moving {done} of {total} files ...")
        os.rename(gone.path, f"{journal}/{gone.kept}")
    for folder in reversed(made.folders):
        if folder.change == "removed":
            say("removing empty folders ...")
            os.rmdir(folder.path)
    for folder in made.folders:
        if folder.change == "made":
            say("making folders ...")
            os.mkdir(folder.path)
    for done, come in enumerate(made.come, len(made.gone)):
        say(f"moving {done} of {total} files ...")
        os.rename(f"{journal}/{come.staged}", come.path)
    say("finishing ...")
    undoing.durable(f"{journal}/{FINISHED}", b"")


def undo(journal: str, *, say: Say) -> Manifest:
    """Undo a repair, or what a killed one has done, and remove its journal.

    An undo that was killed is gone on with.

    Raises:
        InputError: there is no such journal, a newer one stands, or files have changed since
            (named; nothing is changed).
        ToolError: the disk refuses; it can be tried again.
    """
    made = read(journal)
    newest = latest(made.prefix)
    if newest is None or not os.path.samefile(newest, journal):
        raise InputError(
            f"{journal} is not the last repair of {made.prefix}",
            hint=f"undo {newest} first" if newest else None,
        )
    try:
        with turns.alone(made.prefix):
            return _undo(newest, say=say)
    except OSError as error:
        raise cannot_write(made.prefix, error) from None


def _undo(journal: str, *, say: Say) -> Manifest:
    made = read(journal)
    if not os.path.isfile(f"{journal}/{UNDONE}"):
        undoing.check(made, journal)
        undoing.move_back(made, journal, say=say)
        say("removing the journal ...")
        os.rename(f"{journal}/{NAME}", f"{journal}/{UNDONE}")
    for name in files.names(journal, label=journal):
        if name != UNDONE:
            say("removing the journal ...")
            _remove(f"{journal}/{name}")
    mtime = os.stat(made.prefix).st_mtime_ns
    temporary.remove_tree(journal)
    undoing.leave(made.prefix, mtime)
    return made


def _remove(path: str) -> None:
    if os.path.isdir(path):
        temporary.remove_tree(path)
    else:
        os.unlink(path)


def latest(prefix: str) -> str | None:
    """The newest journal of a prefix, whether its repair came to its end or not."""
    folder = f"{prefix.rstrip('/')}/{FOLDER}"
    names = reversed(files.names(folder, label=folder))
    return next((f"{folder}/{name}" for name in names if _text(f"{folder}/{name}")), None)


def _text(journal: str) -> bytes | None:
    """The journal as it is written, where one is."""
    return files.read_if_exists(f"{journal}/{NAME}") or files.read_if_exists(f"{journal}/{UNDONE}")


def finished(journal: str) -> bool:
    """Whether a repair came to its end; one that was killed is to be undone."""
    return os.path.isfile(f"{journal}/{FINISHED}")


def read(journal: str) -> Manifest:
    """What a journal says.

    Raises:
        InputError: it is none, or one of another envbuild.
    """
    data = _text(journal)
    if data is None:
        raise InputError(f"{journal} is no journal of a repair")
    try:
        made = typed.decode(data, Manifest)
    except msgspec.MsgspecError as error:
        raise InputError(f"{journal}/{NAME} cannot be read: {error}") from None
    inside = os.path.realpath(f"{made.prefix.rstrip('/')}/{FOLDER}")
    here = os.path.dirname(os.path.realpath(journal)) == inside
    if made.format != FORMAT or not here or not _is_own(made):
        raise InputError(f"{journal} was not written here by this envbuild")
    return made


def _is_own(made: Manifest) -> bool:
    """Whether a journal moves nothing but what lies in its prefix, between there and itself: it
    may come with an environment of somebody else."""
    top = f"{made.prefix.rstrip('/')}/"
    paths = [one.path for one in made.gone] + [one.path for one in made.come]
    paths += [one.path for one in made.folders[:-1]]
    inner = [*(one.kept for one in made.gone), *(one.staged for one in made.come)]
    return (
        bool(made.folders)
        and made.folders[-1].path == made.prefix
        and all(path.startswith(top) and os.path.normpath(path) == path for path in paths)
        and all(_INNER.fullmatch(name) for name in inner)
    )


# --- The folder of the journals ------------------------------------------------------------------


def _sweep(prefix: str) -> None:
    """Remove what is no journal: a repair was killed before it began, or after it was undone."""
    folder = f"{prefix.rstrip('/')}/{FOLDER}"
    for name in files.names(folder, label=folder):
        if _text(f"{folder}/{name}") is None:
            temporary.remove_tree(f"{folder}/{name}", quietly=True)


def _silent(_: str) -> None:
    """Nobody is told how a failed repair is undone."""
