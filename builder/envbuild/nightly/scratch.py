"""A workspace of its own for one profile, where a night may lock, render and build.

It has what the profile is read from, as it was when the night began, and keeps what was made of it:
records of builds, rendered files. The user's workspace is read alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from envbuild.errors import EnvbuildError, InputError, Mark
from envbuild.lock.folder import LockFolder, named_files
from envbuild.lock.folder import encode as encoded
from envbuild.lock.model import HEADER
from envbuild.profile.resolve import resolve
from envbuild.profile.resolved import ResolvedProfile
from envbuild.tools import files
from envbuild.workspace import SHIPPED, Profiles, Workspace

_OWN = ("envs", "templates", "knowledge")
"""The folders of a scratch workspace that hold copies alone."""

_VALUE = re.compile(r"""(?P<key>as-of\s*:\s*)(?:'[^'\n]*'|"[^"\n]*"|[^\s,}#]+)""")


class Snapshot(Struct, frozen=True, kw_only=True):
    """All that a profile's scratch workspace is made of, as it was read.

    ``texts`` are the files below ``envs``, ``templates`` and ``knowledge``, by their path in a
    workspace; ``locks`` those below ``lockfiles``: the profile's own and its peers'. ``shipped``
    are those of ``texts`` that envbuild brings. ``moments`` are the places where the profile says
    its ``as-of``.
    """

    profile: str
    texts: Mapping[str, bytes]
    locks: Mapping[str, bytes]
    shipped: frozenset[str] = frozenset()
    moments: tuple[Mark, ...] = ()


class Scratch(Struct, frozen=True, kw_only=True):
    """A scratch workspace: ``root`` is its folder, ``lock`` the profile's lock folder in it."""

    root: str
    snapshot: Snapshot

    @property
    def profile(self) -> str:
        """The profile that it is for."""
        return self.snapshot.profile

    @property
    def lock(self) -> str:
        """The lock folder of the profile."""
        return f"{self.root}/lockfiles/{self.profile}"


# --- Reading the user's workspace ----------------------------------------------------------------


def snapshot(workspace: Workspace, found: Profiles, profile: str) -> Snapshot:
    """What a profile, its parents and its peers are read from.

    A profile that cannot be used has every file of ``envbuild``'s kind beside it, so that what is
    wrong with it can be said in the same words.

    Raises:
        InputError: a file that is there cannot be read.
    """
    try:
        resolved = resolve(profile, found.sources)
    except InputError:
        return _broken(workspace, found, profile)
    peers = _peers(found, resolved)
    everyone = (resolved, *peers)
    labels = sorted({label for one in everyone for label in one.files})
    texts = {_inside(label): files.read_bytes(found.paths[label], label=label) for label in labels}
    for one in everyone:
        texts |= _copied(found, one)
    return Snapshot(
        profile=profile,
        texts={**texts, **_shared(workspace)},
        locks=_locks(workspace, tuple(one.name for one in everyone)),
        shipped=_shipped(labels),
        moments=_moments(resolved),
    )


def _broken(workspace: Workspace, found: Profiles, profile: str) -> Snapshot:
    labels = sorted(found.labels.values())
    texts: dict[str, bytes] = {}
    for label in labels:
        data = files.read_if_exists(found.paths[label], label=label)
        if data is not None:
            texts[_inside(label)] = data
    return Snapshot(
        profile=profile,
        texts={**texts, **_shared(workspace)},
        locks=_locks(workspace, (profile,)),
        shipped=_shipped(labels),
    )


def _inside(label: str) -> str:
    """Where a profile's file stands in a scratch workspace: a shipped one as if it were there."""
    return os.path.normpath(label.removeprefix(SHIPPED))


def _shipped(labels: Iterable[str]) -> frozenset[str]:
    return frozenset(_inside(label) for label in labels if label.startswith(SHIPPED))


def _peers(found: Profiles, profile: ResolvedProfile) -> tuple[ResolvedProfile, ...]:
    """The profiles that contracts name; one that cannot be used is left out, as checks do."""
    named = {
        contract.peer for variant in profile.variants for contract in variant.environment.contracts
    }
    peers = []
    for name in sorted((named & found.sources.keys()) - {profile.name}):
        try:
            peers.append(resolve(name, found.sources))
        except EnvbuildError:
            continue
    return tuple(peers)


def _copied(found: Profiles, profile: ResolvedProfile) -> dict[str, bytes]:
    """The files that a profile copies into its image; one that is not there is told of when it is
    looked for."""
    copied: dict[str, bytes] = {}
    for variant in profile.variants:
        for index, file in enumerate(variant.environment.files):
            mark = variant.marks[("files", index, "source")]
            beside = os.path.dirname(found.paths[mark.file])
            inside = os.path.normpath(f"{os.path.dirname(_inside(mark.file))}/{file.source}")
            data = files.read_if_exists(f"{beside}/{file.source}", label=file.source)
            if data is not None:
                copied[inside] = data
    return copied


def _shared(workspace: Workspace) -> dict[str, bytes]:
    """The workspace's own templates and books."""
    found = {
        label: text.encode()
        for kind in ("rules", "signatures")
        for label, text in workspace.knowledge(kind).items()
    }
    for place, folders, names in os.walk(workspace.path("templates")):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".j2") and not name.startswith("."):
                path = os.path.join(place, name)
                inside = os.path.normpath(os.path.relpath(path, workspace.root))
                found[inside] = files.read_bytes(path, label=inside)
    return found


def _locks(workspace: Workspace, profiles: Iterable[str]) -> dict[str, bytes]:
    """Every file of the lock folders, whether it can be used or not."""
    found = {}
    for profile in profiles:
        folder = workspace.path("lockfiles", profile)
        files.recover(folder)
        for name in files.names(folder, label=f"lockfiles/{profile}"):
            if os.path.isfile(f"{folder}/{name}"):
                found[f"lockfiles/{profile}/{name}"] = files.read_bytes(f"{folder}/{name}")
    return found


def _moments(profile: ResolvedProfile) -> tuple[Mark, ...]:
    marks = {
        variant.marks[("as-of",)]
        for variant in profile.variants
        if variant.environment.as_of and ("as-of",) in variant.marks
    }
    return tuple(sorted(marks))


# --- Writing the scratch workspace ---------------------------------------------------------------


def sync(snapshot: Snapshot, root: str, *, moment: str = "") -> Scratch:
    """A scratch workspace in the folder ``root`` that is as the snapshot, with the committed lock.

    What was rendered and built there stays. With ``moment`` (RFC 3339) the profile's ``as-of`` is
    this one, wherever it is said: a lock may then hold what was published up to it.

    Raises:
        ToolError: it cannot be written.
    """
    wanted = {**as_of(snapshot, moment), **snapshot.locks}
    there = {path for folder in (*_OWN, "lockfiles") for path in _found(root, folder)}
    os.makedirs(root, exist_ok=True)
    files.write_tree(root, wanted, remove=sorted(there - wanted.keys()))
    return Scratch(root=root, snapshot=snapshot)


def as_of(snapshot: Snapshot, moment: str) -> dict[str, bytes]:
    """The files of a snapshot, with the moment where the profile states one.

    Raises:
        InputError: it is written in a way that is not understood.
    """
    texts = dict(snapshot.texts)
    for mark in reversed(snapshot.moments) if moment else ():
        path = _inside(mark.file)
        text = texts[path].decode()
        above = text.splitlines(keepends=True)[: mark.line - 1]
        start = sum(map(len, above)) + mark.column - 1
        found = _VALUE.match(text, start)
        if found is None:
            raise InputError(
                f"{mark}: the as-of cannot be moved in a copy", hint="write it as: as-of: DATE"
            )
        moved = f"{text[: found.start()]}{found['key']}{moment}{text[found.end() :]}"
        texts[path] = moved.encode()
    return texts


def put_lock(scratch: Scratch, lock: LockFolder) -> None:
    """Make a lock the profile's in its scratch workspace: byte for byte, and nothing beside it.

    Raises:
        ToolError: it cannot be written.
    """
    assert lock.header is not None  # a lock that a history keeps
    wanted = {HEADER: encoded(lock.header)}
    wanted |= {path: lock.texts[path] for path in named_files(lock.header) if path in lock.texts}
    there = files.names(scratch.lock, label=f"lockfiles/{scratch.profile}")
    files.write_tree(scratch.lock, wanted, remove=sorted(set(there) - wanted.keys()))


def _found(root: str, folder: str) -> Iterable[str]:
    for place, _, names in os.walk(f"{root}/{folder}"):
        for name in names:
            yield os.path.relpath(f"{place}/{name}", root)
