"""Layers laid over each other, the uppermost first: what of a lower one can still be seen. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Union

from msgspec import Struct

from envbuild.scan.sources.collecting import Found, Room
from envbuild.scan.sources.wanted import Want
from envbuild.scan.tree import Entry

Folders = Mapping[str, Mapping[str, Entry]]


class Leaf(Struct, kw_only=True):
    """A name in a layer that is no folder. Hard links are one leaf in several places.

    ``start`` is where its entry begins in the tar; ``below``: it is a hard link to that path in a
    lower layer, which is ``lost`` where its own layer has something else there. ``found`` is what
    was read of it, for each thing that was wanted.
    """

    entry: Entry
    start: int = -1
    below: str = ""
    lost: bool = False
    found: dict[Want, Found] = {}


Node = dict[str, Union[Leaf, "Node"]]
"""A folder of a layer: a leaf or a folder by each name."""


class Brought:
    """What one layer brings, and what it takes away of those below (``gone`` with all that is in
    it, ``emptied`` folders that stay). Of what comes twice, the last one counts. ``links`` are the
    hard links that came."""

    def __init__(self) -> None:
        self._root: Node = {}
        self._last: tuple[str, Node] = ("/", self._root)
        self.gone: set[str] = set()
        self.emptied: set[str] = set()
        self.links: dict[str, Leaf] = {}
        self._room = Room()

    def hide(self, path: str, *, folder: bool) -> None:
        """Take away what is at a path below, or all that is in a folder.

        Raises:
            InputError: it is more than can be held (:class:`Room`).
        """
        self._room.take(path, names=1, characters=len(path))
        (self.emptied if folder else self.gone).add(path)

    def folder(self, path: str) -> Node:
        """The folder of a path; it takes the place of whatever else is on the way.

        Raises:
            InputError: it is more than can be held.
        """
        if self._last[0] == path:
            return self._last[1]
        node = self._root
        for part in _parts(path):
            found = node.get(part)
            if not isinstance(found, dict):
                found = node[part] = {}
                self._room.take(path, names=1)
            node = found
        self._last = (path, node)
        return node

    def put(self, path: str, leaf: Leaf) -> None:
        """Put a leaf in its place; a folder that was there is gone with what was in it.

        Raises:
            InputError: it is more than can be held.
        """
        self._room.take(path, names=1)
        above, name = posixpath.split(path)
        node = self.folder(above)
        if isinstance(node.get(name), dict):
            self._last = ("/", self._root)  # it may lie in what is gone
        node[name] = leaf

    def link(self, path: str, leaf: Leaf) -> None:
        """Put a hard link in its place.

        Raises:
            InputError: it is more than can be held.
        """
        self._room.take(path, names=1, characters=len(path))
        self.put(path, leaf)
        self.links[path] = leaf

    def leaf(self, path: str) -> Leaf | None:
        """The leaf of a path."""
        node: Leaf | Node | None = self._root
        for part in _parts(path):
            if not isinstance(node, dict):
                return None
            node = node.get(part)
        return node if isinstance(node, Leaf) else None

    def removes(self, path: str) -> bool:
        """Whether a path below is removed, or lies in what is."""
        if path in self.gone:
            return True
        while path != "/":
            path = posixpath.dirname(path)
            if path in self.gone or path in self.emptied:
                return True
        return False

    def replaces(self, path: str) -> bool:
        """Whether something else has come in the place of a path below so far."""
        node: Leaf | Node | None = self._root
        for part in _parts(path):
            if not isinstance(node, dict):
                break
            node = node.get(part)
        return node is not None

    def visible(self, cover: Cover) -> Iterator[tuple[str, dict[str, Entry], dict[str, Leaf]]]:
        """Each folder that can be seen, with the names in it that are new, and their leaves.

        A leaf in whose place an upper layer has a folder is not seen; but what still lower layers
        have in a folder of that name was gone with it, and so that folder counts as emptied.
        """
        todo: list[tuple[str, Node]] = [("/", self._root)]
        while todo:
            path, node = todo.pop()
            names: dict[str, Entry] = {}
            leaves: dict[str, Leaf] = {}
            for name, found in node.items():
                here = posixpath.join(path, name)
                if not cover.shows(here, folder=isinstance(found, dict)):
                    if isinstance(found, Leaf) and here in cover.folders:
                        self.emptied.add(here)
                    continue
                if isinstance(found, Leaf):
                    names[name] = found.entry
                    leaves[name] = found
                    continue
                todo.append((here, found))
                if cover.entry(here) is None:
                    names[name] = Entry("folder")
            yield path, names, leaves


class Cover:
    """What the layers so far hide of those below them. ``folders`` is the tree that they make; it
    may grow while the names of one layer are asked about, by that layer's own alone."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self._gone: set[str] = set()
        self._emptied: set[str] = set()
        self._open: dict[str, bool] = {}

    def add(self, brought: Brought) -> None:
        """Take what a layer hides, when it is in the tree."""
        self._gone |= brought.gone
        self._emptied |= brought.emptied
        self._open.clear()

    def entry(self, path: str) -> Entry | None:
        """What stands at a path in the tree so far."""
        above, name = posixpath.split(path)
        return self.folders.get(above, {}).get(name)

    def shows(self, path: str, *, folder: bool = False) -> bool:
        """Whether what a lower layer has at a path is seen; a ``folder`` also where there is one
        above it, because both are one then."""
        above = posixpath.dirname(path)
        if path in self._gone or not self._is_open(above):
            return False
        found = self.entry(path)
        return found is None or (folder and found.kind == "folder")

    def _is_open(self, path: str) -> bool:
        """Whether what lower layers have in a folder is seen; each folder is asked about once."""
        known = self._open.get(path)
        if known is not None:
            return known
        todo = [path]
        while path != "/" and path not in self._open:
            path = posixpath.dirname(path)
            todo.append(path)
        is_open = self._open.get(path, True)
        for one in reversed(todo):
            found = self.entry(one) if one != "/" else None
            is_open = (
                is_open
                and one not in self._gone
                and one not in self._emptied
                and (found is None or found.kind == "folder")
            )
            self._open[one] = is_open
        return is_open


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
