"""The profile of a good and of a bad lock: as it stands, or as it was at a revision."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.cli import bisect_words
from envbuild.errors import EnvbuildError, InputError
from envbuild.lock import freshness
from envbuild.nightly import scratch
from envbuild.nightly.scratch import Snapshot
from envbuild.profile.resolve import resolve
from envbuild.tools import files, proc
from envbuild.tools.git import Git
from envbuild.workspace import Workspace

if TYPE_CHECKING:
    from envbuild.cli.bisect_sides import Chosen

_FOLDERS = ("envs", "templates", "knowledge")
UNKNOWN = "the profile of the good lock is not known: only its lock is"


class Sources(Struct, frozen=True, kw_only=True):
    """What the profile is read from on both sides; ``then`` None: it is not known for the good
    side."""

    now: Snapshot
    then: Snapshot | None


def sources(workspace: Workspace, profile: str, ends: tuple[Chosen, Chosen], root: str) -> Sources:
    """The profile of each end: the one under which its lock is fresh. ``root`` is a folder for
    what is read of revisions, and for trying.

    Raises:
        InputError: the bad lock is of no profile that is known here.
        ToolError: git fails, or nothing can be written.
    """
    good, bad = ends
    candidates = _Candidates(workspace, profile, root)
    now = candidates.of(bad)
    if now is None:
        raise InputError(
            f"{bad.label} is not a lock of {profile} as it stands: {candidates.why}",
            hint="name the revision that it is from: --bad REVISION",
        )
    return Sources(now=now, then=candidates.of(good))


class _Candidates:
    """The profile as it stands, then as it was at the revision of a side."""

    def __init__(self, workspace: Workspace, profile: str, root: str) -> None:
        self._workspace = workspace
        self._profile = profile
        self._root = root
        self._git = Git(workspace.root, os.environ, proc.run)
        self._present = scratch.snapshot(workspace, workspace.profiles(), profile)
        self.why = ""

    def of(self, end: Chosen) -> Snapshot | None:
        """The profile of an end; None where its lock is fresh under none, and :attr:`why` says what
        is in the way."""
        self.why = ""
        for one in self._each(end.revision):
            why = self._stale(one, end)
            if not why:
                return one
            self.why = self.why or why
        return None

    def _each(self, revision: str) -> Iterator[Snapshot]:
        yield self._present
        if revision:
            found = self._at(revision)
            if found is not None:
                yield found

    def _stale(self, snapshot: Snapshot, end: Chosen) -> str:
        """Why a lock is not fresh under a profile; empty when it is."""
        header = end.lock.header
        assert header is not None  # an end has a lock
        moment = max(one.input.as_of for one in header.variants.values())
        try:
            place = scratch.sync(snapshot, f"{self._root}/workspace", moment=moment)
            found = Workspace(root=place.root).profiles()
            profile = resolve(self._profile, found.sources)
            state = freshness.state(profile, end.lock)
        except InputError as error:
            return bisect_words.line(error.message)
        return "" if state.fresh else bisect_words.line(state.reasons[0])

    def _at(self, revision: str) -> Snapshot | None:
        """The profile as it was at a revision; None where it cannot be read."""
        try:
            commit = self._git.commit(revision)
        except EnvbuildError as error:
            self.why = error.message
            return None
        if commit is None:
            return None
        names = self._git.names(commit, *_FOLDERS)
        read = ((name, self._git.read(commit, name)) for name in names)
        place = f"{self._root}/at-{commit[:12]}"
        files.write_tree(place, {name: data for name, data in read if data is not None})
        workspace = Workspace(root=place)
        found = workspace.profiles()
        if self._profile not in found.sources:
            return None
        return scratch.snapshot(workspace, found, self._profile)
