"""What an image holds, read from its layers and configuration without running it.

An image is a folder or a tar in OCI's layout, a tar as ``docker save`` writes it, or a reference
that podman or docker saves to a scratch file. Nothing is pulled.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, Protocol

from msgspec import Struct

from envbuild.errors import InputError, ToolError
from envbuild.tools import temporary
from envbuild.tools.layers import ImagePackage, Layers
from envbuild.tools.proc import Command, Runner
from envbuild.tools.trouble import words

_DIGEST = re.compile(r"sha(256|512):[0-9a-f]{64,128}")
_LONGEST = 16 * 1024 * 1024
"""Bytes of an index, manifest or configuration that are read; registries allow a quarter."""

_DEEPEST = 8
"""Links of an archive, and indexes within indexes, that are followed."""

_SECONDS = 3600.0
"""How long an engine may take to save an image; Isaac Sim's has 20 GB."""


class Image(Struct, frozen=True, kw_only=True):
    """One image of one platform. ``digest`` is that of its configuration (``sha256:…``)."""

    platform: str
    digest: str
    labels: Mapping[str, str]
    packages: tuple[ImagePackage, ...]


class _Store(Protocol):
    """Files by their path in an image's layout."""

    def open(self, path: str) -> IO[bytes] | None:
        """The file; None when it is not there."""


class _Folder:
    def __init__(self, root: str) -> None:
        self._root = root

    def open(self, path: str) -> IO[bytes] | None:
        try:
            return open(os.path.join(self._root, path), "rb")
        except (FileNotFoundError, NotADirectoryError):
            return None


class _Archive:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {os.path.normpath(member.name): member for member in tar}

    def open(self, path: str) -> IO[bytes] | None:
        path = os.path.normpath(path)
        for _ in range(_DEEPEST):
            member = self._members.get(path)
            if member is None:
                return None
            if not (member.issym() or member.islnk()):
                return self._tar.extractfile(member) if member.isreg() else None
            beside = os.path.dirname(path) if member.issym() else ""
            path = os.path.normpath(os.path.join(beside, member.linkname))
        return None


# --- The forms in which an image can be named ----------------------------------------------------


def from_folder(path: str, label: str) -> tuple[Image, ...]:
    """The images of a folder in OCI's layout, one for each platform.

    Raises:
        InputError: it is no such folder, or something of it cannot be read.
    """
    if not os.path.isdir(path):
        raise InputError(f"{label}: there is no folder {path}")
    return _Reader(_Folder(path), label).images()


def from_archive(path: str, label: str) -> tuple[Image, ...]:
    """The images of a tar, as ``podman save`` and ``docker save`` write it.

    Raises:
        InputError: it is missing, cut off, or holds no image.
    """
    try:
        with tarfile.open(path, mode="r:*") as tar:
            return _Reader(_Archive(tar), label).images()
    except tarfile.TarError as error:
        raise InputError(f"{label} is no tar of an image: {error}") from None
    except EOFError:
        raise InputError(f"{label} is cut off") from None
    except OSError as error:
        raise InputError(f"{label} cannot be read: {words(error)}") from None


def from_engine(reference: str, environ: Mapping[str, str], runner: Runner) -> tuple[Image, ...]:
    """The image that podman or docker has under a reference; nothing is pulled.

    Raises:
        InputError: no engine has it.
        ToolError: there is no engine.
    """
    if reference.startswith("-"):
        raise InputError(f"{reference!r} is no reference of an image")
    with temporary.scratch({}) as folder:
        path = f"{folder}/image.tar"
        _save(reference, path, environ, runner=runner)
        return from_archive(path, reference)


def _save(reference: str, path: str, environ: Mapping[str, str], *, runner: Runner) -> None:
    said = []
    for engine in (("podman", "image", "save"), ("docker", "image", "save")):
        argv = (*engine, "--output", path, reference)
        outcome = runner(Command(argv=argv, environment=tuple(environ.items()), timeout=_SECONDS))
        if outcome.code == 0:
            return
        if not outcome.missing:
            last = (outcome.stderr or outcome.stdout).strip().splitlines()[-1:]
            said.append(f"{engine[0]}: {last[0] if last else f'status {outcome.code}'}")
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
    if not said:
        raise ToolError(
            f"{reference} is an image, and neither podman nor docker is installed",
            hint="name a saved image: tar:FILE, or an OCI layout: oci:DIR",
        )
    raise InputError(
        f"no image {reference!r} can be saved here ({'; '.join(said)})",
        hint="pull or build it first; nothing is pulled by this command",
    )


# --- Index, manifest, configuration, layers ------------------------------------------------------


class _Reader:
    """Reads the images of a store."""

    def __init__(self, store: _Store, label: str) -> None:
        self._store = store
        self._label = label

    def images(self) -> tuple[Image, ...]:
        index = self._file("index.json")
        if index is not None:
            found = tuple(self._of_index(index, depth=0))
        else:
            listed = self._file("manifest.json")
            if not isinstance(listed, list):
                raise InputError(
                    f"{self._label} holds no image",
                    hint="an OCI layout has index.json, a saved image manifest.json",
                )
            found = tuple(self._saved(entry) for entry in listed)
        if not found:
            raise InputError(f"{self._label} holds no image")
        platforms = [image.platform for image in found]
        if len(set(platforms)) < len(platforms):
            raise InputError(
                f"{self._label} holds {len(found)} images",
                hint="save the one that is meant alone",
            )
        return found

    def _of_index(self, index: Any, *, depth: int) -> Iterator[Image]:  # noqa: ANN401 (JSON)
        for entry in _list(index, "manifests"):
            if _value(entry, "platform", "os") == "unknown":
                continue  # an attestation
            manifest = self._blob(_value(entry, "digest"))
            if manifest is None:
                continue  # a platform that was not saved
            if not _list(manifest, "manifests"):
                yield self._of_manifest(manifest)
            elif depth < _DEEPEST:
                yield from self._of_index(manifest, depth=depth + 1)

    def _of_manifest(self, manifest: Any) -> Image:  # noqa: ANN401 (JSON)
        digest = _value(manifest, "config", "digest")
        config = self._blob(digest)
        layers = [_place(_value(layer, "digest")) for layer in _list(manifest, "layers")]
        return self._image(config, layers, digest=digest)

    def _saved(self, entry: Any) -> Image:  # noqa: ANN401 (JSON)
        path = _value(entry, "Config")
        config = self._file(path)
        digest = os.path.basename(path).removesuffix(".json")
        layers = [layer for layer in _list(entry, "Layers") if isinstance(layer, str)]
        return self._image(config, layers, digest=f"sha256:{digest}")

    def _image(self, config: Any, layers: list[str], *, digest: str) -> Image:  # noqa: ANN401
        if not isinstance(config, dict):
            raise InputError(f"{self._label} is not whole: its configuration is missing")
        found = Layers()
        for path in layers:
            stream = self._store.open(path) if path else None
            if stream is None:
                raise InputError(f"{self._label} is not whole: the layer {path} is missing")
            with stream:
                found.add(stream, f"{self._label}: the layer {path}")
        settings = config.get("config")
        labels = settings.get("Labels") if isinstance(settings, dict) else None
        labels = labels if isinstance(labels, dict) else {}
        return Image(
            platform=f"{_value(config, 'os')}/{_value(config, 'architecture')}",
            digest=digest,
            labels={str(key): str(value) for key, value in labels.items()},
            packages=found.packages(),
        )

    def _blob(self, digest: str) -> Any:  # noqa: ANN401 (JSON)
        path = _place(digest)
        return self._file(path) if path else None

    def _file(self, path: str) -> Any:  # noqa: ANN401 (JSON)
        stream = self._store.open(path) if path else None
        if stream is None:
            return None
        with stream:
            data = stream.read(_LONGEST)
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise InputError(f"{self._label}: {path} is not JSON") from None


def _place(digest: str) -> str:
    """Where a blob lies; empty for what is no digest."""
    return f"blobs/{digest.replace(':', '/')}" if _DIGEST.fullmatch(digest) else ""


def _value(value: Any, *keys: str) -> str:  # noqa: ANN401 (JSON)
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _list(value: Any, key: str) -> list[Any]:  # noqa: ANN401 (JSON)
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []
