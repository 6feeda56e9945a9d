"""A build context from a vendored folder: what was rendered, and beside each list its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.build import staging
from envbuild.build.staging import Material
from envbuild.errors import InputError
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.build.vendor.model import Input, Piece, Target, Vendored

_CHUNK = 1 << 20


class Handed(Struct, frozen=True, kw_only=True):
    """How many files a context was given, and their bytes."""

    files: int
    bytes: int


def hand_out(folder: str, vendored: Vendored, target: Target, *, context: str, into: str) -> Handed:
    """Make the folder ``into`` from what was rendered into ``context`` and from the vendored
    ``folder``, whose files were checked a moment ago.

    Raises:
        InputError: nothing was rendered.
        ToolError: it cannot be written.
    """
    places = {one.sha256: f"{folder}/{one.file}" for one in vendored.artifacts}
    staging.copy(context, into, target.variant)
    files = size = 0
    for one in target.inputs:
        more, bytes_, _ = _lay(one, f"{into}/{one.path}", places)
        files, size = files + more, size + bytes_
    return Handed(files=files, bytes=size)


def _lay(one: Input, folder: str, places: Mapping[str, str]) -> tuple[int, int, int]:
    for piece in one.pieces:
        _refuse_outside(piece)
        if piece.skip:
            _tail(places[piece.sha256], f"{folder}/{piece.path}", piece.skip)
    plain = (piece for piece in one.pieces if not piece.skip)
    material = [Material(source=places[piece.sha256], path=piece.path) for piece in plain]
    count, size, fetched = staging.lay(folder, material, marked=one.marked)
    return count + len(one.pieces) - len(material), size, fetched


def _refuse_outside(piece: Piece) -> None:
    parts = piece.path.split("/")
    if piece.path.startswith("/") or ".." in parts or "" in parts:
        raise InputError(f"the manifest names {piece.path!r}, which is no path of an input folder")


def _tail(source: str, target: str, skip: int) -> None:
    """What stands in a file behind its first bytes, as a file of its own."""
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(source, "rb") as file, open(target, "wb") as made:
            file.seek(skip)
            while data := file.read(_CHUNK):
                made.write(data)
    except OSError as error:
        raise cannot_write(target, error) from None
