"""What is installed where: folders of packages, their metadata, the copies of NumPy. No imports."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import sys
from collections.abc import Iterable
from typing import NamedTuple

_VERSION = re.compile(r"""^(?:version|full_version)(?:: str)? = ['"]([\w.+!]+)['"]""", re.MULTILINE)
_OLD_VERSION = re.compile(r'"version": "([\w.+!]+)"')
"""How ``numpy/_version.py`` says it before 1.26."""


class Installed(NamedTuple):
    """A package that a folder holds, by the name of its metadata folder."""

    name: str
    version: str
    site: str
    metadata: str


class Copy(NamedTuple):
    """A copy of NumPy: the folder that holds ``numpy/``, and its version (empty: not known)."""

    site: str
    version: str


def normal(name: str) -> str:
    """A package's name in the one spelling that the index uses."""
    return re.sub(r"[-_.]+", "-", name).lower()


def own_sites() -> list[str]:
    """The folders of packages on the path of this interpreter, in its order.

    The standard library's are left out: they hold no packages, and site-packages lie below them.
    """
    library = os.path.realpath(os.path.dirname(os.__file__))
    without = {library, os.path.join(library, "lib-dynload")}
    found = dict.fromkeys(path for path in sys.path if path and os.path.isdir(path))
    return [path for path in found if os.path.realpath(path) not in without]


def matching(globs: Iterable[str]) -> list[str]:
    """The folders that the patterns of a profile name."""
    return sorted({path for one in globs for path in glob.glob(one) if os.path.isdir(path)})


def packages(sites: Iterable[str]) -> list[Installed]:
    """Every package of the folders, in the order in which they would be found."""
    found = []
    for site in sites:
        with contextlib.suppress(OSError):
            found += [one for one in map(_installed, _entries(site)) if one]
    return found


def _entries(site: str) -> list[tuple[str, str]]:
    return [(site, name) for name in sorted(os.listdir(site))]


def _installed(entry: tuple[str, str]) -> Installed | None:
    site, folder = entry
    stem, suffix = os.path.splitext(folder)
    if suffix not in (".dist-info", ".egg-info"):
        return None
    name, _, version = stem.partition("-")
    version = re.sub(r"-py3\.\d+.*$", "", version)
    if not version:
        version = _said(os.path.join(site, folder))
    return Installed(normal(name), version, site, os.path.join(site, folder))


def _said(metadata: str) -> str:
    """The version that metadata says, whose folder's name has none."""
    for name in ("METADATA", "PKG-INFO"):
        with contextlib.suppress(OSError):
            with open(os.path.join(metadata, name), encoding="utf-8", errors="replace") as file:
                found = re.search(r"^Version: *(\S+)", file.read(20_000), re.MULTILINE)
            if found:
                return found[1]
    return ""


def same_version(found: str, wanted: str) -> bool:
    """Whether an installed version is the one of a lock; a local part counts where it is wanted."""
    if "+" not in wanted:
        found = found.partition("+")[0]
    return _key(found) == _key(wanted)


def _key(version: str) -> tuple[str, ...]:
    text = version.lower().replace("-", ".").replace("_", ".")
    release, rest = re.match(r"^([\d.!]*)(.*)$", text).groups()  # type: ignore[union-attr]
    numbers = [str(int(part)) if part.isdigit() else part for part in release.split(".") if part]
    while len(numbers) > 1 and numbers[-1] == "0":
        numbers.pop()
    return (*numbers, rest)


def copies(sites: Iterable[str]) -> list[Copy]:
    """The copies of NumPy in folders, each once, in their order."""
    found: dict[str, Copy] = {}
    for site in sites:
        folder = os.path.join(site, "numpy")
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            found.setdefault(os.path.realpath(folder), Copy(site, numpy_version(folder)))
    return list(found.values())


def numpy_version(folder: str) -> str:
    """The version that a ``numpy`` folder says in its files; empty where it says none."""
    for name, pattern in (("version.py", _VERSION), ("_version.py", _OLD_VERSION)):
        with contextlib.suppress(OSError):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                found = pattern.search(file.read())
            if found:
                return found[1]
    return ""


def demanding(name: str, installed: Iterable[Installed], found: str) -> list[str]:
    """Who asks for a package in a version that no older major release would do for."""
    major = found.partition(".")[0]
    wanted = re.compile(
        rf"^Requires-Dist: *{re.escape(name)}\b[^;\n]*>=? *{major}\b[^;\n]*$",
        re.MULTILINE | re.IGNORECASE,
    )
    who = []
    for one in installed:
        with contextlib.suppress(OSError):
            path = os.path.join(one.metadata, "METADATA")
            with open(path, encoding="utf-8", errors="replace") as file:
                if wanted.search(file.read(200_000)):
                    who.append(f"{one.name} {one.version}")
    return who
