"""The shared libraries of a tree by their names, and where a loader would find them. Pure."""

from __future__ import annotations

import posixpath
import re

from envbuild.scan.binary import Binary
from envbuild.scan.tree import Tree

_CACHE = re.compile(r"/pkgs/[^/]+/")
"""Packages as conda unpacked them: nobody loads anything from there."""

_DEFAULTS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib")
_TRIPLETS = ("x86_64-linux-gnu", "aarch64-linux-gnu")
_SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/")
_INCLUDED = re.compile(r"^\s*(/\S+)", re.MULTILINE)


class Shelf:
    """The libraries of one tree. They are indexed once: 20,000 modules ask for them."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._folders: dict[str, list[str]] = {}
        self._sonames = {one.soname: path for path, one in tree.modules.items() if one.soname}
        self._prefixes: dict[str, str] = {}
        self._provided: dict[tuple[str, str], bool] = {}
        for folder, entries in tree.folders.items():
            for name, entry in entries.items():
                if ".so" in name and entry.kind in ("file", "link") and not _CACHE.search(folder):
                    self._folders.setdefault(name, []).append(folder)
        self._system = self._configured()

    def has(self, name: str, path: str) -> bool:
        """Whether some folder of the tree has a library for the module at a path.

        What lies in ``lib`` of a conda prefix is for that prefix alone: no loader looks there for
        others.
        """
        key = (name, self._prefix(path))
        if key not in self._provided:
            self._provided[key] = self._has(name, key[1])
        return self._provided[key]

    def _has(self, name: str, prefix: str) -> bool:
        if name in self._sonames and name not in self._folders:
            return True
        for folder in self._folders.get(name, ()):
            above, last = posixpath.split(folder)
            foreign = (
                last == "lib" and above != prefix and f"{above}/conda-meta" in (self._tree.folders)
            )
            if not foreign and self._tree.is_file(posixpath.join(folder, name)):
                return True
        return False

    def find(self, name: str, path: str, binary: Binary) -> str:
        """Where a library is that a module asks for, without links; empty: not in the tree."""
        for folder in (*self._first(path, binary), *self._folders.get(name, ())):
            place = self._tree.place(posixpath.join(folder, name))
            if place.state == "here" and place.path in self._tree.modules:
                return place.path
        return self._sonames.get(name, "")

    def loaded(self, name: str, path: str, binary: Binary) -> tuple[str, Binary] | None:
        """The library that the loader takes for a module: where its run path leads to, the conda
        prefix's around it, or the system's; None: none of these is in the tree."""
        for folder in (*self._first(path, binary), *self._system):
            place = self._tree.place(posixpath.join(folder, name))
            found = self._tree.modules.get(place.path) if place.state == "here" else None
            if found is not None:
                return place.path, found
        return None

    def is_system(self, path: str) -> bool:
        """Whether a library is one of the system's own."""
        return "/" in self._tree.roots and path.startswith(_SYSTEM) and "/python" not in path

    def _first(self, path: str, binary: Binary) -> list[str]:
        """Where a loader looks before it asks the system."""
        origin = posixpath.dirname(path)
        found = [
            re.sub(r"\$ORIGIN\b|\$\{ORIGIN\}", lambda _: origin, one) for one in binary.runpaths
        ]
        prefix = self._prefix(path)
        return [
            *(one for one in found if one.startswith("/")),
            *([f"{prefix}/lib"] if prefix else []),
        ]

    def _prefix(self, path: str) -> str:
        """The conda prefix that a path lies in; empty: none."""
        folder = posixpath.dirname(path)
        if folder not in self._prefixes:
            above = folder
            while above != "/" and f"{above}/conda-meta" not in self._tree.folders:
                above = posixpath.dirname(above)
            self._prefixes[folder] = "" if above == "/" else above
        return self._prefixes[folder]

    def _configured(self) -> tuple[str, ...]:
        """The folders of a whole system that its loader looks through, in their order."""
        if "/" not in self._tree.roots:
            return ()
        texts = [self._tree.text("/etc/ld.so.conf") or ""]
        real = self._tree.place("/etc/ld.so.conf.d").path
        texts += [self._tree.text(f"{real}/{name}") or "" for name in self._tree.names(real)]
        named = [folder for text in texts for folder in _INCLUDED.findall(text)]
        own = [f"{folder}/{one}" for one in _TRIPLETS for folder in ("/lib", "/usr/lib")]
        return tuple(dict.fromkeys((*named, *own, *_DEFAULTS)))
