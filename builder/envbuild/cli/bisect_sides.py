"""The good and the bad lock of ``envbuild bisect``: what was named, or what the history knows."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from envbuild.cli import locking, sides
from envbuild.errors import InputError
from envbuild.history import blobs, judging
from envbuild.history.opening import opened
from envbuild.lock import folder
from envbuild.lock.folder import LockFolder
from envbuild.tools import proc
from envbuild.tools.git import Git

if TYPE_CHECKING:
    from collections.abc import Callable

    from envbuild.history.model import Night, ProfileNight
    from envbuild.history.store import History
    from envbuild.workspace import Workspace

FORMS = "a lock folder, a git revision, REVISION:PROFILE, or a night of the history"

End = Literal["good", "bad"]


class Chosen(Struct, frozen=True, kw_only=True):
    """One end of a search: its lock, what it is called, and the revision of the workspace that it
    is from (empty: not known)."""

    lock: LockFolder
    label: str
    revision: str = ""


class Ends:
    """Finds the two ends for a profile; ``place`` is the history as the user names it."""

    def __init__(self, workspace: Workspace, profile: str, place: str) -> None:
        self._workspace = workspace
        self._profile = profile
        self._place = place
        self._reader = sides.Reader(workspace)
        self._git = Git(workspace.root, os.environ, proc.run)

    def chosen(self, good: str | None, bad: str | None) -> tuple[Chosen, Chosen]:
        """The good end and the bad one.

        Raises:
            InputError: one is missing or names nothing, or both are one lock.
            ToolError: git is missing or fails.
        """
        first = self._named(good) if good else self._from_history("good") or self._at_head()
        last = self._named(bad) if bad else self._from_history("bad") or self._now()
        return first, last

    # --- What was named ---------------------------------------------------------------------

    def _named(self, text: str) -> Chosen:
        path = sides.lock_folder(text)
        if path is not None:
            return _whole(folder.read(path, path), text)
        night = self._night(text)
        if night is not None:
            return self._of_night(*night)
        kind, colon, rest = text.partition(":")
        revision, _, profile = (rest if colon and kind == "git" else text).rpartition(":")
        if revision and profile == self._profile:
            return self._revision(revision)
        if revision:
            raise InputError(
                f"{text!r} is of another profile than {self._profile}", hint=f"a side is {FORMS}"
            )
        if text.startswith((".", "/")) or os.path.isdir(text):
            raise InputError(f"{text} holds no lock", hint=f"a side is {FORMS}")
        return self._revision(text)

    def _revision(self, revision: str) -> Chosen:
        lock = self._reader.lock_at(revision, self._profile)
        return Chosen(lock=lock, label=lock.label, revision=revision)

    # --- The history ------------------------------------------------------------------------

    @functools.cached_property
    def _history(self) -> History:
        return opened(self._place, self._workspace.root, os.environ, proc.run)

    @functools.cached_property
    def _nights(self) -> tuple[Night, ...]:
        return self._history.nights().nights

    def _night(self, named: str) -> tuple[Night, ProfileNight] | None:
        for night in reversed(self._nights):
            if named in (night.id, night.name):
                for one in night.profiles:
                    if one.profile == self._profile:
                        return night, one
        if any(named in (night.id, night.name) for night in self._nights):
            raise InputError(f"{self._profile} was no part of the night {named}")
        return None

    def _from_history(self, end: End) -> Chosen | None:
        """What the history knows; None where it has no such night with a lock."""
        find: Callable[[tuple[Night, ...], str], tuple[Night, ProfileNight] | None]
        find = judging.last_good if end == "good" else judging.first_bad
        found = find(self._nights, self._profile)
        return self._of_night(*found) if found and found[1].lock else None

    def _of_night(self, night: Night, one: ProfileNight) -> Chosen:
        label = f"night {night.name}"
        if not one.lock:
            raise InputError(f"{label} kept no lock of {self._profile}", hint=f"a side is {FORMS}")
        data = self._history.blob(one.lock)
        if data is None:
            raise InputError(
                f"the history no longer has the lock of {self._profile} of the {label}",
                hint=f"name another side: {FORMS}",
            )
        return Chosen(lock=blobs.lock_of(data, label), label=label, revision=night.revision)

    # --- Without a history ------------------------------------------------------------------

    def _at_head(self) -> Chosen:
        try:
            return self._revision("HEAD")
        except InputError as error:
            raise InputError(
                f"no good lock of {self._profile} is known: {error.message}",
                hint=f"--good SIDE names one: {FORMS}",
            ) from None

    def _now(self) -> Chosen:
        path, label = locking.workspace_path(self._workspace, self._profile)
        return _whole(folder.read(path, label), label)


def _whole(lock: LockFolder, label: str) -> Chosen:
    if lock.header is None:
        raise InputError(f"{label} holds no lock", hint=f"--bad SIDE names one: {FORMS}")
    return Chosen(lock=lock, label=label)
