"""Reading archives of Debian packages: which versions they have, now or at a moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import Struct

from envbuild.lock.apt import release as parsing
from envbuild.lock.apt.release import IndexFile, Release, snapshot_id
from envbuild.lock.apt.sources import Source
from envbuild.tools import cached, files
from envbuild.tools.net import Http, NetError

_LONGEST = 256 * 1024 * 1024
"""Bytes of a file of an archive that are read; the list of all of Debian has a tenth of it."""


class Suite(Struct, frozen=True, kw_only=True):
    """What one source says: its ``Release``, and the versions that it has of some packages.

    ``snapshot`` says that it was read as it was at the moment that was asked for.
    """

    release: Release
    versions: Mapping[str, tuple[str, ...]]
    snapshot: bool = False


class Archives:
    """The archives that images name; what was read by its hash is kept in a folder."""

    def __init__(self, http: Http, cache: str) -> None:
        self._http = http
        self._cache = cache

    def suite(
        self, source: Source, architecture: str, *, names: Iterable[str], moment: str
    ) -> Suite:
        """What a source has of some packages.

        Where it announces that old states can be had, ``moment`` (RFC 3339, UTC) is looked at; a
        moment that they do not reach back to, and any archive without old states, gives the
        present.

        Raises:
            NetError: it cannot be read.
        """
        found = self._release(source.place)
        if found is None:
            raise NetError("the archive has no such suite", detail=source.place, status=404)
        place, old = source.place, False
        if found.snapshots:
            there = _at(source, found.snapshots, snapshot_id(moment))
            then = self._release(there)
            if then is not None:
                found, place, old = then, there, True
        versions: dict[str, list[str]] = {}
        for index in parsing.indexes(found, source, architecture):
            text = self._unpacked(place, index, by_hash=found.by_hash)
            for name, some in parsing.versions(text, names).items():
                versions.setdefault(name, []).extend(some)
        told = {name: tuple(dict.fromkeys(some)) for name, some in versions.items()}
        return Suite(release=found, versions=told, snapshot=old)

    def _release(self, place: str) -> Release | None:
        """The ``Release`` of a suite; None where there is none."""
        for name in ("InRelease", "Release"):
            data = self._get(f"{place}/{name}")
            if data is not None:
                try:
                    return parsing.release(data.decode("utf-8", "replace"))
                except (ValueError, TypeError) as error:
                    said = f"{place}/{name}: {error}"
                    raise NetError("the archive's Release cannot be read", detail=said) from None
        return None

    def _unpacked(self, place: str, index: IndexFile, *, by_hash: bool) -> bytes:
        path = f"{self._cache}/apt/{index.sha256}"
        data = files.read_if_exists(path)
        if data is None or _sha256(data) != index.sha256:
            data = self._index(place, index, by_hash=by_hash)
            cached.keep(path, data)
        try:
            return parsing.unpacked(data, index.path)
        except ValueError as error:
            said = f"{place}/{index.path}: {error}"
            raise NetError("the archive's list of packages cannot be read", detail=said) from None

    def _index(self, place: str, index: IndexFile, *, by_hash: bool) -> bytes:
        """A list of packages by its hash, where the archive has it so, else by its name."""
        folder = index.path.rpartition("/")[0]
        hashed = f"{place}/{folder}/by-hash/SHA256/{index.sha256}".replace("//by-hash", "/by-hash")
        data = self._get(hashed) if by_hash else None
        data = self._get(f"{place}/{index.path}") if data is None else data
        if data is None:
            raise NetError("the archive lacks a list that it names", detail=f"{place}/{index.path}")
        if _sha256(data) != index.sha256:
            said = f"{place}/{index.path}"
            raise NetError("the archive sent other bytes than its Release says", detail=said)
        return data

    def _get(self, url: str) -> bytes | None:
        """A file; None where there is none."""
        with self._http.get(url) as answer:
            if answer.status in (403, 404, 410):
                return None
            if answer.status != 200:
                said = f"the archive answers with status {answer.status}"
                raise NetError(said, detail=url)
            return answer.read(_LONGEST)


def _at(source: Source, snapshots: str, name: str) -> str:
    """The folder of a suite in an old state: the address of that state stands for the archive's."""
    uri = snapshots.replace("@SNAPSHOTID@", name)
    return Source(uri=uri, suite=source.suite, components=source.components).place


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
