"""The distributions of a tree: every copy of every package that a site holds. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from envbuild.names import canonical_name
from envbuild.scan.installed import metadata
from envbuild.scan.model import Distribution, Site
from envbuild.scan.starting import pathfiles
from envbuild.scan.tree import Tree

_VERSIONS = {
    "numpy": ("version.py", "_version.py"),
    "scipy": ("version.py",),
    "torch": ("version.py",),
    "cv2": ("version.py",),
}
"""Modules whose own files say their version as a literal, and which of them."""

_KNOWN = {
    "numpy": "numpy",
    "scipy": "scipy",
    "torch": "torch",
    "torchvision": "torchvision",
    "torchaudio": "torchaudio",
    "pandas": "pandas",
    "numba": "numba",
    "llvmlite": "llvmlite",
    "h5py": "h5py",
    "matplotlib": "matplotlib",
    "pyarrow": "pyarrow",
    "gymnasium": "gymnasium",
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
}
"""Modules that are a copy of a distribution although no metadata says so, and of which. Any other
folder without metadata is no distribution: it may be a namespace, or somebody's own code."""

_TOP = re.compile(r"\w[\w.-]*")
_BESIDE = re.compile(
    r".*\.(?:dist-info|egg-info|data|libs|pth)|__pycache__|bin|share|tests?|docs|examples"
)
"""What stands beside packages in a site and is none."""


def find(tree: Tree, sites: Iterable[Site]) -> tuple[Distribution, ...]:
    """Every copy of every distribution, by site in their order, then by name and version.

    One without a readable name takes that of its folder; a version that nothing says is empty.
    What an interrupted pip has left behind (``~umpy-1.26.0.dist-info``) is none.
    """
    found: list[Distribution] = []
    for site in sites:
        here = [one for one in _recorded(tree, site) if one is not None]
        here += _unrecorded(tree, site, here)
        found += sorted(here, key=lambda one: (one.name, one.version, one.metadata))
    return tuple(found)


def _recorded(tree: Tree, site: Site) -> Iterator[Distribution | None]:
    for name in tree.names(site.real):
        stem, suffix = posixpath.splitext(name)
        if stem[:1] in ("", "~", "-"):
            continue
        if suffix == ".egg-link":
            yield _linked(tree, site, name)
        elif suffix in (".dist-info", ".egg-info"):
            yield _one(tree, site, name)


def _one(tree: Tree, site: Site, name: str) -> Distribution | None:
    path = posixpath.join(site.path, name)
    place = tree.place(posixpath.join(site.real, name))
    if place.state != "here":
        return None
    folder = place.path
    said = metadata.headers(_said(tree, folder))
    called, version = metadata.named(posixpath.splitext(name)[0])
    called = canonical_name(metadata.first(said.get("name"))) or called
    if not called:
        return None  # neither can be a name
    version = metadata.first(said.get("version")) or version
    package = _package(tree, site, folder, called)
    real = _files_version(tree, package) if posixpath.basename(package) == called else ""
    other = bool(real and version) and not metadata.same_release(real, version)
    return Distribution(
        name=called,
        version=real if other or not version else version,
        recorded=version if other else "",
        site=site.path,
        metadata=path,
        package=package,
        requires=said.get("requires-dist") or _requires(tree, folder),
        installer=_installer(tree, site, folder),
        editable=pathfiles.editable(tree, folder) or "",
    )


def _said(tree: Tree, folder: str) -> bytes:
    """METADATA, PKG-INFO, or an egg-info that is a file itself."""
    for path in (f"{folder}/METADATA", f"{folder}/PKG-INFO", folder):
        data = tree.texts.get(tree.place(path).path)
        if data is not None:
            return data
    return b""


def _requires(tree: Tree, folder: str) -> tuple[str, ...]:
    return tuple(metadata.requirements(tree.text(f"{folder}/requires.txt") or ""))


def _linked(tree: Tree, site: Site, name: str) -> Distribution | None:
    """A develop install: the file says where the sources are, whose egg-info says the rest."""
    path = posixpath.join(site.real, name)
    lines = (tree.text(path) or "").split("\n")
    target = posixpath.normpath(posixpath.join(site.real, lines[0].strip())) if lines[0] else ""
    called = canonical_name(metadata.first((posixpath.splitext(name)[0],)))
    if not called:
        return None
    said: Mapping[str, tuple[str, ...]] = {}
    folder = ""
    place = tree.place(target)
    for one in tree.names(place.path) if target and place.state == "here" else ():
        stem, suffix = posixpath.splitext(one)
        if suffix == ".egg-info" and metadata.named(stem)[0] == called:
            folder = posixpath.join(place.path, one)
            said = metadata.headers(_said(tree, folder))
    source = Site(path=target, real=place.path, kind="source")
    return Distribution(
        name=called,
        version=metadata.first(said.get("version")),
        site=site.path,
        metadata=posixpath.join(site.path, name),
        package=_package(tree, source, folder, called) if folder else "",
        requires=said.get("requires-dist") or _requires(tree, folder) if folder else (),
        editable=target,
    )


def _installer(tree: Tree, site: Site, folder: str) -> str:
    said = (tree.text(f"{folder}/INSTALLER") or "").strip()
    if said:
        return said.splitlines()[0].strip()
    if site.kind == "debian":  # some of Debian's have a RECORD, which is the source's
        return "debian"
    prefix, inside, _ = folder.rpartition("/lib/python")
    return "conda" if inside and tree.is_folder(f"{prefix}/conda-meta") else ""


def _package(tree: Tree, site: Site, folder: str, name: str) -> str:
    """The folder of the main module, as it is reached; empty where it has none."""
    named = _names(tree, folder)
    public = [one for one in named if one[0] != "_"]
    fitting = [one for one in public if canonical_name(one) == name]
    for one in (*fitting, *public, *named, name.replace("-", "_")):
        if tree.is_folder(posixpath.join(site.real, one)):
            return posixpath.join(site.path, one)
    return ""


def _names(tree: Tree, folder: str) -> list[str]:
    """The top-level names of a distribution: as it says them, then the ones that it recorded most
    files of."""
    said = (tree.text(f"{folder}/top_level.txt") or "").split()
    tops = Counter(
        line.partition("/")[0].lstrip('"')
        for line in (tree.text(f"{folder}/RECORD") or "").splitlines()
        if "/" in line
    )
    names = dict.fromkeys((*said, *(name for name, _ in tops.most_common())))
    return [one for one in names if _TOP.fullmatch(one) and not _BESIDE.fullmatch(one)]


def _files_version(tree: Tree, package: str) -> str:
    files = _VERSIONS.get(posixpath.basename(package), ())
    texts = (tree.text(posixpath.join(package, file)) or "" for file in files)
    return next(filter(None, map(metadata.said_version, texts)), "")


def _unrecorded(tree: Tree, site: Site, found: Iterable[Distribution]) -> list[Distribution]:
    """The copies of known packages that nothing in their site has recorded."""
    names = {one.name for one in found}
    packages = {one.package for one in found}
    lonely = []
    for module in tree.names(site.real):
        package = posixpath.join(site.path, module)
        name = _KNOWN.get(module, "")
        if not name or name in names or package in packages:
            continue
        if tree.is_file(f"{site.real}/{module}/__init__.py"):
            version = _files_version(tree, package)
            lonely.append(Distribution(name=name, version=version, site=site.path, package=package))
    return lonely
