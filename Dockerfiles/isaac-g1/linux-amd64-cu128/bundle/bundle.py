"""What a base image bundles: recorded before a build installs anything, held against it at the end.

    bundle.py record MANIFEST [GLOB…]
    bundle.py check MANIFEST [GLOB…]

It runs in the image, by the interpreter that packages are installed for: the standard library
alone, Python 3.9 and later. A GLOB names bundled folders; the interpreter's own site-packages is
always one. ``check`` ends with 1 when a bundled file was replaced or removed, or when something new
would be imported in place of what is bundled; with 2 when it cannot tell.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import importlib.machinery
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

SHOWN = 20
"""Faults that are named; the rest is counted."""

_CHUNK = 1 << 20
_BATCH = 200
"""Files that a thread hashes in one go."""

_DEEP = 3
"""Folders without ``__init__`` that are looked into: parts of a namespace package."""

_ENDINGS = tuple(importlib.machinery.all_suffixes())
_NOBODYS = {"benchmarks", "conftest", "doc", "docs", "example", "examples", "samples", "scripts"}
_NOBODYS |= {"setup", "test", "tests"}
"""Names that many packages and checkouts have at their top by mistake, and nobody imports."""

_HINT = """\
envbuild: hint: leave such a package out (python.exclude), or pin it to the version that the image
envbuild: brings and name the bundle in base.provides; then: envbuild lock, envbuild render"""


class Fault(NamedTuple):
    """A bundled file or module that is no longer what is imported, and who did it."""

    kind: str
    path: str
    by: str


def main(arguments: list[str]) -> int:
    """Record or check, as the arguments say."""
    try:
        command, manifest, *globs = arguments
        return {"record": _record, "check": _check}[command](manifest, globs)
    except (KeyError, OSError, ValueError) as error:
        sys.stderr.write(f"envbuild: the bundle cannot be looked at: {error}\n")
        return 2


def _record(manifest: str, globs: list[str]) -> int:
    sites = find_sites(globs)
    if globs and not any(map(glob.glob, globs)):
        raise ValueError(f"the base image has none of {', '.join(globs)}")
    places = find_places(sites)
    dists = {info: record for place in places for info, record in _dists(place)}
    numbers = {info: number for number, info in enumerate(dists)}
    owners = {path: numbers[info] for info in dists for path in _recorded(info)}
    files = {path: [*seen, owners.get(path, -1)] for path, seen in _contents(sites).items()}
    data = {
        "sites": sites,
        "places": {place: [*names(place)] for place in places},
        "dists": [*dists.items()],
        "files": files,
    }
    with open(manifest, "w", encoding="utf-8") as file:
        json.dump(data, file)
    sys.stdout.write(f"{len(files)} bundled files in {len(sites)} folders\n")
    return 0


def _check(manifest: str, globs: list[str]) -> int:
    with open(manifest, encoding="utf-8") as file:
        before = json.load(file)
    sites = [*dict.fromkeys([*before["sites"], *find_sites(globs)])]
    places = find_places(sites)
    blame = Blame(before, places)
    faults = [*_shadows(before, places, sites, blame), *_changes(before, blame)]
    if not faults:
        sys.stdout.write(f"{len(before['files'])} bundled files are as they were\n")
        return 0
    _say(faults)
    return 1


def _say(faults: list[Fault]) -> None:
    """The faults, so that each package has its first before one has its second."""
    counted: dict[str, int] = {}
    ranked: list[tuple[int, int, Fault]] = []
    for fault in faults:
        counted[fault.by] = counted.get(fault.by, 0) + 1
        ranked.append((counted[fault.by], len(ranked), fault))
    ranked.sort()
    lines = ["envbuild: what the base image bundles is no longer what is imported:"]
    lines += [f"  {fault.kind} {fault.path}: by {fault.by}" for *_, fault in ranked[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(f"  and {len(faults) - SHOWN} more")
    sys.stderr.write("\n".join([*lines, _HINT]) + "\n")


def find_sites(globs: Iterable[str]) -> list[str]:
    """The bundled folders that there are, without links, and the interpreter's own."""
    found = [path for pattern in globs for path in sorted(glob.glob(pattern))]
    found += [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    found += [path for path in sys.path if path.endswith(("/site-packages", "/dist-packages"))]
    return [*dict.fromkeys(os.path.realpath(path) for path in found if os.path.isdir(path))]


def find_places(sites: Iterable[str]) -> list[str]:
    """Every folder that modules are found in: the path's, in its order, then the bundled ones."""
    script = os.path.realpath(os.path.dirname(os.path.abspath(sys.argv[0])))
    path = (os.path.realpath(place) for place in sys.path if place and os.path.isdir(place))
    return [*dict.fromkeys([*(place for place in path if place != script), *sites])]


def names(folder: str, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """What can be imported from a folder, with its path: modules, packages, and of a namespace
    package (a folder without ``__init__``) its parts."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        stem = entry.name.partition(".")[0]
        if not stem.isidentifier() or stem == "__pycache__":
            continue
        if entry.name == stem and entry.is_dir():
            if _regular(entry.path):
                yield prefix + stem, entry.path
            elif depth < _DEEP:
                yield from names(entry.path, f"{prefix}{stem}.", depth + 1)
        elif entry.name[len(stem) :] in _ENDINGS and stem != "__init__":
            yield prefix + stem, entry.path


def _regular(folder: str) -> bool:
    return any(os.path.exists(f"{folder}/__init__{ending}") for ending in _ENDINGS)


def _contents(sites: Iterable[str]) -> dict[str, list[Any]]:
    """Size and digest of every file below the sites; of a link its target. No bytecode."""
    paths = [*dict.fromkeys(path for site in sites for path in _files(site))]
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    with ThreadPoolExecutor(max_workers=min(16, (os.cpu_count() or 1) + 2)) as pool:
        seen = pool.map(lambda batch: [_content(path) for path in batch], batches)
        return dict(zip(paths, (one for batch in seen for one in batch)))  # noqa: B905 (3.9)


def _files(site: str) -> Iterator[str]:
    for folder, folders, files in os.walk(site):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        linked = [name for name in folders if os.path.islink(f"{folder}/{name}")]
        yield from (f"{folder}/{name}" for name in sorted([*files, *linked]))


def _content(path: str) -> list[Any]:
    if os.path.islink(path):
        return [0, f"link {os.readlink(path)}"]
    if not os.path.isfile(path):
        return [0, "neither a file nor a link"]
    digest = hashlib.sha256()
    size = 0
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return [size, digest.hexdigest()]


# --- Whose a file is -----------------------------------------------------------------------------


def _dists(place: str) -> Iterator[tuple[str, str]]:
    """The installed distributions of a folder: their metadata, and the digest of their list."""
    for info in sorted(glob.glob(f"{glob.escape(place)}/*.dist-info")):
        if os.path.isfile(f"{info}/RECORD"):
            yield info, _content(f"{info}/RECORD")[1]


def _recorded(info: str) -> Iterator[str]:
    place = os.path.dirname(info)
    with open(f"{info}/RECORD", encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.reader(file):
            if row:
                yield os.path.normpath(os.path.join(place, row[0]))


def _named(info: str) -> str:
    """``numpy 1.26.0`` from ``…/numpy-1.26.0.dist-info``."""
    name = os.path.basename(info)[: -len(".dist-info")]
    return name.replace("-", " ", 1)


def _canonical(named: str) -> str:
    return re.sub(r"[-_.]+", "-", named.partition(" ")[0]).lower()


class Blame:
    """Who is to blame: the distributions that are new or changed, by what they list."""

    def __init__(self, before: dict[str, Any], places: list[str]) -> None:
        self._old = [info for info, _ in before["dists"]]
        known = dict(before["dists"])
        found = (one for place in places for one in _dists(place))
        new = [info for info, record in found if known.get(info) != record]
        self._versions = {_canonical(_named(info)): _named(info) for info in new}
        self._owners: dict[str, str] = {}
        for info in new:
            self._learn(info)

    def _learn(self, info: str) -> None:
        place, named = os.path.dirname(info), _named(info)
        for path in _recorded(info):
            self._owners[path] = named
            folder = os.path.dirname(path)
            while folder.startswith(f"{place}/") and folder not in self._owners:
                self._owners[folder] = named
                folder = os.path.dirname(folder)
        source = _checkout(info)
        if source:
            self._owners[source] = named

    def of(self, path: str, owner: int = -1) -> str:
        """Who brought a path, or took away what ``owner`` (a number of the record) had there."""
        place = path
        while place not in self._owners and place != os.path.dirname(place):
            place = os.path.dirname(place)
        if place in self._owners:
            return self._owners[place]
        if owner >= 0:
            was = _named(self._old[owner])
            return self._versions.get(_canonical(was), f"what removed {was}")
        return "a step of this build, and no package"


def _checkout(info: str) -> str:
    """The folder that an editable distribution is used from; empty for any other."""
    try:
        with open(f"{info}/direct_url.json", encoding="utf-8") as file:
            origin = json.load(file)
    except (OSError, ValueError):
        return ""
    url = str(origin.get("url", ""))
    return os.path.realpath(url[len("file://") :]) if url.startswith("file:///") else ""


# --- What is wrong -------------------------------------------------------------------------------


def _changes(before: dict[str, Any], blame: Blame) -> Iterator[Fault]:
    now = _contents(before["sites"])
    for path, (size, digest, owner) in before["files"].items():
        seen = now.get(path)
        if seen is None:
            yield Fault("removed", path, blame.of(path, owner))
        elif seen != [size, digest]:
            yield Fault("replaced", path, blame.of(path, owner))


def _shadows(
    before: dict[str, Any], places: list[str], sites: list[str], blame: Blame
) -> Iterator[Fault]:
    """New modules that are imported before a bundled one of the same name."""
    bundled: dict[str, list[tuple[str, str]]] = {}
    for site in before["sites"]:
        for name, path in before["places"][site]:
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):  # a package may hide parts of a namespace
                bundled.setdefault(".".join(parts[:depth]), []).append((site, path))
    known = {path for found in before["places"].values() for _, path in found}
    path_itself = {os.path.realpath(place) for place in sys.path if place}
    order = {place: n for n, place in enumerate(place for place in places if place in path_itself)}
    for place in places:
        for name, path in names(place):
            if path in known or name in _NOBODYS:
                continue
            for site, hidden in bundled.get(name, ()):
                first = place in sites or order[place] < order.get(site, len(order))
                if first:
                    yield Fault("shadowed", hidden, f"{path} of {blame.of(path)}")
                    break


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
