"""Where each launcher's Python looks for packages, before Kit starts and after."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from envbuild.scan.model import Order, Product, Site, Start
from envbuild.scan.starting import pathfiles
from envbuild.scan.starting.launches import Launch
from envbuild.scan.tree import Tree

_ARCHIVE = re.compile(r"/omni\.kit\.pip_archive[^/]*/pip_prebundle$")
_INSTALLED = re.compile(r"/pip3-envs/[^/]+$")
_PLACES = (
    "/extscache/",
    "/kit/exts/",
    "/kit/extscore/",
    "/extscore/",
    "/exts/",
    "/extsDeprecated/",
)
"""Where an Isaac Sim has its extensions; of two archives the first place is taken to win."""


class _Map(Struct, frozen=True, kw_only=True):
    """The tree, its sites by their folder, and what holds for all launchers."""

    tree: Tree
    sites: Mapping[str, Site]
    sims: Sequence[Product]
    variables: Mapping[str, str]


def find(
    tree: Tree,
    sites: Sequence[Site],
    launches: Sequence[Launch],
    *,
    products: Sequence[Product],
    start: Start,
) -> tuple[Order, ...]:
    """The order of each launcher.

    ``before``: PYTHONPATH first, then what the interpreter adds by itself (the user's packages,
    its own, what their .pth files name). ``after``: Kit's finder asks the extensions' bundles
    before all of that, and Kit's pip adds its folder behind it. Where no Isaac Sim is on the
    path, both are the same. Sites of another Python version are in neither.
    """
    sims = [one for one in products if one.kind == "isaac-sim"]
    by_real = {one.real: one for one in sites}
    at = _Map(tree=tree, sites=by_real, sims=sims, variables=dict(start.variables))
    return tuple(_order(at, one) for one in launches)


def _order(at: _Map, launch: Launch) -> Order:
    found = launch.asked or (*launch.folders, *_own(at, launch))
    before = _fitting((at.sites.get(at.tree.place(one).path) for one in found), launch.version)
    bundles, behind = _of_kit(at, before, launch.version)
    return Order(
        launcher=launch.launcher,
        path=launch.path,
        python=launch.version,
        before=_paths(before),
        after=_paths((*bundles, *before, *behind)),
        read=launch.read,
    )


def _paths(sites: Iterable[Site]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.path for one in sites))


def _fitting(sites: Iterable[Site | None], version: str) -> list[Site]:
    """What is a site, for a Python of a version."""
    return [one for one in sites if one and (not one.python or version in ("", one.python))]


# What an interpreter adds by itself ------------------------------------------------


def _own(at: _Map, launch: Launch) -> Iterator[str]:
    """Folders in the order of the standard library's site.py: those of a virtual environment,
    the user's, then the interpreter's; behind each what its .pth files name. Finders of editable
    installs are asked last."""
    python = launch.python
    if python is None:
        return
    isolated = python.way == "venv"
    users = _users(at, launch.version) if python.user else ()
    folders = (*python.own, *users, *python.base) if isolated else (*users, *python.own)
    late: list[str] = []
    for folder in folders:
        yield folder
        for one in pathfiles.added(at.tree, folder):
            if one.late:
                late.append(one.path)
            else:
                yield one.path
    yield from late


def _users(at: _Map, version: str) -> tuple[str, ...]:
    """The folders of packages in homes: of the home that holds, or of all where none is known."""
    if at.variables.get("PYTHONNOUSERSITE"):
        return ()
    users = [one.real for one in at.sites.values() if one.kind == "user" and one.python == version]
    home = at.variables.get("HOME", "")
    if not home:
        return tuple(sorted(users))
    within = f"{at.tree.place(home).path.rstrip('/')}/"
    return tuple(one for one in users if one.startswith(within))


# What Kit adds ---------------------------------------------------------------------


def _of_kit(at: _Map, before: Sequence[Site], version: str) -> tuple[list[Site], list[Site]]:
    """The bundles that Kit's finder asks first, and what Kit's pip installed."""
    found: dict[str, Site] = {}
    for sim in at.sims:
        if _reaches(before, sim):
            found |= {one.real: one for one in at.sites.values() if _belongs(one, sim)}
    fitting = _fitting(found.values(), version)
    first = sorted((one for one in fitting if not _INSTALLED.search(one.real)), key=_rank)
    behind = sorted((one for one in fitting if _INSTALLED.search(one.real)), key=_rank)
    return first, behind


def _reaches(before: Sequence[Site], sim: Product) -> bool:
    """Whether a path leads to an Isaac Sim: into its folder, or to where it was installed."""
    above = posixpath.dirname(sim.path) if sim.way == "pip" else ""
    return any(one.real == above or one.real.startswith(f"{sim.path}/") for one in before)


def _belongs(site: Site, sim: Product) -> bool:
    """Whether a site is one that Kit brings: in its folder, in a home, or where pip has Kit."""
    if site.kind not in ("bundle", "runtime"):
        return False
    installed = f"{posixpath.dirname(sim.path)}/omni/" if sim.way == "pip" else f"{sim.path}/"
    return site.path.startswith((f"{sim.path}/", installed)) or "/ov/data/" in site.path


def _rank(site: Site) -> tuple[bool, int, str]:
    place = next((n for n, part in enumerate(_PLACES) if part in site.path), len(_PLACES))
    place = -1 if site.kind == "runtime" else place
    return (_ARCHIVE.search(site.path) is None, place, site.path)
