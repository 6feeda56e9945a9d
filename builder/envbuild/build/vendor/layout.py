"""The OCI layout of a vendored folder: the names of its files, and its index. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from envbuild.build.vendor.model import IMAGES

if TYPE_CHECKING:
    from envbuild.build.vendor.model import Image

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD = "io.containerd.image.name"
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}\n'


def blob(sha256: str) -> str:
    """The path of a blob below the vendored folder."""
    return f"{IMAGES}/blobs/sha256/{sha256}"


def heading(images: Iterable[Image], sizes: Mapping[str, int]) -> dict[str, bytes]:
    """The files of a layout beside its blobs: every image under the name that locks have for it.

    ``sizes`` are the bytes of each blob, by its sha256.
    """
    named = {(one.reference, one.manifest): one.media_type for one in images}
    entries = [
        {
            **_entry(manifest, sizes.get(digits(manifest), 0), kind),
            "annotations": {_NAME: reference},
        }
        for (reference, manifest), kind in sorted(named.items())
    ]
    return {"oci-layout": _LAYOUT, "index.json": _index(entries)}


def one_image(image: Image, size: int, *, name: str) -> dict[str, bytes]:
    """The same for one image alone, under a name that engines take; ``size`` is that of its
    manifest."""
    entry = _entry(image.manifest, size, image.media_type)
    named = {**entry, "annotations": {_NAME: name.rpartition(":")[2], _CONTAINERD: name}}
    return {"oci-layout": _LAYOUT, "index.json": _index([named])}


def digits(digest: str) -> str:
    """The 64 hex digits of a ``sha256:…``."""
    return digest.removeprefix("sha256:")


def _entry(manifest: str, size: int, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type or _MANIFEST, "digest": manifest, "size": size}


def _index(entries: list[dict[str, object]]) -> bytes:
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries}
    return msgspec.json.format(msgspec.json.encode(index), indent=2) + b"\n"
