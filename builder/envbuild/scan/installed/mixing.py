"""Whether the files of one package are of two versions. Pure.

Installing over a copy, or copying a part of another one over it, leaves such a mixture. Python
imports it, and it fails where the two meet, or gives no sign at all.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from envbuild.scan.installed import recorded
from envbuild.scan.installed.recorded import Found
from envbuild.scan.model import Distribution
from envbuild.scan.tree import Tree

_SEVERAL = 3
"""Sources that are others, or too many: fewer may be somebody's own change."""

_KEY = ("__init__.py", "version.py", "_version.py")
"""Files of a package's folder that nobody changes by hand."""

_SOURCE = re.compile(r".*\.py")
_COMPILED = re.compile(r".*\.so(\.[\w.]+)?")
_TESTS = re.compile(r"tests?|__pycache__")
_CORE = re.compile(r"_multiarray_umath\..*\.so")


class Mixture(NamedTuple):
    """Files that are of another version, and which versions these are, as far as they say."""

    paths: tuple[str, ...]
    versions: str


def of_both(tree: Tree, files: recorded.Site, copies: Sequence[Distribution]) -> tuple[str, ...]:
    """The files that tell the versions apart, where those of several recorded versions are there;
    empty: all are of one version."""
    there = [_there(tree, files, one) for one in copies]
    owned = []
    for number, mine in enumerate(there):
        others = set[str]().union(*(one for at, one in enumerate(there) if at != number))
        owned.append([path for path in mine if path not in others and _is_code(path)])
    if sum(bool(paths) for paths in owned) > 1:
        fewest = sorted(filter(None, owned), key=len)
        return tuple(path for paths in fewest for path in sorted(paths, key=_telling))
    return _both_cores(tree, copies[0].package) if copies[0].name == "numpy" else ()


def _there(tree: Tree, files: recorded.Site, one: Distribution) -> dict[str, None]:
    found = map(files.found, recorded.rows(recorded.record(tree, one)))
    return {one.path: None for one in found if one.state == "same"}


def of_one(tree: Tree, one: Distribution, changed: Sequence[Found]) -> Mixture | None:
    """The mixture that the files of a distribution are, recorded in one version; None: they are
    none, or it cannot be told from files that somebody has changed.

    Of NumPy also files count that came beside the recorded ones. Modules that are all smaller
    than recorded were stripped, and all larger ones were patched for another place.
    """
    paths = [found.path for found in changed]
    if one.recorded:
        versions = f"{one.recorded} (as recorded) and {one.version} (as its files say)"
        said = [posixpath.join(one.package, name) for name in _KEY[1:]]
        return Mixture((*filter(tree.is_file, said), *sorted(paths, key=_telling)), versions)
    if one.name != "numpy" or not one.package:
        return None
    cores = _both_cores(tree, one.package)
    more = list(_unrecorded(tree, one)) if recorded.is_proof(one) else []
    sources = [path for path in (*paths, *more) if _SOURCE.fullmatch(path)]
    folder = tree.place(one.package).path
    if not (
        cores
        or any(_COMPILED.fullmatch(path) for path in more)
        or len(sources) >= _SEVERAL
        or any(path in paths for path in (posixpath.join(folder, name) for name in _KEY))
        or _are_rebuilt(tree, changed)
    ):
        return None
    found = dict.fromkeys((*cores, *sorted((*paths, *more), key=_telling)))
    return Mixture(tuple(found), f"{one.version} and another version")


def _both_cores(tree: Tree, package: str) -> tuple[str, ...]:
    """NumPy's core module as 1.x has it, and as 2.x has it."""
    folder = tree.place(package).path if package else ""
    found = []
    for core in ("core", "_core"):
        path = tree.place(f"{folder}/{core}").path
        names = [name for name in tree.names(path) if _CORE.fullmatch(name)]
        found += [posixpath.join(path, name) for name in names[:1]]
    return tuple(found) if len(found) > 1 else ()


def _unrecorded(tree: Tree, one: Distribution) -> Iterator[str]:
    """Code in a package's folders that its RECORD does not name; nothing without a RECORD."""
    site = posixpath.dirname(one.package)
    names = {row.name for row in recorded.rows(recorded.record(tree, one))}
    top = posixpath.basename(one.package)
    for name in (top, f"{top}.libs") if names else ():
        for path, inner in _code(tree, posixpath.join(site, name)):
            if posixpath.join(name, inner) not in names:
                yield path


def _code(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    """Sources and modules below a folder, with their paths below it. Links are not followed:
    what they lead to belongs to another place."""
    place = tree.place(folder)
    todo = [(place.path, "")] if place.state == "here" else []
    while todo:
        path, inner = todo.pop()
        for name, entry in tree.folders.get(path, {}).items():
            below = posixpath.join(inner, name)
            if entry.kind == "folder" and not _TESTS.fullmatch(name):
                todo.append((posixpath.join(path, name), below))
            elif entry.kind == "file" and _is_code(name):
                yield posixpath.join(path, name), below


def _are_rebuilt(tree: Tree, changed: Sequence[Found]) -> bool:
    grown = set()
    for found in changed:
        entry = tree.entry(found.path) if _COMPILED.fullmatch(found.path) else None
        if entry is not None and found.row.size not in (-1, entry.size):
            grown.add(entry.size > found.row.size)
    return len(grown) > 1


def _is_code(path: str) -> bool:
    return bool(_SOURCE.fullmatch(path) or _COMPILED.fullmatch(path))


def _telling(path: str) -> tuple[int, str]:
    """Modules first, then the key files, the rest, and at last libraries that came along."""
    if ".libs/" in path:
        return 3, path
    if _COMPILED.fullmatch(path):
        return 0, path
    return (1 if posixpath.basename(path) in _KEY else 2), path
