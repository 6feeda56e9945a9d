"""Images from registries into the OCI layout of a vendored folder, blob by blob.

What came of a blob before a failure is gone on with the next time, where the registry gives parts.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.build.vendor import layout, locations
from envbuild.build.vendor.model import Artifact, Image
from envbuild.errors import ToolError
from envbuild.tools.manifests import Document, decoded
from envbuild.tools.net import NetError
from envbuild.tools.references import parse
from envbuild.tools.store import Store, WrongHashError, digest
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.render.model import StageImage
    from envbuild.tools.manifests import Raw
    from envbuild.tools.registry import Registry

_TRIES = 4
_PAUSE = 0.5
"""Seconds before a blob that broke off is gone on with, doubled each time."""

_PARTIAL = ".partial"
"""Where blobs are until they are whole."""


class Wanted(Struct, frozen=True, kw_only=True):
    """An image of a lock, for an architecture; ``reference`` is how a build reads it, without the
    user's mirrors."""

    image: StageImage
    reference: str
    architecture: str


class _Blob(Struct, frozen=True, kw_only=True):
    digest: str
    size: int


class Images:
    """The images of a vendored folder, and the registry that they come from. ``jobs`` blobs are
    fetched at a time; ``live`` is told how it goes."""

    def __init__(
        self, registry: Registry, folder: str, *, jobs: int, live: Callable[[str], None]
    ) -> None:
        self._registry = registry
        self._folder = folder
        self._store = Store(f"{folder}/{_PARTIAL}")
        self._jobs = jobs
        self._live = live
        self._stop = threading.Event()

    def take(self, wanted: Wanted) -> tuple[Image, tuple[Artifact, ...]]:
        """An image with all that belongs to it, in the layout; and its artifacts.

        Raises:
            ToolError: it cannot be had, or is not what its digest says.
        """
        self._live(f"asking for {wanted.reference} ...")
        place, raws = self._documents(wanted)
        manifest = raws[-1]
        try:
            read = decoded(manifest.data, Document, wanted.reference)
        except NetError as error:
            raise _failed(wanted.reference, error) from None
        if read.config is None or not read.layers:
            raise ToolError(f"{wanted.reference} is no image: its manifest names no layers")
        parts = {one.digest: one.size for one in (read.config, *read.layers)}
        blobs = [_Blob(digest=digest, size=size) for digest, size in parts.items()]
        for raw in raws:
            self._write(raw)
        self._fetch(place, blobs)
        image = Image(
            argument=wanted.image.argument,
            reference=wanted.reference,
            manifest=manifest.digest,
            config=read.config.digest,
            media_type=manifest.media_type,
            blobs=tuple(map(layout.digits, (*(one.digest for one in raws), *parts))),
        )
        return image, tuple(_artifacts(wanted, raws, blobs, manifest=manifest.digest))

    def _documents(self, wanted: Wanted) -> tuple[str, tuple[Raw, ...]]:
        """The index and the manifest, and the reference that has them: the user's own way first,
        then other registries that are known to have the same."""
        first: NetError | None = None
        for place in _places(wanted):
            try:
                return place, self._registry.raw(place, wanted.architecture)
            except NetError as error:
                first = first or error
        assert first is not None  # the first place is always tried
        raise _failed(wanted.reference, first)

    def _fetch(self, place: str, blobs: Iterable[_Blob]) -> None:
        missing = [one for one in blobs if not self._whole(one.digest)]
        left = sum(one.size for one in missing)
        if missing:
            _refuse_full(self._folder, left, place)
            self._live(f"fetching {place}: {left / 1e6:.0f} MB in {len(missing)} parts ...")
        missing.sort(key=lambda one: -one.size)
        self._stop.clear()
        pool = ThreadPoolExecutor(self._jobs)
        try:
            tuple(pool.map(lambda one: self._patiently(place, one), missing))
        finally:
            self._stop.set()  # else Ctrl-C would wait for what is on its way
            pool.shutdown(cancel_futures=True)

    def _patiently(self, place: str, blob: _Blob) -> None:
        pause = _PAUSE
        for left in reversed(range(_TRIES)):
            try:
                self._blob(place, blob)
            except NetError as error:
                if not left or error.status in (401, 403, 404):
                    raise _failed(f"{place}, {blob.digest},", error) from None
                time.sleep(pause)
                pause *= 2
            else:
                return

    def _blob(self, place: str, blob: _Blob) -> None:
        sha256 = layout.digits(blob.digest)
        with self._store.writing(sha256, sha256) as part:
            if part.file is not None:
                if part.size < blob.size:
                    begins, answer = self._registry.part(place, blob.digest, part.size)
                    with answer:
                        if not begins:
                            part.restart()
                        for data in answer.chunks():
                            part.write(data)
                            if self._stop.is_set():
                                raise ToolError(f"{place}: stopped")
                try:
                    part.finish()
                except WrongHashError:
                    said = "the registry sent other bytes than its digest says"
                    raise NetError(said, detail=f"{place} {blob.digest}") from None
            self._move(part.path, sha256)

    def _move(self, path: str, sha256: str) -> None:
        target = f"{self._folder}/{layout.blob(sha256)}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(path, target)

    def _whole(self, blob: str) -> bool:
        path = f"{self._folder}/{layout.blob(layout.digits(blob))}"
        try:
            return digest(path) == layout.digits(blob)
        except OSError:
            return False

    def _write(self, raw: Raw) -> None:
        """An index or a manifest, which is here already."""
        if self._whole(raw.digest):
            return
        sha256 = layout.digits(raw.digest)
        with self._store.writing(sha256, sha256) as part:
            if part.file is not None:
                part.restart()
                part.write(raw.data)
                part.finish()
            self._move(part.path, sha256)


def sweep(folder: str) -> None:
    """Remove the places of partial blobs that are empty; those with bytes in them are gone on with.

    Raises:
        ToolError: the folder cannot be written.
    """
    top = f"{folder}/{_PARTIAL}"
    try:
        for place, _, names in os.walk(top, topdown=False):
            if not names and not os.listdir(place):
                os.rmdir(place)
    except OSError as error:
        raise cannot_write(top, error) from None


def _refuse_full(folder: str, size: int, what: str) -> None:
    """Refuse what cannot fit, before the first byte of it.

    Raises:
        ToolError: with what is free.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        disk = os.statvfs(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None
    free = disk.f_bavail * disk.f_frsize
    if free < size:
        raise ToolError(
            f"{what} needs {size / 1e6:.0f} MB, and the disk of {folder} has {free / 1e6:.0f} MB",
            hint="free some space, or vendor to a larger disk",
        )


def _places(wanted: Wanted) -> tuple[str, ...]:
    """The references that may have it, that of the lock first."""
    digest = parse(wanted.reference).digest
    if not digest:
        return (wanted.reference,)
    known = locations.image(wanted.reference, digest)
    return (wanted.reference, *(one.at for one in known[1:]))


def _artifacts(
    wanted: Wanted, raws: Iterable[Raw], blobs: Iterable[_Blob], *, manifest: str
) -> Iterable[Artifact]:
    asked = parse(wanted.image.reference)
    name = f"{asked.registry}/{asked.repository}"
    for raw in raws:
        yield Artifact(
            kind="image",
            name=name,
            version=asked.tag,
            sha256=layout.digits(raw.digest),
            size=len(raw.data),
            file=layout.blob(layout.digits(raw.digest)),
            locations=locations.image(wanted.reference, raw.digest),
        )
    for one in blobs:
        yield Artifact(
            kind="blob",
            name=name,
            version=asked.tag,
            sha256=layout.digits(one.digest),
            size=one.size,
            file=layout.blob(layout.digits(one.digest)),
            locations=locations.image(wanted.reference, manifest, blob=one.digest),
        )


def _failed(what: str, error: NetError) -> ToolError:
    return ToolError(
        f"{what} cannot be fetched: {error.message}",
        hint=error.hint or "another registry that has it is named with --mirror PREFIX=PLACE",
        output=error.detail,
    )
