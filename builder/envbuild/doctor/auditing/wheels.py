"""What the modules of a wheel ask for: read once from each, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec import Struct

from envbuild.build.wheels import Chosen
from envbuild.scan.binary import Binary, NumpyBuild
from envbuild.scan.tree import Tree
from envbuild.tools import cached, typed

READER = 1
"""To be raised where other facts are read, or read otherwise: what was kept is read anew then."""

_Kind = TypeVar("_Kind")


class Built(Struct, frozen=True, kw_only=True):
    """Modules of a wheel that were compiled against one NumPy: how many, and one of them."""

    build: NumpyBuild
    count: int
    module: str


class Asked(Struct, frozen=True, kw_only=True):
    """The newest version of a family (``GLIBC``) that a module of a wheel asks for."""

    family: str
    version: str
    module: str


class WheelFacts(Struct, frozen=True, kw_only=True):
    """What is known of one wheel. ``name`` is the file's, ``package`` and ``version`` are the
    lock's. ``verified``: its bytes had the sha256 of the lock; else it was read in parts.
    ``modules`` counts its shared objects. ``refused`` is why it could not be read (empty: it
    was)."""

    reader: int
    package: str
    version: str
    name: str
    sha256: str
    verified: bool
    modules: int = 0
    built: tuple[Built, ...] = ()
    asked: tuple[Asked, ...] = ()
    refused: str = ""


# --- One wheel -----------------------------------------------------------------------------------


def facts(tree: Tree, of: Chosen, *, verified: bool) -> WheelFacts:
    """What the modules of a wheel amount to. Pure."""
    found = {path.removeprefix("/"): one for path, one in tree.modules.items() if not one.wrong}
    return WheelFacts(
        reader=READER,
        package=of.package,
        version=of.version,
        name=of.name,
        sha256=of.sha256,
        verified=verified,
        modules=len(found),
        built=tuple(_built(found)),
        asked=tuple(_asked(found)),
    )


def _built(modules: dict[str, Binary]) -> Iterator[Built]:
    by_build: dict[NumpyBuild, list[str]] = {}
    for path, one in modules.items():
        if one.numpy:
            by_build.setdefault(one.numpy, []).append(path)
    for build, paths in by_build.items():
        yield Built(build=build, count=len(paths), module=paths[0])


def _asked(modules: dict[str, Binary]) -> Iterator[Asked]:
    newest: dict[str, Asked] = {}
    for path, one in modules.items():
        for family, version in one.demands:
            before = newest.get(family)
            if before is None or numbers(version) > numbers(before.version):
                newest[family] = Asked(family=family, version=version, module=path)
    yield from (newest[family] for family in sorted(newest))


def numbers(version: str) -> tuple[int, ...]:
    """A version of a library (``2.34``) as something to compare; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


# --- What is kept --------------------------------------------------------------------------------


class Kept:
    """The facts of single wheels that a cache folder keeps, by their sha256.

    What was read in parts is kept under a name of its own: nobody has seen that it has that sha256.
    """

    def __init__(self, cache: str) -> None:
        self._folder = f"{cache}/wheels"

    def wheel(self, of: Chosen, *, verified: bool) -> WheelFacts | None:
        """The facts of a wheel; None where there are none."""
        found = _read(self._wheel(of.sha256, verified=verified), WheelFacts)
        known = found is not None and found.reader == READER and found.sha256 == of.sha256
        return found if known else None

    def keep(self, found: WheelFacts) -> None:
        """Keep the facts of a wheel."""
        path = self._wheel(found.sha256, verified=found.verified)
        cached.keep(path, msgspec.json.encode(found))

    def _wheel(self, sha256: str, *, verified: bool) -> str:
        ending = "" if verified else ".in-parts"
        return f"{self._folder}/{sha256[:2]}/{sha256}{ending}.json"


def recall(record: str) -> tuple[WheelFacts, ...] | None:
    """The facts of all wheels of a lock from the file that keeps them; None: there are none."""
    found = _read(record, tuple[WheelFacts, ...])
    return None if found is None or any(one.reader != READER for one in found) else found


def keep(record: str, found: tuple[WheelFacts, ...]) -> None:
    """Keep the facts of all wheels of a lock in a file."""
    cached.keep(record, msgspec.json.encode(found))


def _read(path: str, kind: type[_Kind]) -> _Kind | None:
    try:
        with open(path, "rb") as file:
            return typed.decode(file.read(), kind)
    except (OSError, msgspec.MsgspecError):
        return None
