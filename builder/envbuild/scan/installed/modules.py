"""The shared objects of a tree's sites, with who owns them. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from envbuild.scan.model import Module, Site
from envbuild.scan.tree import Tree

_TAG = re.compile(r".+\.(cpython-\d+[a-z]*|pypy\d+|abi3t?|graalpy\d+)(?:-[\w.-]*)?\.so")
"""What Python puts into the name of a module that is made for it."""


def find(tree: Tree, sites: Iterable[Site], owners: Mapping[str, str]) -> tuple[Module, ...]:
    """Every shared object of every site, once, in the order of the paths.

    One that several sites reach through links belongs to the site that it lies in, or (it lies in
    none) to the first one that has a link to it.
    """
    known: dict[str, str] = {}
    for site in sites:
        known.setdefault(site.real, site.path)
    linked = _linked(tree, known)
    found = []
    for path, binary in sorted(tree.modules.items()):
        site_path = linked.get(path) or _site(path, known, linked)
        if site_path:
            found.append(
                Module(
                    path=path,
                    site=site_path,
                    distribution=owners.get(path, ""),
                    tag=tag(path),
                    binary=binary,
                )
            )
    return tuple(found)


def tag(path: str) -> str:
    """The Python that a module's name says: ``cpython-311``, ``abi3``; empty where it says none."""
    found = _TAG.fullmatch(posixpath.basename(path))
    return found[1] if found else ""


def _site(path: str, known: Mapping[str, str], linked: Mapping[str, str]) -> str:
    """The innermost site that a path lies in; empty: it lies in none."""
    while path != "/":
        path = posixpath.dirname(path)
        if path in known:
            return known[path]
        if path in linked:
            return linked[path]
    return ""


def _linked(tree: Tree, known: Mapping[str, str]) -> Mapping[str, str]:
    """What lies in no site and holds none, and which site has a link to it: the first one."""
    order = {path: number for number, path in enumerate(known.values())}
    found: dict[str, str] = {}
    for folder, entries in tree.folders.items():
        for name, entry in entries.items():
            if entry.kind == "link":
                site = _site(posixpath.join(folder, name), known, {})
                place = tree.place(posixpath.join(folder, name)) if site else None
                if place and place.state == "here" and not _is_site(place.path, known):
                    before = found.setdefault(place.path, site)
                    found[place.path] = min(before, site, key=order.__getitem__)
    return found


def _is_site(path: str, known: Mapping[str, str]) -> bool:
    """Whether a path lies in a site, or a site lies in it."""
    inside = path.rstrip("/") + "/"
    return bool(_site(path, known, {})) or any(real.startswith(inside) for real in known)
