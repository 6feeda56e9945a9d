"""What stands out in a tree: folders of packages, launchers and links, found in one walk."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from envbuild.scan.tree import Entry, Tree

_NAMES = frozenset({"site-packages", "dist-packages"})
_PACKAGES = re.compile(r".*/lib(?:64)?/python3[^/]*/(?:site|dist)-packages")
"""An interpreter's own folder of packages. Windows has it elsewhere, which is not examined."""

BUNDLE = "pip_prebundle"
"""What the packages that an extension of Kit brings lie in."""

_ENVIRONMENTS = "pip3-envs"
"""Below it, Kit's pip installs while the app runs."""

_FILES = ("python.sh", "setup_python_env.sh", "isaaclab.sh", "pyvenv.cfg", "conda-meta")
"""What is remembered of each folder that holds it."""

_EXTENSIONS = re.compile(r"exts\w*")
"""Folders of extensions: ``exts``, ``extscache``, ``extsDeprecated``, ``extscore``."""

_CACHED = re.compile(r"/pkgs/[^/]+/(?:lib/python[^/]*/)?site-packages$")
"""Packages as conda unpacked them: nobody imports them from there."""

_SAID = 32
"""Places that links lead out to; of more, the folders that they share are said."""


class Landmarks(Struct, frozen=True, kw_only=True):
    """What was found on the way.

    ``packages``, ``bundles`` and ``environments`` are folders as they are reached: the
    interpreters' own, the extensions' (``pip_prebundle``), and those of Kit's pip
    (``pip3-envs/default``). ``holding`` has the folders that hold a launcher or a mark, by its
    name. ``outside`` is where links lead that leave what was read.
    """

    packages: tuple[str, ...]
    bundles: tuple[str, ...]
    environments: tuple[str, ...]
    holding: Mapping[str, tuple[str, ...]]
    outside: tuple[str, ...]
    files: int
    bytes: int

    def held(self, name: str) -> tuple[str, ...]:
        """The folders that hold a file or folder of a name, sorted."""
        return self.holding.get(name, ())


def find(tree: Tree) -> Landmarks:
    """Walk a tree once. It takes time by the number of names, and by that of links."""
    found: dict[str, list[str]] = {name: [] for name in (*_FILES, BUNDLE, "packages", "default")}
    out: set[str] = set()
    count = size = 0
    closed = "/" in tree.roots
    for path in sorted(tree.folders):
        entries = tree.folders[path]
        for name in _FILES:
            if name in entries:
                found[name].append(path)
        for name, entry in entries.items():
            if entry.kind == "file":
                count += 1
                size += entry.size
            elif entry.kind == "link" and not closed:
                out.update(_leaving(tree, path, name, target=entry.target))
        _note(tree, path, entries, found=found)
    for root in tree.roots:  # a root may be such a folder itself
        if posixpath.basename(root) in _NAMES and root in tree.folders:
            found["packages"].append(root)
    own = (one for one in sorted(set(found["packages"])) if _PACKAGES.fullmatch(one))
    return Landmarks(
        packages=tuple(one for one in own if not _CACHED.search(one)),
        bundles=tuple(sorted(found[BUNDLE])),
        environments=tuple(sorted(found["default"])),
        holding={name: tuple(found[name]) for name in _FILES},
        outside=_said(out),
        files=count,
        bytes=size,
    )


def _note(
    tree: Tree, path: str, entries: Mapping[str, Entry], *, found: Mapping[str, list[str]]
) -> None:
    name = posixpath.basename(path)
    if BUNDLE in entries and tree.is_folder(f"{path}/{BUNDLE}"):
        found[BUNDLE].append(posixpath.join(path, BUNDLE))
    for one in _NAMES & entries.keys():
        if tree.is_folder(posixpath.join(path, one)):
            found["packages"].append(posixpath.join(path, one))
    if name == _ENVIRONMENTS:
        below = (posixpath.join(path, one) for one in entries if one.startswith("default"))
        found["default"] += [one for one in below if tree.is_folder(one)]
    if _EXTENSIONS.fullmatch(name):
        linked = (posixpath.join(path, one, BUNDLE) for one in _links(entries))
        found[BUNDLE] += [one for one in linked if tree.is_folder(one)]


def _links(entries: Mapping[str, Entry]) -> Iterator[str]:
    return (name for name, entry in entries.items() if entry.kind == "link")


def _leaving(tree: Tree, folder: str, name: str, *, target: str) -> Iterator[str]:
    """Where a link leads, when that was not read. Most lead to a neighbour: that costs little."""
    plain = posixpath.normpath(posixpath.join(folder, target))
    above, last = posixpath.split(plain)
    if last in tree.folders.get(above, ()):
        return
    place = tree.place(posixpath.join(folder, name))
    if place.state == "outside":
        yield place.path


def _said(paths: Iterable[str]) -> tuple[str, ...]:
    """Few places; of many, the folders that they share."""
    found = set(paths)
    deepest = max((path.count("/") for path in found), default=0)
    for depth in range(deepest, 0, -1):
        if len(found) <= _SAID:
            break
        found = {"/".join(path.split("/")[: depth + 1]) for path in found}
    return tuple(sorted(found))
