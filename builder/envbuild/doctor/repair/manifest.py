"""What a repair has put where, as it stands in its journal before anything is moved. Values only.

Every file that goes away or comes is in exactly one of two places: where it belongs, or in the
journal's folder. It changes places by one rename, so the places alone say how far a repair has
come, whenever it was cut off.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FORMAT = 1
NAME = "journal.json"
UNDONE = "undone.json"
"""What a journal is renamed to once everything is back: only its own folder is left to remove."""

FINISHED = "finished"
"""Stands beside it once everything is in place."""

LATER = "later.json"
"""The folders that somebody else has changed since, written when an undo begins: they keep their
times."""

FOLDER = ".envbuild-doctor"
"""Where a prefix keeps the journals of its repairs."""


class Gone(Struct, frozen=True, kw_only=True):
    """A file or link that goes away: it stands at ``path`` before, and below the journal as
    ``kept`` after."""

    path: str
    kept: str


class Come(Struct, frozen=True, kw_only=True):
    """A file that comes: below the journal as ``staged`` before, at ``path`` after. ``sha256`` (64
    hex digits) and ``mode`` say whether it is still what was put there."""

    path: str
    staged: str
    sha256: str
    mode: int


class Folder(Struct, frozen=True, kw_only=True):
    """A folder that something goes from or comes into.

    ``made``: the repair makes it; ``removed``: it is empty after the repair, which removes it;
    ``touched``: it is there before and after. ``mode``, ``mtime`` (nanoseconds), ``owner`` and
    ``group`` are those that it had.
    """

    path: str
    change: Literal["made", "removed", "touched"]
    mode: int = 0
    mtime: int = 0
    owner: int = -1
    group: int = -1


class Manifest(Struct, frozen=True, kw_only=True):
    """A repair. ``what`` is for people, one line for each step; ``when`` is RFC 3339, UTC.
    ``folders`` stand in the order in which they are made."""

    format: int
    prefix: str
    when: str
    what: tuple[str, ...]
    gone: tuple[Gone, ...]
    come: tuple[Come, ...]
    folders: tuple[Folder, ...]
