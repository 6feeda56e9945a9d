"""The Pythons of a tree: prefixes, versions, and where each looks for packages by itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from envbuild.scan.landmarks import Landmarks
from envbuild.scan.model import Start
from envbuild.scan.tree import Tree

Way = Literal["conda", "venv", "system", "kit", "plain"]

VERSION = re.compile(r"(?:^|/)python(3\.\d+)t?(?:/|$)")
"""The version that a path below ``lib/python3.11``, or an interpreter's name, says."""

_OWN = re.compile(
    r"(?P<prefix>.*)/lib(?:64)?/python(?P<version>3(?:\.\d+)?)t?/(?:site|dist)-packages"
)
_USER = re.compile(r".*/\.local/lib/python3\.\d+t?/site-packages")
_SYSTEM = ("/usr", "/usr/local")
_EXECUTABLES = ("python3", "python")


class Python(Struct, frozen=True, kw_only=True):
    """An interpreter, by the folders that are its own.

    ``executable`` is empty where it is neither in what was read nor named, as is ``version``
    where nothing says it. ``own`` are its folders of packages in their order, ``base`` those that
    a virtual environment takes over from the Python that it was made with; ``user`` says whether
    the packages of the user's home come between (an isolated environment has none).
    """

    prefix: str
    way: Way
    version: str
    executable: str
    own: tuple[str, ...]
    base: tuple[str, ...] = ()
    user: bool = True


def is_user(path: str) -> bool:
    """Whether a folder of packages is one of a user's home."""
    return _USER.fullmatch(path) is not None


def find(tree: Tree, marks: Landmarks, start: Start) -> tuple[Python, ...]:
    """Every Python of a tree, by prefix and version. Two paths of one folder are one Python."""
    folders: dict[str, dict[str, list[str]]] = {}
    for path in marks.packages:
        own = _OWN.fullmatch(tree.place(path).path)
        if own and not is_user(path):
            prefix = _owner(own["prefix"] or "/", own[0])
            version = own["version"] if "." in own["version"] else ""
            folders.setdefault(prefix, {}).setdefault(version, []).append(own[0])
    found = [
        _python(tree, prefix, version, sites=by_version, start=start)
        for prefix, by_version in folders.items()
        for version in _versions(tree, prefix, by_version, start=start)
    ]
    every = {(one.prefix, one.version): one for one in found}
    return tuple(_based(tree, one, every.values()) for _, one in sorted(every.items()))


def _owner(prefix: str, site: str) -> str:
    """Debian's Python, which is below /usr, has a folder below /usr/local as well."""
    return "/usr" if prefix == "/usr/local" and site.endswith("/dist-packages") else prefix


def _versions(tree: Tree, prefix: str, sites: Iterable[str], *, start: Start) -> Iterator[str]:
    """The versions of the Pythons of a prefix. Debian's dist-packages are for every one of them,
    which its programs name; a folder that an older one left behind makes no Python."""
    said = {one for one in sites if one}
    binaries = tree.names(tree.place(posixpath.join(prefix, "bin")).path)
    there = {found[1] for found in map(VERSION.search, binaries) if found}
    named = VERSION.search(start.executable)
    if named and _above(start.executable) == prefix:
        there.add(named[1])
    if prefix in _SYSTEM:
        yield from sorted(there or said or {""})
    else:
        yield from sorted(said & there or said)


def _above(executable: str) -> str:
    """The prefix of an interpreter."""
    return posixpath.dirname(posixpath.dirname(executable))


def _python(
    tree: Tree, prefix: str, version: str, *, sites: dict[str, list[str]], start: Start
) -> Python:
    way = _way(tree, prefix, sites)
    own = list(dict.fromkeys((*sites.get(version, ()), *sites.get("", ()))))
    names = (f"python{version}", *_EXECUTABLES) if version else _EXECUTABLES
    binaries = tree.folders.get(tree.place(posixpath.join(prefix, "bin")).path, {})
    name = next((one for one in names if one in binaries), "")
    named = start.executable if _above(start.executable) == prefix else ""
    return Python(
        prefix=prefix,
        way=way,
        version=version,
        executable=posixpath.join(prefix, "bin", name) if name else named,
        own=tuple(sorted(own, key=_rank)),
        user=way != "venv" or _shares(tree, prefix),
    )


def _way(tree: Tree, prefix: str, sites: dict[str, list[str]]) -> Way:
    if prefix.endswith("/kit/python"):
        return "kit"
    if tree.is_file(posixpath.join(prefix, "pyvenv.cfg")):
        return "venv"
    if tree.is_folder(posixpath.join(prefix, "conda-meta")):
        return "conda"
    debian = any(one.endswith("/dist-packages") for every in sites.values() for one in every)
    return "system" if debian or prefix in _SYSTEM else "plain"


def _rank(site: str) -> tuple[int, str]:
    """Debian's order: what is local, then every Python's, then the one's own."""
    order = ("/local/", "/python3/")
    return (next((n for n, part in enumerate(order) if part in site), len(order)), site)


# Virtual environments --------------------------------------------------------


def settings(text: str) -> dict[str, str]:
    """What a pyvenv.cfg says, by its keys in lower case."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _settings(tree: Tree, prefix: str) -> dict[str, str]:
    return settings(tree.text(posixpath.join(prefix, "pyvenv.cfg")) or "")


def _shares(tree: Tree, prefix: str) -> bool:
    if not tree.is_file(posixpath.join(prefix, "pyvenv.cfg")):
        return True
    return _settings(tree, prefix).get("include-system-site-packages", "").lower() == "true"


def _based(tree: Tree, python: Python, every: Iterable[Python]) -> Python:
    """A virtual environment with the folders that it takes over from its base."""
    if not _settings(tree, python.prefix):
        return python
    shares = _shares(tree, python.prefix)
    home = _settings(tree, python.prefix).get("home", "")
    above = posixpath.dirname(tree.place(home).path if home else "")
    fitting = (one for one in every if one.prefix == above and one.version == python.version)
    base = next(fitting, None) if shares else None
    return Python(
        prefix=python.prefix,
        way=python.way,
        version=python.version,
        executable=python.executable,
        own=python.own,
        base=base.own if base else (),
        user=shares,
    )
