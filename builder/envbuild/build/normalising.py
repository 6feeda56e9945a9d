"""An image as it would be had its engine set all times: for docker before 26, which cannot.

What two builds of one Dockerfile differ in without reason is taken out of the layers above the
base: times after a fixed moment become that moment, bytecode is told the new time of its source,
logs and caches of the build go, entries are sorted. A layer is read twice, its headers and then its
entries in their new order: what is held in memory is an index of it, never a content.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping
from typing import IO, Any

from msgspec import Struct

from envbuild.build import rewriting
from envbuild.errors import InputError
from envbuild.speech import counted
from envbuild.tools import oci, packing, temporary
from envbuild.tools.trouble import cannot_write

_LATEST = 8**11
"""The first moment (in the year 2242) that the header of a tar cannot say in octal digits."""

_UNSTEADY = (
    "container",
    "container_config",
    "moby.buildkit.cache.v0",
    "moby.buildkit.buildinfo.v1",
)
"""Keys of a configuration that name one build, or the digests of layers that are rewritten."""

_SUFFIXES: Mapping[packing.Packing, str] = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}


class Normalised(Struct, frozen=True, kw_only=True):
    """What was written: the ``digest`` of the manifest, the ``identity`` (digest of the
    configuration); how many layers were rewritten, files dropped, and headers of bytecode set."""

    digest: str
    identity: str
    layers: int
    dropped: int
    bytecode: int


def normalise(
    source: str, into: str, *, base_layers: int, epoch: int, packed: packing.Packing = "gzip"
) -> Normalised:
    """Write an image as a new folder ``into`` in OCI's layout, without what differs by chance.

    ``source`` is a layout or an archive. The first ``base_layers`` layers stay as they are, to the
    byte where they are blobs. ``epoch`` in seconds since 1970: no time is later. Labels, and all
    that a container sees of the configuration, are kept. Layers that are packed in ``source`` are
    unpacked beside ``into`` for as long as this takes.

    Raises:
        InputError: it is no image, not whole, or has fewer layers than the base; ``into`` exists.
        ToolError: ``into`` cannot be written.
    """
    if not 0 <= epoch < _LATEST:
        raise InputError(f"{epoch} is no moment that an image can hold")
    if os.path.lexists(into):
        raise InputError(f"{into} exists already")
    with oci.opened(source, source) as image, temporary.beside(into) as folder:
        if base_layers > len(image.layers):
            many = counted(len(image.layers), "layer")
            raise InputError(f"{source} has {many}, its base {base_layers}")
        try:
            os.makedirs(f"{folder}/blobs/sha256")
            done = _Work(image, folder, epoch, packed=packed).done(base_layers)
            os.rename(folder, into)
        except OSError as error:
            raise cannot_write(into, error) from None
    return done


class _Blob(Struct, frozen=True, kw_only=True):
    digest: str
    size: int
    diff_id: str
    packed: packing.Packing

    def descriptor(self) -> dict[str, object]:
        kind = f"{oci.LAYER}{_SUFFIXES[self.packed]}"
        return {"mediaType": kind, "digest": self.digest, "size": self.size}


class _Writer:
    """Writes one blob: packed, hashed before and behind the packing, named by its digest."""

    def __init__(self, folder: str, packed: packing.Packing) -> None:
        self._folder = folder
        self._path = f"{folder}/{os.urandom(8).hex()}.part"
        self._file = open(self._path, "wb")  # noqa: SIM115 (closed by finish, or with the work)
        self._packer = packing.packer(packed)
        self._packed: packing.Packing = packed
        self._waiting = bytearray()
        self._inside = hashlib.sha256()
        self._outside = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) >= packing.PIECE:
            self._pass_on()

    def finish(self) -> _Blob:
        self._pass_on()
        self._put(self._packer.flush())
        self._file.close()
        digest = self._outside.hexdigest()
        os.replace(self._path, f"{self._folder}/blobs/sha256/{digest}")
        return _Blob(
            digest=f"sha256:{digest}",
            size=self._size,
            diff_id=f"sha256:{self._inside.hexdigest()}",
            packed=self._packed,
        )

    def close(self) -> None:
        self._file.close()

    def _pass_on(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        self._inside.update(data)
        self._put(self._packer.compress(data))

    def _put(self, data: bytes) -> None:
        self._outside.update(data)
        self._size += len(data)
        self._file.write(data)


class _Work:
    """The rewriting of one image."""

    def __init__(
        self, image: oci.SavedImage, folder: str, epoch: int, *, packed: packing.Packing
    ) -> None:
        self._image = image
        self._folder = folder
        self._epoch = epoch
        self._packed = packed

    def done(self, base_layers: int) -> Normalised:
        base, above = self._image.layers[:base_layers], self._image.layers[base_layers:]
        blobs = [self._kept(layer) for layer in base]
        count = 0
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(self._image.unpacked(one, self._folder)) for one in above]
            named = zip(files, map(self._name, above), strict=True)
            plans = [rewriting.planned(file, name) for file, name in named]
            sources = {path: time for plan in plans for path, time in plan.sources.items()}
            for plan, file in zip(plans, files, strict=True):
                blob, headers = self._rewritten(plan, file, sources)
                blobs.append(blob)
                count += headers
        manifest, identity = self._finish(blobs)
        return Normalised(
            digest=manifest,
            identity=identity,
            layers=len(above),
            dropped=sum(plan.dropped for plan in plans),
            bytecode=count,
        )

    def _name(self, layer: oci.Layer) -> str:
        return f"{self._image.label}: the layer {layer.path}"

    def _kept(self, layer: oci.Layer) -> _Blob:
        """A layer of the base: a blob to the byte; what an archive holds plain, packed."""
        with self._image.opened(layer) as stream:
            found = packing.packing_of(stream)
            blob = self._written("none" if layer.digest else self._packed, stream)
            if not layer.digest:
                self._refuse_other(layer, layer.diff_id, blob.diff_id)
                return blob
            self._refuse_other(layer, layer.digest, blob.digest)
            diff_id = layer.diff_id or self._diff_id(stream, layer)
        return _Blob(digest=blob.digest, size=blob.size, diff_id=diff_id, packed=found)

    def _written(self, packed: packing.Packing, stream: IO[bytes]) -> _Blob:
        with contextlib.closing(_Writer(self._folder, packed)) as writer:
            for piece in packing.pieces(stream):
                writer.write(piece)
            return writer.finish()

    def _refuse_other(self, layer: oci.Layer, said: str, found: str) -> None:
        if said.startswith("sha256:") and said != found:
            raise InputError(f"{self._name(layer)} is damaged: it should be {said}, is {found}")

    def _diff_id(self, stream: IO[bytes], layer: oci.Layer) -> str:
        digest = hashlib.sha256()
        stream.seek(0)
        for piece in packing.unpacked(stream, self._name(layer)):
            digest.update(piece)
        return f"sha256:{digest.hexdigest()}"

    def _rewritten(
        self, plan: rewriting.Plan, file: IO[bytes], sources: Mapping[str, int]
    ) -> tuple[_Blob, int]:
        with contextlib.closing(_Writer(self._folder, self._packed)) as writer:
            count = rewriting.write(plan, file, writer.write, epoch=self._epoch, sources=sources)
            return writer.finish(), count

    def _finish(self, blobs: list[_Blob]) -> tuple[str, str]:
        """Write configuration, manifest and index; the digests of the first two, turned."""
        config = _configuration(self._image.config, blobs, self._epoch)
        configured = self._json(config)
        manifest = {
            "schemaVersion": 2,
            "mediaType": oci.MANIFEST,
            "config": {"mediaType": oci.CONFIG, **configured},
            "layers": [blob.descriptor() for blob in blobs],
        }
        platform = {
            key: config[key] for key in ("architecture", "os", "variant") if config.get(key)
        }
        entry = {"mediaType": oci.MANIFEST, **self._json(manifest), "platform": platform}
        index = {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [entry]}
        self._file("index.json", _encoded(index))
        self._file("oci-layout", _encoded({"imageLayoutVersion": "1.0.0"}))
        return str(entry["digest"]), str(configured["digest"])

    def _json(self, value: object) -> dict[str, object]:
        data = _encoded(value)
        digest = hashlib.sha256(data).hexdigest()
        self._file(f"blobs/sha256/{digest}", data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def _file(self, path: str, data: bytes) -> None:
        with open(f"{self._folder}/{path}", "wb") as file:
            file.write(data)


def _configuration(old: Mapping[str, Any], blobs: list[_Blob], epoch: int) -> dict[str, Any]:
    """The configuration with the new layers, and no date later than ``epoch``."""
    moment = dt.datetime.fromtimestamp(epoch, dt.UTC)
    date = f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    config = {key: value for key, value in old.items() if key not in _UNSTEADY}
    settings = config.get("config")
    if isinstance(settings, dict):  # docker's legacy builder: a container, and the step before
        unset = {key: "" for key in ("Hostname", "Image") if key in settings}
        config["config"] = settings | unset
    config["created"] = date
    config["history"] = [_dated(step, date) for step in oci.items(old, "history")]
    config["rootfs"] = {"type": "layers", "diff_ids": [blob.diff_id for blob in blobs]}
    return config


def _dated(step: Any, date: str) -> Any:  # noqa: ANN401 (JSON)
    if not isinstance(step, dict):
        return step
    said = oci.text(step, "created")
    return step | {"created": said if said.endswith("Z") and said[:19] <= date[:19] else date}


def _encoded(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
