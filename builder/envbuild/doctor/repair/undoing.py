"""Undoing a repair: whether everything is where it was put, and then every file back."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator

import msgspec

from envbuild.doctor.repair import owned
from envbuild.doctor.repair.manifest import FINISHED, FOLDER, LATER, Come, Folder, Manifest
from envbuild.errors import InputError
from envbuild.speech import counted
from envbuild.tools import files, typed
from envbuild.tools.store import digest

_SHOWN = 5


def check(made: Manifest, journal: str) -> None:
    """Refuse to undo a repair whose files have changed since.

    Raises:
        InputError: with the files; nothing was changed.
        OSError: something cannot be looked at.
    """
    wrong = sorted(set(_changed(made, journal)))
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise InputError(
            f"{counted(len(wrong), 'file')} changed since the repair: "
            f"{', '.join(wrong[:_SHOWN])}{more}",
            hint=f"nothing was undone; what went away is in {journal}",
        )


def _changed(made: Manifest, journal: str) -> Iterator[str]:
    in_place = {one.path for one in made.come if not os.path.lexists(f"{journal}/{one.staged}")}
    derived = set(_derived(made, journal))
    for one in made.come:
        if _behind_link(one.path) or (one.path in in_place and not _as_put(one)):
            yield one.path
    for gone in made.gone:
        there = os.path.lexists(gone.path)
        if os.path.lexists(f"{journal}/{gone.kept}"):
            lost = there and gone.path not in in_place and gone.path not in derived
        else:
            lost = not there
        if lost or _behind_link(gone.path):
            yield gone.path
    known = in_place | derived | {one.path for one in made.gone}
    for folder in made.folders:
        if folder.change == "made" and os.path.isdir(folder.path):
            yield from (path for path in owned.below(folder.path) if path not in known)


def _as_put(one: Come) -> bool:
    try:
        found = os.lstat(one.path)
    except FileNotFoundError:
        return False
    same = stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == one.mode
    return same and digest(one.path) == one.sha256


def _behind_link(path: str) -> bool:
    above = os.path.dirname(path)
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    return os.path.realpath(above) != above


def _derived(made: Manifest, journal: str) -> Iterator[str]:
    """What Python has compiled of the new modules since: it goes with them."""
    kept = {one.path for one in made.gone if not os.path.lexists(f"{journal}/{one.kept}")}
    come = {one.path for one in made.come}
    for path in owned.compiled(come):
        if path not in kept and path not in come:
            yield path


def move_back(made: Manifest, journal: str, *, say: Callable[[str], None]) -> None:
    """Put every file back; it may be begun anew wherever it was cut off.

    Raises:
        OSError: the disk refuses.
    """
    later = _later(made, journal)
    total = len(made.gone) + len(made.come)
    for path in tuple(_derived(made, journal)):
        say("removing what was compiled since ...")
        os.unlink(path)
    for done, come in enumerate(made.come):
        if not os.path.lexists(f"{journal}/{come.staged}"):
            say(f"moving {done} of {total} files back ...")
            os.rename(come.path, f"{journal}/{come.staged}")
    _remove_made(made, say)
    _make_removed(made.folders, say)
    for done, gone in enumerate(made.gone, len(made.come)):
        if os.path.lexists(f"{journal}/{gone.kept}"):
            say(f"moving {done} of {total} files back ...")
            os.rename(f"{journal}/{gone.kept}", gone.path)
    for folder in reversed(made.folders):
        say("restoring folders ...")
        if folder.change == "removed":
            os.chmod(folder.path, folder.mode)
            with contextlib.suppress(PermissionError):
                os.chown(folder.path, folder.owner, folder.group)
        if folder.change != "made" and folder.path not in later:
            keep_time(folder.path, folder.mtime)


def _later(made: Manifest, journal: str) -> frozenset[str]:
    """The folders that were changed after the repair. The first undo writes them down: after it
    was cut off, its own changes would be among them."""
    known = files.read_if_exists(f"{journal}/{LATER}")
    if known is None:
        until = _time(f"{journal}/{FINISHED}")
        found = [one.path for one in made.folders if until and _time(one.path) > until]
        known = msgspec.json.encode(found)
        durable(f"{journal}/{LATER}", known)
    return frozenset(typed.decode(known, tuple[str, ...]))


def durable(path: str, data: bytes) -> None:
    """Write a file that is there whole, or not at all, a power cut later too.

    Raises:
        OSError: the disk refuses.
    """
    beside = f"{path}.part"
    with open(beside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(beside, path)
    handle = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def _remove_made(made: Manifest, say: Callable[[str], None]) -> None:
    known = {one.path for one in made.folders}
    caches = {f"{os.path.dirname(one.path)}/__pycache__" for one in made.come}
    grown = sorted(path for path in caches - known if os.path.isdir(path))
    made_folders = [one.path for one in made.folders if one.change == "made"]
    for path in (*grown, *reversed(made_folders)):
        with contextlib.suppress(FileNotFoundError):
            say("removing folders ...")
            os.rmdir(path)


def _make_removed(folders: Iterable[Folder], say: Callable[[str], None]) -> None:
    for one in folders:
        if one.change == "removed" and not os.path.lexists(one.path):
            say("making folders ...")
            os.mkdir(one.path)


def keep_time(folder: str, mtime: int) -> None:
    """Let a folder say that it was changed when it says (nanoseconds), and not now.

    Raises:
        OSError: the disk refuses.
    """
    os.utime(folder, ns=(os.stat(folder).st_atime_ns, mtime))


def leave(prefix: str, mtime: int) -> None:
    """Remove the folder of the journals where no other one is in it, and leave no trace of it:
    ``mtime`` is that of the prefix (nanoseconds)."""
    with contextlib.suppress(OSError):  # another journal may be in it
        os.rmdir(f"{prefix.rstrip('/')}/{FOLDER}")
        keep_time(prefix, mtime)
