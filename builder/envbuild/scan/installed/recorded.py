"""The files that a distribution has recorded, and what stands in their places. Pure."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import posixpath
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from envbuild.scan.model import Distribution
from envbuild.scan.tree import Entry, Tree

State = Literal["same", "changed", "missing", "unknown"]

_TRIMMED = re.compile(
    r"(?:.*/)?tests?/.*|.*\.(?:pyi|pxd|pyx|h|hh|hpp|hxx|inl|cuh|cu|c|cc|cpp|a|cmake|md|rst)"
)
"""What slim images leave out, and Python never reads: tests, types, headers, sources of C."""

_METADATA = re.compile(r"[^/]+\.(?:dist|egg)-info/")
_SHA256 = "sha256="
_OF_WHEEL = re.compile(r"[^/]+\.data/(?:(?:purelib|platlib)/(?P<inside>.+)|.*)")
"""Of a wheel that no installer has laid out: a part of the site, or what goes elsewhere."""


_NOTHING = Entry("other")


class Row(NamedTuple):
    """One file of a RECORD: its path below the site, the sha256 (urlsafe base64 without padding;
    empty: none), the size in bytes (-1: none)."""

    name: str
    digest: str
    size: int

    @property
    def is_metadata(self) -> bool:
        """Whether it is a file about the distribution, none of it."""
        return "-info/" in self.name and _METADATA.match(self.name) is not None

    @property
    def is_beside(self) -> bool:
        """Whether it need not be as it was: a script beside the site, byte code, what installers
        write into the metadata."""
        beside = self.name.startswith("../") or self.name.endswith(".pyc")
        return beside or (self.is_metadata and not self.name.endswith("/METADATA"))


class Found(NamedTuple):
    """What stands where a file was recorded. ``path`` is without links where it is there. It is
    the same by its size, and where the hash of the file is known, by that."""

    row: Row
    path: str
    state: State


def rows(text: str) -> Iterator[Row]:
    """The files of a RECORD.

    Paths that lead nowhere in a site (absolute, with a backslash) are left out, and so is what
    stands behind a line that is no CSV.
    """
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""))
    try:
        for fields in reader:
            name, digest, size = (*fields, "", "", "")[:3]
            moved = _OF_WHEEL.fullmatch(name) if ".data/" in name else None
            name = moved["inside"] or "" if moved else name
            known = int(size) if size.isascii() and size.isdigit() and len(size) < 20 else -1
            digest = digest.removeprefix(_SHA256) if digest.startswith(_SHA256) else ""
            if name and name[0] != "/" and "\\" not in name:
                yield Row(name.removeprefix("./"), digest.rstrip("="), known)
    except csv.Error:
        return


def record(tree: Tree, distribution: Distribution) -> str:
    """The text of a distribution's RECORD; empty where it has none."""
    if not distribution.metadata:
        return ""
    return tree.text(posixpath.join(distribution.metadata, "RECORD")) or ""


def is_proof(distribution: Distribution) -> bool:
    """Whether a RECORD says what must be there.

    Debian's packages have none, conda rewrites files after they were recorded, and the files of
    an editable install are elsewhere.
    """
    return distribution.installer not in ("debian", "conda") and not distribution.editable


class Site:
    """Finds recorded files below one site, whose path must be without links."""

    def __init__(self, tree: Tree, real: str) -> None:
        self._tree = tree
        self._real = real
        self._folders: dict[str, tuple[str, bool]] = {}
        self._troubled = {trouble.path for trouble in tree.troubles}

    def path(self, row: Row) -> str:
        """Where a file is, without links; empty where none is, or none that was read."""
        return self._entry(row)[0]

    def _entry(self, row: Row) -> tuple[str, Entry]:
        """A file where it is; an empty path where none is."""
        folder, _, name = row.name.rpartition("/")
        real = self._folder(folder)[0]
        entry = self._tree.folders.get(real, {}).get(name, _NOTHING) if real else _NOTHING
        path = f"{real}/{name}" if real != "/" else f"/{name}"
        if entry.kind == "link":
            place = self._tree.place(path)
            path = place.path if place.state == "here" else ""
            entry = self._tree.entry(path) or _NOTHING
        return (path, entry) if entry.kind == "file" else ("", entry)

    def found(self, row: Row) -> Found:
        """What stands where a file was recorded.

        Unknown is what was recorded without hash and size, what need not be as it was, what is not
        there because images are trimmed, what a link leads out of the tree to, and what could not
        be read.
        """
        if row.is_beside or (row.size < 0 and not row.digest):
            return Found(row, "", "unknown")
        path, entry = self._entry(row)
        if not path:
            return Found(row, posixpath.join(self._real, row.name), self._absent(row))
        wanted = _hexadecimal(row.digest) if path in self._tree.digests else ""
        if row.size not in (-1, entry.size):
            return Found(row, path, "changed")
        if wanted and self._tree.digests[path] != wanted:
            return Found(row, path, "changed")
        return Found(row, path, "same")

    def _absent(self, row: Row) -> State:
        folder, _, name = row.name.rpartition("/")
        real, known = self._folder(folder)
        if not known or _TRIMMED.fullmatch(row.name):
            return "unknown"
        if real:
            entry = self._tree.folders.get(real, {}).get(name)
            readable = posixpath.join(real, name) not in self._troubled
            return "missing" if entry is None and readable else "unknown"
        return "missing"

    def _folder(self, name: str) -> tuple[str, bool]:
        """A folder without links (empty: it is not there), and whether that is known."""
        if name not in self._folders:
            self._folders[name] = self._look(name)
        return self._folders[name]

    def _look(self, name: str) -> tuple[str, bool]:
        place = self._tree.place(posixpath.join(self._real, name))
        if place.state == "here":
            unread = place.path not in self._tree.folders
            return ("" if unread else place.path), not unread
        path = self._real
        for part in name.split("/"):
            path = posixpath.join(path, part)
            entry = self._tree.entry(path)
            if path in self._troubled or (entry is not None and entry.kind == "link"):
                return "", False  # a link that dangles is a fault of its own
        return "", place.state == "dangling"


def _hexadecimal(digest: str) -> str:
    """A sha256 in hex; empty where it is none."""
    try:
        found = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4))
    except (binascii.Error, ValueError):
        return ""
    return found.hex() if len(found) == 32 else ""
