"""What a search has heard, on disk: one that was ended goes on where it was."""

from __future__ import annotations

import hashlib
import os

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.nightly.bisecting.model import Heard, Moved
from envbuild.tools import files, typed

STATE = "answers.json"
_SCHEMA = 1


class _Row(Struct, frozen=True, kw_only=True):
    moved: tuple[str, ...]
    heard: Heard


class _File(Struct, frozen=True, kw_only=True):
    schema: int
    about: tuple[str, ...]
    rows: tuple[_Row, ...] = ()


def key(about: tuple[str, ...]) -> str:
    """What a search is called on disk: 16 hex digits of all that its answers depend on."""
    return hashlib.sha256(msgspec.json.encode(about)).hexdigest()[:16]


class Kept:
    """The answers of one search, in ``folder``. ``about`` is all that they depend on: the digests
    of both locks, the test, the variant."""

    def __init__(self, folder: str, about: tuple[str, ...]) -> None:
        self._folder = folder
        self._about = about
        self._rows: dict[Moved, Heard] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def read(self) -> None:
        """Take up what an earlier search left.

        Raises:
            InputError: its file is there and cannot be read.
        """
        path = f"{self._folder}/{STATE}"
        files.recover(self._folder)
        data = files.read_if_exists(path)
        if data is None:
            return
        try:
            found = typed.decode(data, _File)
        except msgspec.MsgspecError as error:
            hint = "--restart begins anew"
            raise InputError(f"{path} cannot be read: {error}", hint=hint) from None
        if (found.schema, found.about) == (_SCHEMA, self._about):
            self._rows = {frozenset(row.moved): row.heard for row in found.rows}

    def forget(self) -> None:
        """Begin anew.

        Raises:
            ToolError: the file cannot be removed.
        """
        self._rows = {}
        if os.path.isdir(self._folder):
            files.write_tree(self._folder, {}, remove=[STATE])

    def answer(self, moved: Moved) -> Heard | None:
        """What was heard of a mixture; None where nothing was."""
        return self._rows.get(moved)

    def same(self, digest: str) -> Heard | None:
        """What was heard of a lock that was tested."""
        return next((one for one in self._rows.values() if one.lock == digest), None)

    def put(self, moved: Moved, heard: Heard) -> None:
        """Keep an answer, at once.

        Raises:
            ToolError: it cannot be written.
        """
        self._rows[moved] = heard
        rows = tuple(_Row(moved=tuple(sorted(one)), heard=each) for one, each in self._rows.items())
        whole = _File(schema=_SCHEMA, about=self._about, rows=rows)
        data = msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"
        files.write_tree(self._folder, {STATE: data})
