"""One archive for a bug report: what it holds, masked, and its bytes. Pure."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable

from msgspec import Struct

from envbuild.report.masking import Masks

MOST = 4 * 1024 * 1024
"""Bytes that are taken of one log: its end, where the failure stands."""

_FOLDER = "envbuild-support"


class Piece(Struct, frozen=True, kw_only=True):
    """One file of the archive: its path in it, its text, and in words what it is. ``hidden`` is
    how often something in it was masked."""

    path: str
    text: str
    what: str
    hidden: int = 0

    @property
    def size(self) -> int:
        """Bytes of the text."""
        return len(self.text.encode("utf-8", "backslashreplace"))


def masked(pieces: Iterable[Piece], masks: Masks) -> tuple[Piece, ...]:
    """The pieces without secrets, names of users and of hosts; in their paths too."""
    found = []
    for piece in pieces:
        before = masks.hidden
        text = masks.text(piece.text)
        hidden = masks.hidden - before
        path = masks.text(piece.path)
        found.append(Piece(path=path, text=text, what=piece.what, hidden=hidden))
    return tuple(found)


def end_of(data: bytes) -> str:
    """The text of a log; of a long one, its end from a whole line on."""
    if len(data) > MOST:
        data = b"[the beginning is left out]\n" + data[-MOST:].partition(b"\n")[2]
    return data.decode("utf-8", "replace")


def archive(pieces: Iterable[Piece]) -> bytes:
    """The pieces as a packed tar; equal pieces give equal bytes, which tell nothing of when, where
    or by whom they were packed."""
    written = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=written, mode="wb", mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for piece in sorted(pieces, key=lambda one: one.path):
            data = piece.text.encode("utf-8", "backslashreplace")
            member = tarfile.TarInfo(f"{_FOLDER}/{piece.path}")
            member.size = len(data)
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(data))
    return written.getvalue()
