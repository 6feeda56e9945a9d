"""Small images, written as podman and docker write them: OCI layouts, and tars of both kinds."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

Layer = Mapping[str, str | None]
"""Files by path; None for a folder; a path that begins with ``link:`` is a hard link to its text."""


def layer(files: Layer, *, packed: bool = False) -> bytes:
    """A layer as a tar, packed with gzip or plain."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path.removeprefix("link:"))
            if text is None:
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            elif path.startswith("link:"):
                member.type = tarfile.LNKTYPE
                member.linkname = text
                tar.addfile(member)
            else:
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(data.getvalue(), mtime=0) if packed else data.getvalue()


def python_package(site: str, name: str, version: str) -> dict[str, str]:
    """The record of an installed package."""
    info = f"{site}/{name.replace('-', '_')}-{version}.dist-info/METADATA"
    return {info: f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: 0\n"}


def conda_package(prefix: str, name: str, version: str, **more: str) -> dict[str, str]:
    """The record of an installed conda package."""
    said = {"name": name, "version": version, "build": "h0", "channel": "conda-forge", **more}
    return {f"{prefix}/conda-meta/{name}-{version}-h0.json": json.dumps(said)}


def apt_packages(*named: tuple[str, str]) -> dict[str, str]:
    """The record of installed Debian packages, and of one that was removed."""
    paragraphs = [
        f"Package: {name}\nStatus: install ok installed\nVersion: {version}\nDescription: x\n more\n"
        for name, version in named
    ]
    paragraphs.append("Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n")
    return {"var/lib/dpkg/status": "\n".join(paragraphs)}


def blobs(
    layers: Sequence[bytes],
    *,
    labels: Mapping[str, str] | None = None,
    architecture: str = "amd64",
) -> tuple[dict[str, bytes], dict[str, object]]:
    """The blobs of one image by path, and the entry of an index that names it."""
    config = {"os": "linux", "architecture": architecture, "config": {"Labels": labels or {}}}
    found: dict[str, bytes] = {}

    def put(data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        found[f"blobs/sha256/{digest}"] = data
        return f"sha256:{digest}"

    manifest = {
        "config": {"digest": put(json.dumps(config).encode())},
        "layers": [{"digest": put(data)} for data in layers],
    }
    platform = {"os": "linux", "architecture": architecture}
    return found, {"digest": put(json.dumps(manifest).encode()), "platform": platform}


def oci_layout(root: Path, *images: tuple[dict[str, bytes], dict[str, object]]) -> Path:
    """A folder in OCI's layout with these images."""
    for found, _ in images:
        for path, data in found.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
    (root / "index.json").write_text(json.dumps({"manifests": [entry for _, entry in images]}))
    return root


def image_of(root: Path, *layers: Layer, labels: Mapping[str, str] | None = None) -> Path:
    """An OCI layout with one image of these layers."""
    return oci_layout(root, blobs([layer(files) for files in layers], labels=labels))


def docker_archive(path: Path, layers: Sequence[bytes]) -> Path:
    """A tar as ``docker save`` writes it; its second layer is a link to the first if equal."""
    config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}}).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    paths = [f"layer-{index}/layer.tar" for index in range(len(layers))]
    manifest = json.dumps([{"Config": name, "Layers": paths}]).encode()
    members = {name: config, "manifest.json": manifest, "blobs/data.tar": layers[0]}
    members |= dict(zip(paths[1:], layers[1:], strict=True))
    with tarfile.open(path, "w") as tar:
        for place, data in members.items():
            member = tarfile.TarInfo(place)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo(paths[0])
        link.type = tarfile.SYMTYPE
        link.linkname = "../blobs/data.tar"
        tar.addfile(link)
    return path
