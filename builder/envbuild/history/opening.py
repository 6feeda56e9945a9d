"""The history that a user names: a folder, or a branch of the workspace's git repository."""

from __future__ import annotations

import os
from collections.abc import Mapping

from envbuild.errors import InputError
from envbuild.history.branch import BranchHistory
from envbuild.history.folder import FolderHistory
from envbuild.history.store import History
from envbuild.tools.gitobjects import Objects, Run
from envbuild.tools.turns import PRIVATE

DEFAULT = f"{PRIVATE}/history"
"""The place of the history in a workspace, where the user names none."""

_GIT = "git:"


def opened(
    place: str, root: str, environ: Mapping[str, str], runner: Run, *, here: str = ""
) -> History:
    """The history of a place: ``git:BRANCH`` in the repository that ``root`` lies in, else a folder
    relative to ``here`` (empty: to ``root``). Nothing is made before something is added; an empty
    place means :data:`DEFAULT` in ``root``.

    Raises:
        InputError: ``git:`` without a branch.
    """
    if place.startswith(_GIT):
        branch = place.removeprefix(_GIT)
        if not branch:
            raise InputError("git: names no branch", hint="git:nightly")
        return BranchHistory(Objects(root, environ, runner), branch)
    if not place:
        return FolderHistory(os.path.join(root, DEFAULT), DEFAULT)
    path = os.path.join(here or root, os.path.expanduser(place))
    return FolderHistory(path, os.path.normpath(place))
