"""One tree out of what is found, whichever way its files are read."""

from __future__ import annotations

import hashlib
import posixpath
import re

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.scan.binary import Binary
from envbuild.scan.compiled import binaries
from envbuild.scan.sources.content import Content
from envbuild.scan.sources.wanted import Want
from envbuild.scan.tree import Entry, Tree, Trouble
from envbuild.tools import packing, typed
from envbuild.tools.trouble import words

FOLDER = Entry("folder")
OTHER = Entry("other")

CHANGED = "it changed while it was read"
TOO_LONG = "the texts of this tree are too long together"

_NAMES = 5_000_000
"""Names that are held; an image of Isaac Sim has 500,000, and 5 million take about 1 GB."""

_PATHS = 128 * 1024 * 1024
"""Characters in the paths of all folders together, as a million usual ones have. Folders within
folders add up as the square of their depth: a tar of megabytes can name a terabyte of them."""

TEXTS = 1024 * 1024 * 1024
"""Bytes of all texts together; those of 500 distributions have 30 MB."""

_TROUBLES = 1000
"""Troubles that are told one by one."""

_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")


class Found(Struct, frozen=True, kw_only=True):
    """What one file says, as far as it was wanted; ``why`` it could not be read (empty: it was)."""

    text: bytes | None = None
    module: Binary | None = None
    digest: str = ""
    why: str = ""


class _Package(Struct, frozen=True, omit_defaults=True):
    """What conda's record says of a package beside the lists of its files."""

    name: str
    version: str = ""
    build: str = ""
    channel: str = ""
    subdir: str = ""
    depends: list[str] = []


def examined(content: Content, want: Want) -> Found:
    """What a file says; an error of the disk is its trouble."""
    try:
        text = _text(content, want)
        digest = _digest(content) if want.digest else ""
        return Found(
            text=text,
            digest=digest,
            module=binaries.read(content) if want.module else None,
        )
    except OSError as error:
        return Found(why=words(error))
    except _UnreadError as error:
        return Found(why=str(error))


class Room:
    """The memory that names may take."""

    def __init__(self) -> None:
        self._names = 0
        self._characters = 0

    def take(self, path: str, *, names: int, characters: int = 0) -> None:
        """Take what some names at a path need, and the ``characters`` of whole paths.

        Raises:
            InputError: it is more than there is.
        """
        self._names += names
        self._characters += characters
        if self._names > _NAMES or self._characters > _PATHS:
            raise InputError(
                f"there is more below {path[:80]!r} than can be examined at once",
                hint=f"at most {_NAMES:,} files are; name a smaller part",
            )


class Collector:
    """Gathers a tree."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, Entry]] = {}
        self._texts: dict[str, bytes] = {}
        self._modules: dict[str, Binary] = {}
        self._digests: dict[str, str] = {}
        self._troubles: list[Trouble] = []
        self._untold = 0
        self._room = Room()
        self._bytes = 0

    def folder(self, path: str, names: dict[str, Entry]) -> None:
        """Take a folder, or more names of one that is known.

        Raises:
            InputError: it is more than can be held.
        """
        known = self.folders.get(path)
        self._room.take(path, names=len(names), characters=len(path) if known is None else 0)
        if known is None:
            self.folders[path] = names
        else:
            known.update(names)

    def replace(self, path: str, entry: Entry) -> None:
        """Take what is known now of a name that was taken before."""
        above, name = posixpath.split(path)
        self.folders[above][name] = entry

    def found(self, path: str, found: Found) -> None:
        """Take what a file says."""
        if found.why:
            self.trouble(path, found.why)
        if found.module is not None:
            self._modules[path] = found.module
        if found.digest:
            self._digests[path] = found.digest
        if found.text is None:
            return
        self._bytes += len(found.text)
        if self._bytes > TEXTS:
            self.trouble(path, TOO_LONG)
        else:
            self._texts[path] = found.text

    def trouble(self, path: str, why: str) -> None:
        """Take something that could not be looked at."""
        if len(self._troubles) < _TROUBLES:
            self._troubles.append(Trouble(path=path, why=why))
        else:
            self._untold += 1

    def tree(self, roots: tuple[str, ...], *, missing: tuple[str, ...] = ()) -> Tree:
        """The tree of all that was taken, in the order of the paths."""
        troubles = sorted(self._troubles)
        if self._untold:
            above = posixpath.commonpath(roots) if roots else "/"
            more = Trouble(path=above, why=f"{self._untold:,} more could not be read")
            troubles.append(more)
        return Tree(
            roots=roots,
            folders=dict(sorted(self.folders.items())),
            texts=dict(sorted(self._texts.items())),
            modules=dict(sorted(self._modules.items())),
            digests=dict(sorted(self._digests.items())),
            missing=missing,
            troubles=tuple(troubles),
        )


class _UnreadError(Exception):
    """A file that is not what it was said to be."""


def _text(content: Content, want: Want) -> bytes | None:
    larger = content.size > want.text
    if not want.text or (larger and want.keep == "small"):
        return None
    if larger and want.keep != "head":
        raise _UnreadError(f"it has {content.size:,} bytes, and {want.text:,} are read at most")
    size = min(content.size, want.text)
    data = content.read(0, size)
    if len(data) < size:
        raise _UnreadError(CHANGED)
    if want.keep == "head":
        return _EMPTY_LINE.split(data, maxsplit=1)[0]
    return _package(data) if want.keep == "package" else data


def _package(data: bytes) -> bytes:
    """conda's record without the lists of files, which have megabytes; what is none as it is."""
    try:
        return msgspec.json.encode(typed.decode(data, _Package))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return data


def _digest(content: Content) -> str:
    digest, place = hashlib.sha256(), 0
    while piece := content.read(place, packing.PIECE):
        digest.update(piece)
        place += len(piece)
    if place < content.size:
        raise _UnreadError(CHANGED)
    return digest.hexdigest()
