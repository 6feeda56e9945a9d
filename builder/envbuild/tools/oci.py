"""One saved image: a folder or an archive in OCI's layout, or a tar as ``docker save`` writes it.

Layers are handed out as files of the disk or parts of one, never whole in memory.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, Protocol

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.tools import packing, tars
from envbuild.tools.trouble import cannot_write, words

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST = 16 * 1024 * 1024
"""Bytes of an index, manifest or configuration that are read; registries allow a quarter."""

_DEEPEST = 8
"""Links of an archive, and indexes within indexes, that are followed."""

_BUFFER = 64 * 1024

_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")


class Layer(Struct, frozen=True, kw_only=True):
    """A layer: ``digest`` of the blob (empty where ``docker save`` gives it no name), ``diff_id``
    of what it holds unpacked (empty where the configuration does not say it)."""

    path: str
    digest: str = ""
    media_type: str = ""
    diff_id: str = ""


class _Store(Protocol):
    def open(self, path: str) -> IO[bytes] | None:
        """The file of a path; None when it is not there."""


class SavedImage:
    """An image of one platform; it can be read inside :func:`opened`.

    ``config`` and ``manifest`` are what the JSON holds, ``digest`` that of the manifest (empty for
    a tar of ``docker save``, which has none), ``identity`` that of the configuration.
    """

    def __init__(self, store: _Store, label: str) -> None:
        self._store = store
        self.label = label
        self.digest = ""
        self.manifest: Mapping[str, Any] = {}
        index = self._json("index.json", required=False)
        if index is not None:
            self.digest = self._chosen(index)
            self.manifest = self._json(_place(self.digest))
            self.identity = text(self.manifest, "config", "digest")
            self.config = self._json(_place(self.identity))
            named = [
                (_place(text(one, "digest")), text(one, "digest"), text(one, "mediaType"))
                for one in items(self.manifest, "layers")
            ]
        else:
            saved = self._saved()
            path = text(saved, "Config")
            self.identity = f"sha256:{os.path.basename(path).removesuffix('.json')}"
            self.config = self._json(path)
            named = [(one, "", "") for one in items(saved, "Layers") if isinstance(one, str)]
        ids = [str(one) for one in items(self.config.get("rootfs"), "diff_ids")]
        if ids and len(ids) != len(named):
            raise InputError(f"{label} names {len(named)} layers and {len(ids)} diff_ids")
        self.layers = tuple(
            Layer(path=path, digest=digest, media_type=kind, diff_id=ids[at] if ids else "")
            for at, (path, digest, kind) in enumerate(named)
        )

    @contextlib.contextmanager
    def opened(self, layer: Layer) -> Iterator[IO[bytes]]:
        """The layer as it is stored.

        Raises:
            InputError: it is not there.
        """
        stream = self._store.open(layer.path) if layer.path else None
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

    def _chosen(self, index: Any) -> str:  # noqa: ANN401 (JSON)
        """The digest of the one manifest of an index; what only attests to an image is passed."""
        found = list(self._manifests(index, depth=0))
        if len(found) == 1:
            return found[0]
        raise InputError(
            f"{self.label} holds {len(found) or 'no'} image{'s' if found else ''}",
            hint="save the one image of one platform that is meant",
        )

    def _manifests(self, index: Any, *, depth: int) -> Iterator[str]:  # noqa: ANN401 (JSON)
        for one in items(index, "manifests"):
            if text(one, "platform", "os") == "unknown":
                continue
            digest = text(one, "digest")
            manifest = self._json(_place(digest), required=False)
            if manifest is None:
                continue  # a platform that was not saved
            if not items(manifest, "manifests"):
                yield digest
            elif depth < _DEEPEST:
                yield from self._manifests(manifest, depth=depth + 1)

    def _saved(self) -> Any:  # noqa: ANN401 (JSON)
        listed = self._json("manifest.json", required=False, kind=list)
        if not listed:
            raise InputError(
                f"{self.label} holds no image",
                hint="an OCI layout has index.json, a saved image manifest.json",
            )
        if len(listed) > 1:
            hint = "save the one image that is meant"
            raise InputError(f"{self.label} holds {len(listed)} images", hint=hint)
        return listed[0]

    def _json(self, path: str, *, required: bool = True, kind: type = dict) -> Any:  # noqa: ANN401
        stream = self._store.open(path) if path else None
        if stream is None:
            if required:
                raise InputError(f"{self.label} is not whole: {path or 'a digest'} is missing")
            return None
        with stream:
            data = stream.read(_LONGEST)
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            raise InputError(f"{self.label}: {path} is not JSON") from None
        if not isinstance(found, kind):
            raise InputError(f"{self.label}: {path} is not what it should be")
        return found


@contextlib.contextmanager
def opened(path: str, label: str) -> Iterator[SavedImage]:
    """The image of a folder or of an archive.

    Raises:
        InputError: there is none, several, or it is not whole.
    """
    try:
        if os.path.isdir(path):
            yield SavedImage(_Folder(path), label)
            return
        with open(path, "rb") as file:
            if file.read(5).startswith(_PACKED):
                raise InputError(f"{label} is packed", hint="unpack it first, to a plain tar")
            yield SavedImage(_Archive(file, path, label), label)
    except FileNotFoundError as error:
        if error.filename != path:
            raise
        raise InputError(f"{label} does not exist") from None
    except OSError as error:
        if error.filename != path:
            raise
        raise InputError(f"{label} cannot be read: {words(error)}") from None


class _Folder:
    def __init__(self, root: str) -> None:
        self._root = root

    def open(self, path: str) -> IO[bytes] | None:
        if ".." in path.split("/"):
            return None
        try:
            return open(f"{self._root}/{path}", "rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None


class _Archive:
    def __init__(self, file: IO[bytes], path: str, label: str) -> None:
        self._path = path
        self._entries = {entry.path: entry for entry in tars.scan(file, label)}

    def open(self, path: str) -> IO[bytes] | None:
        path = os.path.normpath(path)
        for _ in range(_DEEPEST):
            entry = self._entries.get(path)
            if entry is None or entry.kind not in ("file", "link", "hard link"):
                return None
            if entry.kind == "file":
                part = _Part(self._path, entry.data, entry.size)
                return io.BufferedReader(part, _BUFFER)
            beside = os.path.dirname(path) if entry.kind == "link" else ""
            path = os.path.normpath(os.path.join(beside, entry.link))
        return None


class _Part(io.RawIOBase):
    """Some bytes of a file, as a file."""

    def __init__(self, path: str, start: int, size: int) -> None:
        super().__init__()
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed with this one)
        self._start = start
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 (any buffer)
        self._file.seek(self._start + self._place)
        view = memoryview(buffer)[: max(0, self._size - self._place)]
        count = self._file.readinto(view) if len(view) else 0
        self._place += count or 0
        return count or 0

    def close(self) -> None:
        self._file.close()
        super().close()


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
