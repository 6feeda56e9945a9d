"""The journal of a test: what it began, and what came of it, line by line. Pure."""

from __future__ import annotations

import contextlib

import msgspec
from msgspec import Struct

from envbuild.smoke.model import Told
from envbuild.tools import typed


class _Note(Struct, frozen=True, kw_only=True):
    """One line of a journal."""

    begin: str = ""
    result: Told | None = None


def notes(text: bytes) -> tuple[tuple[Told, ...], str]:
    """The results that a journal holds, and the check that was begun and has none."""
    done: list[Told] = []
    begun = ""
    for line in text.splitlines():
        with contextlib.suppress(msgspec.MsgspecError):
            note = typed.decode(line, _Note)
            if note.result is not None:
                done.append(note.result)
                begun = ""
            elif note.begin:
                begun = note.begin
    return tuple(done), begun
