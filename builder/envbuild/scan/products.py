"""Which of the known products a tree holds: Isaac Sim, Isaac Lab, GR00T."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from envbuild.names import canonical_name
from envbuild.scan.landmarks import Landmarks
from envbuild.scan.model import Product
from envbuild.scan.starting.pathfiles import editable
from envbuild.scan.tree import Tree

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")
_INFO = re.compile(r"([A-Za-z0-9][\w.]*?)-([\w.!+]+)\.(?:dist|egg)-info")
_SIM = ("isaacsim", "isaacsim-kernel", "isaacsim-core")
"""The distributions whose version is the release, the one that decides first."""


def find(tree: Tree, marks: Landmarks) -> tuple[Product, ...]:
    """Every product, by kind and folder.

    The release is what its own files say, trimmed to how releases are named: of an Isaac Sim
    three numbers (``5.1.0-rc.19+release.1`` and ``5.1.0.0`` are ``5.1.0``).
    """
    sites = places(tree, marks)
    found = {one.path: one for one in (*_installed_sims(tree, sites), *_folder_labs(tree, marks))}
    for one in (*_folder_sims(tree, marks), *_installed_labs(tree, sites, found.values())):
        if one.kind == "isaac-lab" or one.path not in found:
            found[one.path] = one
    every = [*found.values(), *_groots(tree, sites)]
    return tuple(sorted(every, key=lambda one: (one.kind, one.path)))


def places(tree: Tree, marks: Landmarks) -> tuple[str, ...]:
    """Folders that distributions are installed in: the interpreters' own, and a root that holds
    metadata itself (a wheel, what ``pip install --target`` made)."""
    loose = (root for root in tree.roots if any(map(_INFO.fullmatch, tree.names(root))))
    return tuple(dict.fromkeys((*marks.packages, *loose)))


def _infos(tree: Tree, site: str) -> dict[str, tuple[str, str]]:
    """The version and the metadata's folder of what is installed in a site, by canonical name."""
    matches = map(_INFO.fullmatch, tree.names(tree.place(site).path))
    found = (one for one in matches if one)
    return {canonical_name(one[1]): (one[2], posixpath.join(site, one[0])) for one in found}


# Isaac Sim -------------------------------------------------------------------


def _folder_sims(tree: Tree, marks: Landmarks) -> Iterator[Product]:
    starts = {*marks.held("python.sh"), *marks.held("setup_python_env.sh")}
    for path in sorted({*starts, *_beside(tree, "VERSION", "kit")}):
        if tree.is_folder(posixpath.join(path, "kit")):
            release = _trimmed(tree.text(posixpath.join(path, "VERSION")) or "")
            yield Product(kind="isaac-sim", release=release, path=path, way="binary")


def _beside(tree: Tree, *names: str) -> Iterator[str]:
    for path, entries in tree.folders.items():
        if all(name in entries for name in names):
            yield path


def _installed_sims(tree: Tree, sites: Iterable[str]) -> Iterator[Product]:
    for site in sites:
        folder = posixpath.join(site, "isaacsim")
        infos = _infos(tree, site)
        versions = [infos[name][0] for name in _SIM if name in infos]
        if tree.is_folder(folder) and (versions or tree.is_folder(f"{folder}/kit")):
            said = tree.text(posixpath.join(folder, "VERSION")) or ""
            release = _trimmed(said) or _trimmed(next(iter(versions), ""))
            yield Product(kind="isaac-sim", release=release, path=folder, way="pip")


def _trimmed(version: str) -> str:
    found = _NUMBERS.match(version.strip())
    return ".".join(found[0].split(".")[:3]) if found else ""


# Isaac Lab and GR00T ---------------------------------------------------------


def _folder_labs(tree: Tree, marks: Landmarks) -> Iterator[Product]:
    parts = (path for path in tree.folders if path.endswith("/source/isaaclab/config"))
    tops = {posixpath.normpath(f"{path}/../../..") for path in parts}
    for path in sorted({*marks.held("isaaclab.sh"), *tops}):
        said = (tree.text(posixpath.join(path, "VERSION")) or "").strip()
        yield Product(kind="isaac-lab", release=said.split("\n")[0], path=path, way="source")


def _installed_labs(
    tree: Tree, sites: Iterable[str], found: Iterable[Product]
) -> Iterator[Product]:
    """Isaac Lab as a distribution. Installed from its sources, it has the version of an extension
    there, which is no release; the sources have that."""
    folders = [one for one in found if one.kind == "isaac-lab"]
    for site in sites:
        version, info = _infos(tree, site).get("isaaclab", ("", ""))
        if not info:
            continue
        inside, source = posixpath.join(site, "isaaclab"), editable(tree, info)
        if source is None and (tree.is_folder(inside) or len(folders) == 1):
            path = inside if tree.is_folder(inside) else folders[0].path
            yield _lab(version, path, "pip")
        elif source and not any(f"{source}/".startswith(f"{one.path}/") for one in folders):
            top = source.removesuffix("/source/isaaclab")
            yield _lab(_release_of_extension(version), top, "source")


def _lab(release: str, path: str, way: Literal["pip", "source"]) -> Product:
    return Product(kind="isaac-lab", release=release, path=path, way=way)


def _release_of_extension(version: str) -> str:
    return "" if version.startswith("0.") else version


def _groots(tree: Tree, sites: Iterable[str]) -> Iterator[Product]:
    for site in sites:
        version, info = _infos(tree, site).get("gr00t", ("", ""))
        if not info:
            continue
        source = editable(tree, info)
        path = source or posixpath.join(site, "gr00t")
        way: Literal["pip", "source"] = "pip" if source is None else "source"
        yield Product(kind="gr00t", release=version, path=path, way=way)
