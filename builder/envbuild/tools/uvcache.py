"""The metadata files in uv's cache. Where they lie is uv's own business: not found is no error."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

_OTHERS = 3
"""Folders of a source distribution that are looked at beside the one in use: a cache that is old
holds hundreds of them."""


def folder(environ: Mapping[str, str], configured: object = None) -> str:
    """The cache that uv uses under these settings."""
    named = environ.get("UV_CACHE_DIR") or (configured if isinstance(configured, str) else "")
    home = environ.get("XDG_CACHE_HOME") or f"{environ.get('HOME', '')}/.cache"
    return named or f"{home}/uv"


class MetadataFiles:
    """Finds the cached metadata of a package: of its wheels, then of its source distribution."""

    def __init__(self, cache: str) -> None:
        self._wheels = tuple(_shelves(cache, "wheels-v"))
        self._sources = tuple(_shelves(cache, "sdists-v"))

    def __call__(self, name: str, version: str) -> Iterator[bytes]:
        """The bytes of each metadata file found, the likeliest first."""
        for shelf in self._wheels:
            for entry in _entries(f"{shelf}/{name}"):
                if entry.name.startswith(f"{version}-") and entry.name.endswith(".msgpack"):
                    yield from _read(entry.path)
        for shelf in self._sources:
            for place in _revisions(f"{shelf}/{name}/{version}"):
                yield from _read(f"{place}/metadata.msgpack")
                yield from _read(f"{place}/src/PKG-INFO")


def _revisions(place: str) -> Iterator[str]:
    """The folders of a source distribution: uv makes one each time that it fetches it again, and a
    file beside them holds the name of the one in use. After that one the newest others: another
    uv may just be building what is in use."""
    entries = _entries(place)
    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    used = b"".join(data for entry in entries if entry not in folders for data in _read(entry.path))
    current = [entry for entry in folders if entry.name.encode() in used]
    yield from (entry.path for entry in current)
    others = [entry for entry in folders if entry not in current]
    yield from (entry.path for entry in sorted(others, key=_made, reverse=True)[:_OTHERS])


def _made(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0


def _shelves(cache: str, prefix: str) -> Iterator[str]:
    """``<cache>/<prefix>N/pypi`` and ``…/index/<hash>``, newest N first."""
    kinds = [entry for entry in _entries(cache) if entry.name.startswith(prefix)]
    for kind in sorted(kinds, key=lambda entry: entry.name, reverse=True):
        yield f"{kind.path}/pypi"
        yield from (entry.path for entry in _entries(f"{kind.path}/index"))


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def _read(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield file.read()
    except OSError:
        return
