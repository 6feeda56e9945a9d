"""One layer of an image, as it lies over those below it.

A layer adds files over those below, and takes some away: ``.wh.NAME`` removes ``NAME``, and
``.wh..wh..opq`` all that the folder had below (OCI image specification, *Whiteouts*).
"""

from __future__ import annotations

import tarfile
from collections.abc import Collection, Iterator
from typing import IO

from msgspec import Struct

from envbuild.tools import packing
from envbuild.tools.tars import path_of

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
"""How the names of such entries begin, and the one for a whole folder."""

DAMAGE = (tarfile.TarError, OSError, *packing.DAMAGE)
"""What reading a layer raises where it is cut off, damaged, or no tar."""


class Whiteout(Struct, frozen=True):
    """What an entry hides of the layers below: all that is in a ``folder``, or a path with all that
    is in it."""

    path: str
    folder: bool


def hidden_by(path: str) -> Whiteout | None:
    """What the entry of a path hides, when it is there for that alone."""
    folder, _, name = path.rpartition("/")
    if name == OPAQUE:
        return Whiteout(folder, folder=True)
    if name.startswith(WHITEOUT):
        return Whiteout(path_of(f"{folder}/{name.removeprefix(WHITEOUT)}"), folder=False)
    return None


class Hidden:
    """What a layer hides of those below it; known when all its members were read.

    ``watched`` are the paths below that are asked about. Of what merely replaces a file, the
    others are not kept: a layer of Isaac Sim has half a million.
    """

    def __init__(self, watched: Collection[str]) -> None:
        self._watched = {one for path in watched for one in (path, *_above(path), "")}
        self._gone: set[str] = set()
        self._emptied: set[str] = set()

    def __contains__(self, path: str) -> bool:
        """Whether a watched path is removed, replaced, or lies in what is."""
        above = {*_above(path)}
        return bool(({path} | above) & self._gone or (above | {""}) & self._emptied)

    def members(self, stream: IO[bytes]) -> Iterator[tuple[str, tarfile.TarFile, tarfile.TarInfo]]:
        """What a layer brings beside folders, with its path, from a tar, plain or packed.

        Raises:
            tarfile.TarError, OSError: or another of :data:`DAMAGE`.
        """
        with packing.plain(stream) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
            while member := tar.next():
                tar.members = []  # type: ignore[attr-defined]  # or all would be kept
                path = path_of(member.name)
                hidden = hidden_by(path)
                if hidden is not None:
                    (self._emptied if hidden.folder else self._gone).add(hidden.path)
                elif not member.isdir():
                    self._gone |= {path} & self._watched
                    yield path, tar, member


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
