"""The two sides of ``envbuild diff``: what was named, and reading it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.cli import locking
from envbuild.errors import InputError
from envbuild.lock import diff, folder
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import HEADER
from envbuild.profile import explain
from envbuild.tools import images, proc
from envbuild.tools.git import Git

if TYPE_CHECKING:
    from envbuild.workspace import Workspace

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

FORMS = (
    "a profile, REVISION:PROFILE, a lock folder, an image, oci:DIR or tar:FILE; "
    "git: and image: in front settle what is meant"
)


class ImageSide(Struct, frozen=True, kw_only=True):
    """One side that is an image: one value for each platform."""

    label: str
    images: tuple[images.Image, ...]

    def variants(self) -> tuple[str, ...]:
        """The platforms."""
        return tuple(image.platform for image in self.images)


Side = diff.LockSide | ImageSide


class Reader:
    """Reads what the user names, in one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._git = Git(workspace.root, os.environ, proc.run)

    def read(self, named: str) -> Side:
        """The side that a text names.

        Raises:
            InputError: it names nothing that is there.
            ToolError: git or a container engine is missing or fails.
        """
        kind, colon, rest = named.partition(":")
        if colon and kind == "oci":
            return ImageSide(label=named, images=images.from_folder(rest, named))
        if colon and kind == "tar":
            return ImageSide(label=named, images=images.from_archive(rest, named))
        if colon and kind == "image":
            return self._image(rest)
        if colon and kind == "git":
            return self._at_revision(*_split(rest))
        return self._unmarked(named)

    def at_revision(self, revision: str, profile: str) -> Side:
        """A profile's lock as it is at a git revision."""
        return self._at_revision(revision, profile)

    def _unmarked(self, named: str) -> Side:
        path = lock_folder(named)
        if path is not None:
            return diff.side(folder.read(path, path))
        if self._known(named):
            return diff.side(folder.read(*locking.workspace_path(self._workspace, named)))
        revision, colon, profile = named.rpartition(":")
        if colon and _NAME.fullmatch(profile) and self._is_revision(revision, profile):
            return self._at_revision(revision, profile)
        if not re.search(r"[:/@]", named):
            self._refuse(named)
        if named.startswith((".", "/")) or named.endswith(".json"):
            raise InputError(f"{named} holds no lock", hint=f"a side is {FORMS}")
        return self._image(named)

    def _known(self, name: str) -> bool:
        if not _NAME.fullmatch(name):
            return False
        path, _ = locking.workspace_path(self._workspace, name)
        return os.path.exists(f"{path}/{HEADER}") or name in self._workspace.profiles().sources

    def _is_revision(self, revision: str, profile: str) -> bool:
        """Whether ``a:b`` means a revision: there is such a profile, or such a revision."""
        if self._known(profile):
            return True
        try:
            return self._git.commit(revision) is not None
        except InputError:
            return False

    def _refuse(self, name: str) -> None:
        sources = self._workspace.profiles().sources
        hint = explain.known_names(name, sources)
        raise InputError(f"no profile is called {name!r}", hint=f"{hint}; a side is {FORMS}")

    def _image(self, reference: str) -> ImageSide:
        found = images.from_engine(reference, os.environ, proc.run)
        return ImageSide(label=reference, images=found)

    def _at_revision(self, revision: str, profile: str) -> diff.LockSide:
        return diff.side(self.lock_at(revision, profile))

    def lock_at(self, revision: str, profile: str) -> LockFolder:
        """The lock folder of a profile as it is at a git revision.

        Raises:
            InputError: there is no such revision, or no lock at it.
            ToolError: git is missing or fails.
        """
        commit = self._git.commit(revision) if revision else None
        if commit is None:
            raise InputError(
                f"no revision {revision!r} in this repository",
                hint="git log shows those that are here; a shallow clone lacks the old ones",
            )
        here = f"lockfiles/{profile}"
        label = f"{revision}:{here}"
        data = self._git.read(commit, f"{here}/{HEADER}")
        if data is None:
            raise InputError(
                f"{here}/{HEADER} does not exist at {revision}",
                hint=f"git log -- {here} shows since when it does",
            )
        header = folder.decode(data, f"{label}/{HEADER}")
        texts = dict(self._texts(commit, here, folder.named_files(header)))
        return LockFolder(label=label, header=header, texts=texts)

    def _texts(self, commit: str, here: str, paths: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            data = self._git.read(commit, f"{here}/{path}")
            if data is not None:
                yield path, data


def _split(text: str) -> tuple[str, str]:
    revision, _, profile = text.rpartition(":")
    if not revision or not _NAME.fullmatch(profile):
        raise InputError(f"{text!r} is not REVISION:PROFILE", hint="git:main:isaac-g1")
    return revision, profile


def lock_folder(named: str) -> str | None:
    """The lock folder that a path is, or whose header it is; None for anything else."""
    path = os.path.normpath(named)
    if os.path.basename(path) == HEADER and os.path.isfile(path):
        return os.path.dirname(path) or "."
    return path if os.path.isfile(f"{path}/{HEADER}") else None
