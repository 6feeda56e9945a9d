"""Every folder of Python packages of a tree."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from envbuild.scan.landmarks import Landmarks
from envbuild.scan.model import Product, Site, SiteKind, Start
from envbuild.scan.products import places
from envbuild.scan.starting import pathfiles
from envbuild.scan.starting.launches import Launch, tagged
from envbuild.scan.starting.pythons import VERSION, is_user
from envbuild.scan.tree import Tree

_RUNTIME = re.compile(r"/data/Kit/|/\.local/share/ov/data/|/pip3-envs/|^/.*/ov/data/exts/")
_LIBRARY = re.compile(r".*/lib(?:64)?/python3\.\d+t?(?:/lib-dynload)?")
"""The standard library's folders, which hold no packages that somebody installed."""

_ENVIRONMENT = re.compile(r"/default-?(?:cp)?(3)\.?(\d+)$")


class Found(NamedTuple):
    """The sites, sorted by path, and the places that they refer to and that were not read."""

    sites: tuple[Site, ...]
    outside: tuple[str, ...]


def find(
    tree: Tree,
    marks: Landmarks,
    launches: Sequence[Launch],
    *,
    products: Sequence[Product],
    start: Start,
) -> Found:
    """Every site. Two paths that are one folder are one site."""
    outside: set[str] = set()
    found: dict[str, Site] = {}
    listed = [*_installed(tree, marks), *_of_kit(marks)]
    _keep(tree, listed, found, outside=outside)
    _keep(tree, _started(launches, products, start), found, outside=outside)
    _keep(tree, [*_added(tree, tuple(found.values()))], found, outside=outside)
    return Found(tuple(sorted(found.values(), key=lambda one: one.path)), tuple(sorted(outside)))


def own_library(path: str) -> bool:
    """Whether a folder is an interpreter's standard library."""
    return _LIBRARY.fullmatch(path) is not None


def _keep(tree: Tree, sites: Sequence[Site], found: dict[str, Site], *, outside: set[str]) -> None:
    """Keep what is there and new; note what leads out of what was read. Of two paths of a bundle
    the one without links stays: the other extension has a link to it."""
    for one in sites:
        place = tree.place(one.path)
        known = found.get(place.path)
        if place.state == "outside":
            outside.add(place.path)
        elif place.state != "here" or place.path not in tree.folders:
            continue
        elif known is None or (known.path != place.path == one.path and known.kind == one.kind):
            found[place.path] = Site(
                path=one.path,
                real=place.path,
                kind=one.kind,
                python=one.python,
                extension=one.extension,
            )


def _installed(tree: Tree, marks: Landmarks) -> Iterator[Site]:
    """The interpreters' own folders, and a root that holds packages itself."""
    own = set(marks.packages)
    for path in places(tree, marks):
        kind: SiteKind = "debian" if path.endswith("/dist-packages") else "site"
        said = VERSION.search(path) if path in own else None
        yield _site(path, "user" if is_user(path) else kind, python=said[1] if said else "")


def _of_kit(marks: Landmarks) -> Iterator[Site]:
    """What extensions bring, and what Kit fetched and installed while it ran."""
    for path in marks.bundles:
        kind: SiteKind = "runtime" if _RUNTIME.search(path) else "bundle"
        extension = posixpath.dirname(path)
        yield Site(path=path, real=path, kind=kind, python=tagged(path), extension=extension)
    for path in marks.environments:
        said = _ENVIRONMENT.search(path)
        yield _site(path, "runtime", python=f"{said[1]}.{said[2]}" if said else "")


def _started(launches: Sequence[Launch], products: Sequence[Product], start: Start) -> list[Site]:
    """The folders of PYTHONPATH, as launchers set it and as it is where the tree is examined."""
    sims = [f"{one.path}/" for one in products if one.kind == "isaac-sim"]
    listed = next((value for key, value in start.variables if key == "PYTHONPATH"), "").split(":")
    folders = [path for one in launches for path in (*one.folders, *one.asked)]
    paths = dict.fromkeys(path for path in (*folders, *listed) if path.startswith("/"))
    return [
        _site(path, "kit" if any(path.startswith(sim) for sim in sims) else "path")
        for path in paths
        if not own_library(path)
    ]


def _added(tree: Tree, sites: Sequence[Site]) -> Iterator[Site]:
    """What .pth files and editable installs of the interpreters' sites lead to."""
    for site in sites:
        if site.kind in ("site", "user", "debian"):
            for one in pathfiles.added(tree, site.real):
                if not own_library(one.path):
                    yield _site(one.path, one.kind, python=site.python)
            for path in pathfiles.linked(tree, site.real):
                yield _site(path, "source", python=site.python)


def _site(path: str, kind: SiteKind, *, python: str = "") -> Site:
    return Site(path=path, real=path, kind=kind, python=python)
