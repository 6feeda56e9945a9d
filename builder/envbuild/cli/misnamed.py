"""Profiles that nobody sees, because their files end in ``.yml``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from envbuild.errors import EnvbuildError, Problem
from envbuild.profile.resolve import UnknownProfileError
from envbuild.tools import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envbuild.cli.main import Session
    from envbuild.workspace import Workspace

_PROFILE = re.compile(r"^schema *:", re.MULTILINE)
"""What every profile says, and an environment file of conda does not."""


def problems(workspace: Workspace) -> tuple[Problem, ...]:
    """Every file of the workspace that would be a profile if its name ended in ``.yaml``."""
    return tuple(_problem(label) for label in _labels(workspace))


def hint(error: EnvbuildError, session: Session) -> str | None:
    """The hint of an error; where a profile is not known, the file that was meant for it."""
    if isinstance(error, UnknownProfileError):
        for label in _labels(session.workspace):
            if os.path.basename(label) == f"{error.profile}.yml":
                found = _problem(label)
                return f"{found.message}; {found.hint}"
    return error.hint


def _labels(workspace: Workspace) -> Iterator[str]:
    for place, folders, names in os.walk(workspace.path("envs")):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".yml") and not name.startswith("."):
                label = os.path.relpath(os.path.join(place, name), workspace.root)
                if _is_profile(workspace, label):
                    yield label


def _is_profile(workspace: Workspace, label: str) -> bool:
    try:
        return _PROFILE.search(files.read_text(workspace.path(label), label=label)) is not None
    except EnvbuildError:
        return False


def _problem(label: str) -> Problem:
    return Problem(
        message=f"{label} is not read: a profile ends in .yaml",
        hint=f"rename it to {os.path.basename(label).removesuffix('.yml')}.yaml",
    )
