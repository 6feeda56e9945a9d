"""One saved image: a folder or an archive in OCI's layout, or a tar as ``docker save`` writes it.

Layers are handed out as files of the disk or parts of one, never whole in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.tools import packing
from envbuild.tools.imagestores import Archive, Folder, Store
from envbuild.tools.trouble import cannot_write, words

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST = 16 * 1024 * 1024
"""Bytes of an index, manifest or configuration that are read; registries allow a quarter."""

_DEEPEST = 8
"""Indexes within indexes that are followed."""


class Layer(Struct, frozen=True, kw_only=True):
    """A layer: ``digest`` of the blob (empty where ``docker save`` gives it no name), ``diff_id``
    of what it holds unpacked (empty where the configuration does not say it)."""

    path: str
    digest: str = ""
    media_type: str = ""
    diff_id: str = ""


class _Found(Struct, frozen=True, kw_only=True):
    """An image of a store, before its configuration is read. ``layers`` are path, digest and media
    type of each."""

    config: str
    identity: str
    layers: list[tuple[str, str, str]]
    digest: str = ""
    manifest: Mapping[str, Any] = {}


class SavedImage:
    """An image of one platform; it can be read as long as its store is open.

    ``config`` and ``manifest`` are what the JSON holds, ``digest`` that of the manifest (empty for
    a tar of ``docker save``, which has none), ``identity`` that of the configuration.
    """

    def __init__(self, store: Store, label: str, found: _Found) -> None:
        self._store = store
        self._config = found.config
        self.label = label
        self.digest = found.digest
        self.manifest = found.manifest
        self.identity = found.identity
        config = _json(store, label, found.config)
        if config is None:
            named = f" {found.config}" if found.config else ""
            raise InputError(f"{label} is not whole: its configuration{named} is missing")
        self.config: Mapping[str, Any] = config
        ids = [str(one) for one in items(config.get("rootfs"), "diff_ids")]
        if ids and len(ids) != len(found.layers):
            raise InputError(f"{label} names {len(found.layers)} layers and {len(ids)} diff_ids")
        self.layers = tuple(
            Layer(path=path, digest=digest, media_type=kind, diff_id=ids[at] if ids else "")
            for at, (path, digest, kind) in enumerate(found.layers)
        )

    @property
    def platform(self) -> str:
        """As ``linux/amd64``."""
        return f"{text(self.config, 'os')}/{text(self.config, 'architecture')}"

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of the configuration."""
        settings = self.config.get("config")
        labels = settings.get("Labels") if isinstance(settings, dict) else None
        labels = labels if isinstance(labels, dict) else {}
        return {str(key): str(value) for key, value in labels.items()}

    def measured(self) -> str:
        """The digest that the configuration has, whatever it is called.

        Raises:
            InputError: it cannot be read.
        """
        stream = _opened(self._store, self.label, self._config)
        if stream is None:
            return ""
        with stream:
            return f"sha256:{hashlib.sha256(stream.read(_LONGEST)).hexdigest()}"

    @contextlib.contextmanager
    def opened(self, layer: Layer) -> Iterator[IO[bytes]]:
        """The layer as it is stored.

        Raises:
            InputError: it is not there.
        """
        stream = _opened(self._store, self.label, layer.path)
        if stream is None:
            raise InputError(f"{self.label} is not whole: the layer {layer.path} is missing")
        with stream:
            yield stream

    @contextlib.contextmanager
    def unpacked(self, layer: Layer, scratch: str) -> Iterator[IO[bytes]]:
        """The layer as a plain tar; one that is packed is unpacked into the folder ``scratch`` and
        removed at the end.

        Raises:
            InputError: it is not there, or cannot be unpacked.
            ToolError: it cannot be written.
        """
        with self.opened(layer) as stream:
            if packing.packing_of(stream) == "none":
                yield stream
                return
            path = f"{scratch}/{os.urandom(8).hex()}.tar"
            try:
                self._unpack(stream, path, layer)
                with open(path, "rb") as file:
                    yield file
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)

    def _unpack(self, stream: IO[bytes], path: str, layer: Layer) -> None:
        pieces = packing.unpacked(stream, f"{self.label}: the layer {layer.path}")
        try:
            with open(path, "wb") as file:
                file.writelines(pieces)
        except OSError as error:
            raise cannot_write(path, error) from None


# --- Which images there are ----------------------------------------------------------------------


@contextlib.contextmanager
def opened(path: str, label: str) -> Iterator[SavedImage]:
    """The one image of a folder or of a plain archive.

    Raises:
        InputError: there is none, several, or it is not whole.
    """
    with contextlib.ExitStack() as stack:
        try:
            store = _store(path, label, stack)
        except FileNotFoundError:
            raise InputError(f"{label} does not exist") from None
        except OSError as error:
            raise InputError(f"{label} cannot be read: {words(error)}") from None
        found = tuple(_found(store, label))
        if len(found) > 1:
            raise InputError(
                f"{label} holds {len(found)} images",
                hint="save the one image of one platform that is meant",
            )
        yield SavedImage(store, label, found[0])


def _store(path: str, label: str, stack: contextlib.ExitStack) -> Store:
    if os.path.isdir(path):
        return Folder(path)
    file = stack.enter_context(open(path, "rb"))  # noqa: SIM115 (closed with the stack)
    if packing.is_packed(file):
        raise InputError(f"{label} is packed", hint="unpack it first, to a plain tar")
    return Archive(file, label)


def images(store: Store, label: str) -> tuple[SavedImage, ...]:
    """Every image of a store, as of an index of several platforms.

    Raises:
        InputError: there is none, or one is not whole.
    """
    return tuple(SavedImage(store, label, one) for one in _found(store, label))


def _found(store: Store, label: str) -> list[_Found]:
    """The images of a store, one at least; what only attests to an image is passed."""
    index = _json(store, label, "index.json")
    if index is not None:
        found = [
            _of_manifest(digest, manifest)
            for digest, manifest in _manifests(store, label, index, depth=0)
        ]
    else:
        listed = _json(store, label, "manifest.json", kind=list) or ()
        found = [_of_docker(one) for one in listed]
    if not found:
        raise InputError(
            f"{label} holds no image",
            hint="an OCI layout has index.json, a saved image manifest.json",
        )
    return found


def _manifests(
    store: Store, label: str, index: object, *, depth: int
) -> Iterator[tuple[str, object]]:
    """The manifests that an index leads to, with their digests."""
    for one in items(index, "manifests"):
        if text(one, "platform", "os") == "unknown":
            continue  # an attestation
        digest = text(one, "digest")
        manifest = _json(store, label, _place(digest), kind=object)
        if manifest is None:
            continue  # a platform that was not saved
        if not items(manifest, "manifests"):
            yield digest, manifest
        elif depth < _DEEPEST:
            yield from _manifests(store, label, manifest, depth=depth + 1)


def _of_manifest(digest: str, manifest: object) -> _Found:
    identity = text(manifest, "config", "digest")
    return _Found(
        config=_place(identity),
        identity=identity,
        layers=[
            (_place(text(one, "digest")), text(one, "digest"), text(one, "mediaType"))
            for one in items(manifest, "layers")
        ],
        digest=digest,
        manifest=manifest if isinstance(manifest, dict) else {},
    )


def _of_docker(saved: object) -> _Found:
    path = text(saved, "Config")
    return _Found(
        config=path,
        identity=f"sha256:{os.path.basename(path).removesuffix('.json')}",
        layers=[(one, "", "") for one in items(saved, "Layers") if isinstance(one, str)],
    )


# --- Files and JSON ------------------------------------------------------------------------------


def _opened(store: Store, label: str, path: str) -> IO[bytes] | None:
    try:
        return store.open(path) if path else None
    except OSError as error:
        raise InputError(f"{label}: {path} cannot be read: {words(error)}") from None


def _json(store: Store, label: str, path: str, *, kind: type = dict) -> Any:  # noqa: ANN401 (JSON)
    """What a file holds; None where it is not there."""
    stream = _opened(store, label, path)
    if stream is None:
        return None
    with stream:
        data = stream.read(_LONGEST)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(f"{label}: {path} is not JSON") from None
    if not isinstance(found, kind):
        raise InputError(f"{label}: {path} is not what it should be")
    return found


def text(value: Any, *keys: str) -> str:  # noqa: ANN401 (JSON)
    """A text deep in JSON; empty where it is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def items(value: Any, key: str) -> list[Any]:  # noqa: ANN401 (JSON)
    """A list in JSON; empty where it is not there."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _place(digest: str) -> str:
    """Where a blob lies; empty for what is no digest."""
    return f"blobs/{digest.replace(':', '/')}" if _DIGEST.fullmatch(digest) else ""
