"""The line by which a file of ``envbuild ci`` is known, and what it remembers: its own command.

Options that a user does not give again are taken from there, so that ``envbuild ci github`` and
``--check`` need none after the first time.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_START = "# Written by envbuild. Do not edit: "
_LINE = re.compile(rf"^(?:#![^\n]*\n)?{re.escape(_START)}envbuild (ci [^\n]*)$", re.MULTILINE)


def line(words: Iterable[str]) -> str:
    """The line for a command line: ``("ci", "github", "--shards", "2")``."""
    return f"{_START}envbuild {shlex.join(words)}"


def words(text: str) -> tuple[str, ...] | None:
    """The command line that wrote a file; None where it is somebody else's.

    The mark is the first line, or the second below that of an interpreter.
    """
    found = _LINE.match(text)
    if found is None:
        return None
    try:
        return tuple(shlex.split(found[1]))
    except ValueError:
        return ()
