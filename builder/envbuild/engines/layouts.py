"""What ``docker save`` writes, as a folder in OCI's layout."""

from __future__ import annotations

import hashlib
import os
import tarfile
from typing import IO, Any

import msgspec

from envbuild.errors import ToolError
from envbuild.tools import files, typed

_PIECE = 1024 * 1024
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


def unpack(archive: str, folder: str) -> None:
    """Write the image of an archive to a new folder; the archive stays.

    docker from 25 saves in OCI's layout, which is taken as it is. Before, it saved a configuration
    and bare layers without a manifest; then the manifest is made here, with the layers unpacked as
    they are: its digest is that of no registry, but the same for the same layers.

    Raises:
        ToolError: it is no archive of one image.
        OSError: the folder cannot be written.
    """
    os.mkdir(folder)
    os.makedirs(f"{folder}/blobs/sha256")
    try:
        with tarfile.open(archive) as tar:
            names = tar.getnames()
            if "oci-layout" in names:
                _copy(tar, names, folder)
            else:
                _convert(tar, folder)
    except (tarfile.TarError, KeyError, IndexError, TypeError, msgspec.MsgspecError) as error:
        raise ToolError(f"docker saved no image that can be read: {error}") from None


def _copy(tar: tarfile.TarFile, names: list[str], folder: str) -> None:
    """The files of a layout; what else docker saves is its older form of the same."""
    for name in names:
        kind, _, digits = name.removeprefix("blobs/").partition("/")
        blob = name.startswith("blobs/") and kind.isalnum() and digits.isalnum()
        source = tar.extractfile(name) if blob or name in {"oci-layout", "index.json"} else None
        if source is not None:
            os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
            _write(source, f"{folder}/{name}")


def _convert(tar: tarfile.TarFile, folder: str) -> None:
    listed = typed.decode(_read(tar, "manifest.json"), list[dict[str, Any]])[0]
    config = _blob(tar, listed["Config"], folder, kind=_CONFIG)
    layers = [_blob(tar, name, folder, kind=_LAYER) for name in listed["Layers"]]
    manifest = msgspec.json.encode(
        {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
    )
    digest = hashlib.sha256(manifest).hexdigest()
    entry = {"mediaType": _MANIFEST, "digest": f"sha256:{digest}", "size": len(manifest)}
    index = {"schemaVersion": 2, "manifests": [entry]}
    files.write_tree(
        folder,
        {
            f"blobs/sha256/{digest}": manifest,
            "index.json": msgspec.json.encode(index),
            "oci-layout": msgspec.json.encode({"imageLayoutVersion": "1.0.0"}),
        },
    )


def _blob(tar: tarfile.TarFile, name: str, folder: str, *, kind: str) -> dict[str, Any]:
    """Write a file of the archive under its digest; its descriptor. Equal layers are links."""
    source = tar.extractfile(name)
    if source is None:
        raise KeyError(name)
    part = f"{folder}/part"
    digest, size = _write(source, part)
    os.replace(part, f"{folder}/blobs/sha256/{digest}")
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _write(source: IO[bytes], path: str) -> tuple[str, int]:
    """Copy to a file; the sha256 and the count of the bytes."""
    digest, size = hashlib.sha256(), 0
    with source, open(path, "wb") as file:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    return digest.hexdigest(), size


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    source = tar.extractfile(name)
    if source is None:
        raise KeyError(name)
    with source:
        return source.read()
