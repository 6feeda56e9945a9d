"""Images of some small files, made in memory, and put into a registry by its own API."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

DEBIAN = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n'


def digest(data: bytes) -> str:
    """The digest of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def layer(files: Mapping[str, str], *, packed: str = "gz") -> bytes:
    """A layer that holds some text files; a name may be a whiteout."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    plain = made.getvalue()
    if packed == "zst":
        from backports import zstd

        return zstd.compress(plain)
    return gzip.compress(plain, mtime=0) if packed == "gz" else plain


@dataclass(frozen=True)
class Image:
    """One image of one platform: its manifest, and every blob by digest."""

    manifest: bytes
    kind: str
    architecture: str
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return digest(self.manifest)


def image(
    *layers: bytes,
    architecture: str = "amd64",
    kind: str = OCI_MANIFEST,
    created: str = "2024-01-01T00:00:00Z",
) -> Image:
    """An image of some layers."""
    config = json.dumps(
        {"architecture": architecture, "os": "linux", "created": created, "rootfs": {}}
    ).encode()
    docker = kind == DOCKER_MANIFEST
    media = _DOCKER_LAYER if docker else "application/vnd.oci.image.layer.v1.tar+gzip"
    said = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": _DOCKER_CONFIG if docker else "application/vnd.oci.image.config.v1+json",
            "digest": digest(config),
            "size": len(config),
        },
        "layers": [{"mediaType": media, "digest": digest(one), "size": len(one)} for one in layers],
    }
    blobs = {digest(one): one for one in (config, *layers)}
    return Image(json.dumps(said).encode(), kind, architecture, blobs)


def index(*images: Image, kind: str = OCI_INDEX) -> bytes:
    """An index of some images, with an attestation as buildx adds one."""
    rows = [
        {
            "mediaType": one.kind,
            "digest": one.digest,
            "size": len(one.manifest),
            "platform": {"architecture": one.architecture, "os": "linux"},
        }
        for one in images
    ]
    rows.append(
        {
            "mediaType": OCI_MANIFEST,
            "digest": digest(b"attestation"),
            "size": 11,
            "platform": {"architecture": "unknown", "os": "unknown"},
        }
    )
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": rows}).encode()


def put(place: str, repository: str, tag: str, *images: Image, authorization: str = "") -> str:
    """Put an image, or an index of several, into a registry; the digest of what the tag is."""

    def send(method: str, url: str, data: bytes, kind: str) -> str:
        headers = {"Content-Type": kind}
        headers |= {"Authorization": authorization} if authorization else {}
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.headers.get("Location", ""))

    base = f"http://{place}/v2/{repository}"
    for one in images:
        for name, data in one.blobs.items():
            at = urljoin(base, send("POST", f"{base}/blobs/uploads/", b"", "text/plain"))
            joint = "&" if "?" in at else "?"
            send("PUT", f"{at}{joint}digest={name}", data, "application/octet-stream")
        send("PUT", f"{base}/manifests/{one.digest}", one.manifest, one.kind)
    if len(images) == 1:
        send("PUT", f"{base}/manifests/{tag}", images[0].manifest, images[0].kind)
        return images[0].digest
    rows = json.loads(index(*images))
    rows["manifests"].pop()  # the registry holds an index to what it has
    data = json.dumps(rows).encode()
    send("PUT", f"{base}/manifests/{tag}", data, OCI_INDEX)
    return digest(data)
