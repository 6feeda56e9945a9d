"""A history as a plain folder.

``nights/<id>.json`` is a night, ``locks/<xx>/<sha256>.tar.zst`` a lock folder, and
``logs/<xx>/<sha256>.txt.zst`` a log; the sha256 is that of what is packed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping

from envbuild.errors import InputError
from envbuild.history import layout, sealing
from envbuild.history.blobs import DIGEST, digest
from envbuild.history.layout import KINDS, NIGHTS
from envbuild.history.model import Night
from envbuild.history.store import History, Kept, Merged, Pruned, Read
from envbuild.history.union import union
from envbuild.tools import files, packing, writeonce
from envbuild.tools.trouble import cannot_write
from envbuild.tools.turns import PRIVATE, private_folder

_PACKED = ".zst"
_LARGEST = 256 << 20
"""Bytes of a lock or a log when it is unpacked; more is damage, or somebody's bad joke."""


class FolderHistory:
    """The history of a folder; ``place`` is what messages call it."""

    def __init__(self, folder: str, place: str) -> None:
        self.folder = os.path.normpath(folder)
        self.place = place

    def nights(self, newest: int | None = None) -> Kept:
        """As :meth:`envbuild.history.store.History.nights`."""
        return layout.kept(self.read(newest))

    def read(self, newest: int | None = None) -> Read:
        """As :meth:`envbuild.history.store.History.read`."""
        self._check()
        found: dict[str, bytes] = {}
        broken = []
        names = files.names(f"{self.folder}/{NIGHTS}", label=f"{self.place}/{NIGHTS}")
        for file in names[-newest:] if newest else names:
            name = layout.night_of(file)
            if name is None:
                broken.append(f"{NIGHTS}/{file}: its name is no id of a night")
                continue
            try:
                data = files.read_if_exists(f"{self.folder}/{NIGHTS}/{file}", label=file)
            except InputError as error:
                broken.append(f"{NIGHTS}/{error.message}")
                continue
            if data is not None:
                found[name] = data
        return Read(files=found, broken=tuple(broken))

    def add(self, night: Night, blobs: Mapping[str, bytes]) -> None:
        """As :meth:`envbuild.history.store.History.add`."""
        data = sealing.sealed(night)
        placed = layout.placed(night, blobs)
        self._check()
        self._keep(night.id, data, placed)

    def blob(self, digest: str) -> bytes | None:
        """As :meth:`envbuild.history.store.History.blob`."""
        if DIGEST.fullmatch(digest) is None:
            return None
        found = (self._unpacked(layout.blob_path(kind, digest), digest) for kind in KINDS)
        return next((data for data in found if data is not None), None)

    def blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        """As :meth:`envbuild.history.store.History.blobs`."""
        found = {one: self.blob(one) for one in digests}
        return {one: data for one, data in found.items() if data is not None}

    def prune(self, keep: int) -> Pruned:
        """As :meth:`envbuild.history.store.History.prune`."""
        self._check()
        if not os.path.isdir(self.folder):
            layout.doomed(Read(files={}), keep)
            return Pruned()
        with writeonce.held(self.folder):
            ids, named = layout.doomed(self.read(), keep)
            # The nights first: a night must not be left without what it names.
            size = writeonce.remove(self.folder, map(layout.night_path, ids))
            stale = [path for path in self._blobs() if layout.blob_of(path) not in named]
            size += writeonce.remove(self.folder, stale)
        names = layout.names_of(ids)
        return Pruned(names=names, nights=len(ids), blobs=len(stale), size=size)

    def merge(self, other: History) -> Merged:
        """As :meth:`envbuild.history.store.History.merge`."""
        theirs = other.read()
        self._check()
        met = union(self.read(), theirs)
        blobs = 0
        for name, night in (met.new | met.shared).items():
            lacking = {
                layout.blob_path(kind, one): data
                for one, kind in layout.kinds(night).items()
                if self._unpacked(layout.blob_path(kind, one), one) is None
                and (data := other.blob(one)) is not None
            }
            blobs += len(lacking)
            if lacking or name in met.new:
                self._keep(name, theirs.files[name], lacking)
        return met.merged(blobs)

    def _keep(self, name: str, data: bytes, blobs: Mapping[str, bytes]) -> None:
        """Write what a night names, then the night."""
        path = layout.night_path(name)
        self._make()
        with writeonce.held(self.folder):
            there = files.read_if_exists(f"{self.folder}/{path}", label=path)
            if there is not None:
                layout.refuse_other(name, there, data)
            lacking = {
                f"{place}{_PACKED}": _packed(content)
                for place, content in blobs.items()
                if self._unpacked(place, digest(content)) is None
            }
            writeonce.put(self.folder, lacking)
            if there is None:
                writeonce.put(self.folder, {path: data})

    def _make(self) -> None:
        above, name = os.path.split(self.folder)
        try:
            if os.path.basename(above) == PRIVATE:  # it ignores itself in git
                private_folder(os.path.dirname(above) or ".", name)
            os.makedirs(f"{self.folder}/{NIGHTS}", exist_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from None

    def _check(self) -> None:
        """Refuse a place that holds something else.

        Raises:
            InputError: it is a file, or a folder without nights that is not empty.
        """
        if os.path.lexists(self.folder) and not os.path.isdir(self.folder):
            raise InputError(f"{self.place} is not a folder", hint="a history is one")
        names = files.names(self.folder, label=self.place)
        if NIGHTS not in names and not all(name.startswith(".") for name in names):
            raise layout.missing(self.place)

    def _blobs(self) -> list[str]:
        """The paths of all locks and logs."""
        return [
            f"{kind}/{path}"
            for kind in KINDS
            for path in writeonce.listed(f"{self.folder}/{kind}")
            if layout.blob_of(f"{kind}/{path}")
        ]

    def _unpacked(self, path: str, wanted: str) -> bytes | None:
        """A lock or a log, if its bytes are what its name says."""
        try:
            packed = files.read_if_exists(f"{self.folder}/{path}{_PACKED}")
        except InputError:
            return None
        if packed is None:
            return None
        try:
            with packing.plain(io.BytesIO(packed)) as stream:
                data = stream.read(_LARGEST + 1)
        except (*packing.DAMAGE, OSError):
            return None
        return data if digest(data) == wanted else None


def _packed(data: bytes) -> bytes:
    packer = packing.packer("zstd")
    return packer.compress(data) + packer.flush()
