"""A wheel, as it would lie in a site whose folder is the root. Nothing is extracted.

Only the members that are wanted are read, so that of a wheel that lies behind an address little has
to come. What is unpacked is held in memory up to 16 MB, and else in a temporary file without name.
"""

from __future__ import annotations

import posixpath
import re
import tempfile
from collections.abc import Iterator
from typing import IO

from envbuild.scan.sources import collecting, wanted
from envbuild.scan.sources.collecting import Collector
from envbuild.scan.sources.wanted import NOTHING, Want, Wish
from envbuild.scan.tree import Entry, Tree
from envbuild.scan.zipped import zips
from envbuild.scan.zipped.zipends import Seekable
from envbuild.scan.zipped.zipfields import refuse_clashes

LARGEST = 8 << 30
"""Bytes of the largest member that is looked into; the largest library of CUDA has a tenth."""

_HELD = 16 << 20
"""Bytes of a member that are held in memory."""

_MOVED = re.compile(r"[^/]+-[^/]+\.data/(?:purelib|platlib)/(.+)")
"""What an installer puts into the site beside what stands there already."""


def read(file: Seekable, label: str, wish: Wish, *, sparse: bool = False) -> Tree:
    """The tree of a wheel. ``label`` is what messages call it.

    ``sparse``: only the headers of the members that are read are held against the directory, since
    each read is costly.

    Raises:
        InputError: it is no zip, it lies, or it can be read in two ways.
    """
    archive = zips.Archive(file, label)
    if not sparse:
        archive.verify()
    collector = Collector()
    placed = _placed(archive, label)
    for folder, names in _folders(placed).items():
        collector.folder(folder, names)
    for path, member in placed.items():
        want = _want(path, member, wish)
        if want is NOTHING:
            continue
        if member.size > LARGEST:
            collector.trouble(path, f"it would unpack to more than {LARGEST >> 30} GB")
            continue
        with tempfile.SpooledTemporaryFile(_HELD) as room:
            content = _Unpacked(archive.pieces(member), member.size, room)
            collector.found(path, collecting.examined(content, want))
    return collector.tree(("/",))


def needed(file: Seekable, label: str, wish: Wish) -> int:
    """How many bytes of a wheel :func:`read` has to read beside its directory.

    Raises:
        InputError: it is no zip, or it can be read in two ways.
    """
    placed = _placed(zips.Archive(file, label), label)
    read = (one for path, one in placed.items() if _want(path, one, wish) is not NOTHING)
    return sum(member.span for member in read)


def _want(path: str, member: zips.Member, wish: Wish) -> Want:
    return wanted.wanted(path, wish) if member.kind == "file" else NOTHING


def _placed(archive: zips.Archive, label: str) -> dict[str, zips.Member]:
    """The members by the path that they get.

    Raises:
        InputError: two get the same one, or one the path of a folder.
    """
    pairs: list[tuple[str, zips.Member]] = []
    for member in archive.members:
        moved = _MOVED.fullmatch(member.name)
        pairs.append((moved[1] if moved else member.name, member))
    placed = dict(pairs)
    files = [(name, one.kind) for name, one in pairs if one.kind == "file"]
    folders = [(name, one.kind) for name, one in placed.items() if one.kind == "folder"]
    refuse_clashes((*files, *folders), label)
    return {f"/{name}": member for name, member in placed.items()}


def _folders(placed: dict[str, zips.Member]) -> dict[str, dict[str, Entry]]:
    """What each folder holds, those that no member stands for too."""
    folders: dict[str, dict[str, Entry]] = {"/": {}}
    for path, member in placed.items():
        if member.kind == "folder":
            folders.setdefault(path, {})
        else:
            above, name = posixpath.split(path)
            folders.setdefault(above, {})[name] = Entry("file", size=member.size)
    for path in list(folders):
        below = path
        while below != "/":
            above, name = posixpath.split(below)
            folders.setdefault(above, {}).setdefault(name, collecting.FOLDER)
            below = above
    return folders


class _Unpacked:
    """The content of a member, unpacked as far as it was asked for."""

    def __init__(self, pieces: Iterator[bytes], size: int, room: IO[bytes]) -> None:
        self.size = size
        self._pieces = pieces
        self._room = room
        self._there = 0

    def read(self, start: int, size: int) -> bytes:
        """The bytes from ``start`` on, ``size`` of them at most.

        Raises:
            InputError: the member is not what it says.
            OSError: there is no room for it.
        """
        if start < 0 or size <= 0:
            return b""
        self._room.seek(self._there)
        while self._there < min(start + size, self.size):
            piece = next(self._pieces)
            self._room.write(piece)
            self._there += len(piece)
            if self._there == self.size:
                next(self._pieces, b"")  # nothing comes; its checksum is looked at
        self._room.seek(start)
        return self._room.read(size)
