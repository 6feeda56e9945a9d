"""Text that a command gives on stdout, or writes to the file that ``--output`` names."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from envbuild.errors import InputError
from envbuild.tools import files

if TYPE_CHECKING:
    from envbuild.cli.main import Session


def give(session: Session, text: str, output: str | None) -> None:
    """The text on stdout, or in a file whose folder is there; the user is told what was written.

    Raises:
        InputError: ``output`` is a folder, or lies in one that does not exist.
        ToolError: it cannot be written.
    """
    if output is None:
        session.console.data(text.rstrip("\n"))
        return
    path = os.path.normpath(os.path.join(session.here, output))
    if os.path.isdir(path) or output.endswith("/"):
        raise InputError(f"{output} is a folder", hint="name a file in it")
    folder, name = os.path.split(path)
    if not os.path.isdir(folder or "."):
        raise InputError(
            f"{os.path.dirname(output)} is not a folder",
            hint=f"make it first: mkdir -p {shlex.quote(folder)}",
        )
    changed = files.write_tree(folder or ".", {name: text.encode()})
    session.console.say(f"{output}: {'written' if changed else 'unchanged'}")
