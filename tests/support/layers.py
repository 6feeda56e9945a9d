"""Images of made-up layers in which every field of an entry can be said."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Entry = tuple[tarfile.TarInfo, bytes]
THEN = 1_700_000_000
LATER = THEN + 1000


def entry(path: str, content: bytes = b"", **fields: Any) -> Entry:
    """An entry; a file where ``type`` is not said. Fields are those of ``TarInfo``."""
    member = tarfile.TarInfo(path)
    member.size = len(content)
    member.mtime = LATER
    for name, value in fields.items():
        setattr(member, name, value)
    return member, content


def folder(path: str, **fields: Any) -> Entry:
    return entry(path, type=tarfile.DIRTYPE, mode=0o755, **fields)


def link(path: str, target: str, **fields: Any) -> Entry:
    return entry(path, type=tarfile.SYMTYPE, linkname=target, **fields)


def hard_link(path: str, target: str, **fields: Any) -> Entry:
    return entry(path, type=tarfile.LNKTYPE, linkname=target, **fields)


def tar(*entries: Entry, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A layer."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as file:
        for member, content in entries:
            file.addfile(member, io.BytesIO(content))
    return data.getvalue()


def members(data: bytes) -> list[tarfile.TarInfo]:
    """What a layer holds, read by Python's own reader."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as file:
        return file.getmembers()


def content(data: bytes, path: str) -> bytes:
    """The content of a file of a layer."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as file:
        found = file.extractfile(path)
        assert found is not None
        return found.read()


def bytecode(time: int, code: bytes = b"code", *, flags: int = 0) -> bytes:
    """A file of bytecode whose source has this time."""
    words = (flags.to_bytes(4, "little"), time.to_bytes(4, "little"), (7).to_bytes(4, "little"))
    return b"\xa7\r\r\n" + b"".join(words) + code


def configuration(layers: Sequence[bytes], **fields: Any) -> dict[str, Any]:
    """The configuration of an image of these unpacked layers."""
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-05-01T10:00:00.123456789Z",
        "config": {"Env": ["PATH=/bin"], "Labels": {"one": "1"}},
        "rootfs": {"type": "layers", "diff_ids": [_digest(data) for data in layers]},
        "history": [
            {"created": "2026-05-01T10:00:00.123Z", "created_by": f"RUN step {number}"}
            for number in range(1, len(layers) + 1)
        ],
        **fields,
    }


def image(
    root: Path,
    *layers: bytes,
    config: Mapping[str, Any] | None = None,
    packed: int | None = None,
    **manifest: Any,
) -> Path:
    """A folder in OCI's layout; ``packed``: with gzip, at this level."""
    root.mkdir(parents=True)
    (root / "blobs/sha256").mkdir(parents=True)

    def put(data: bytes) -> dict[str, Any]:
        digest = _digest(data)
        (root / "blobs" / digest.replace(":", "/")).write_bytes(data)
        return {"digest": digest, "size": len(data)}

    kind = "application/vnd.oci.image.layer.v1.tar"
    blobs = [data if packed is None else gzip.compress(data, packed, mtime=0) for data in layers]
    written = {
        "schemaVersion": 2,
        "config": put(json.dumps(config or configuration(layers)).encode()),
        "layers": [
            {"mediaType": kind if packed is None else f"{kind}+gzip", **put(data)} for data in blobs
        ],
        **manifest,
    }
    entries = [put(json.dumps(written).encode())]
    (root / "index.json").write_text(json.dumps({"manifests": entries}))
    return root


def archive(path: Path, *layers: bytes, config: Mapping[str, Any] | None = None) -> Path:
    """A tar as ``docker save`` of docker 20.10 writes it."""
    data = json.dumps(config or configuration(layers)).encode()
    name = f"{hashlib.sha256(data).hexdigest()}.json"
    places = [f"{number}/layer.tar" for number in range(len(layers))]
    listed = json.dumps([{"Config": name, "RepoTags": None, "Layers": places}]).encode()
    files = {name: data, **dict(zip(places, layers, strict=True)), "manifest.json": listed}
    path.write_bytes(tar(*(entry(place, text) for place, text in files.items())))
    return path


def blobs_of(root: Path) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    """Manifest, configuration and layers (unpacked) of a layout."""

    def read(digest: str) -> bytes:
        data = (root / "blobs" / digest.replace(":", "/")).read_bytes()
        assert _digest(data) == digest
        return data

    index = json.loads((root / "index.json").read_bytes())
    (listed,) = index["manifests"]
    manifest = json.loads(read(listed["digest"]))
    layers = []
    for one in manifest["layers"]:
        data = read(one["digest"])
        assert len(data) == one["size"]
        layers.append(gzip.decompress(data) if one["mediaType"].endswith("gzip") else data)
    return manifest, json.loads(read(manifest["config"]["digest"])), layers


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
