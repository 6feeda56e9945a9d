"""Images of a vendored folder into an engine, without any registry, under what builds call them.

podman and buildah read a layout as it is, and know the image by the digest of its manifest. docker
takes an archive; it knows no digest of what did not come from a registry, so there the image gets
a tag that says its digest, and the build stands on that.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.build.vendor import layout
from envbuild.build.vendor.model import IMAGES
from envbuild.engines import calling, images
from envbuild.errors import ToolError
from envbuild.tools import files, temporary, typed
from envbuild.tools.manifests import Document
from envbuild.tools.references import parse
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.build.vendor.model import Image
    from envbuild.engines.model import Engine
    from envbuild.tools.proc import Runner

_DIGITS = 12
"""Hex digits of a digest in a tag."""


class Bay(Struct, frozen=True, kw_only=True):
    """Where images are loaded to, and from: an engine, how it is called, the vendored folder."""

    engine: Engine
    runner: Runner
    environ: Mapping[str, str]
    folder: str
    say: Callable[[str], None]


def load(image: Image, name: str, bay: Bay) -> None:
    """Let an engine have an image under a name: that of its lock, or :func:`tag`.

    Raises:
        ToolError: the engine cannot load it, or has made another image of it.
    """
    if _is(image, name, bay):
        return
    bay.say(f"loading {image.reference} ...")
    given = tag(image, name)
    with temporary.scratch({}) as place:
        if bay.engine.name == "docker":
            _docker(image, given, bay, place=place)
        else:
            _libimage(image, given, bay, place=place)
    if not _is(image, name, bay):
        raise ToolError(
            f"{bay.engine.name} has loaded {image.reference}, and does not know it as {name}"
        )


def name(image: Image, reference: str, engine: Engine) -> str:
    """What a build calls an image: by the reference that it is asked for under, where the engine
    knows it so, else by a tag beside it. The name of a base image stands in what podman writes of
    an image, so that a mirror makes another image of the same layers."""
    asked = parse(reference)
    known = engine.name != "docker" and asked.digest in ("", image.manifest)
    return reference if known else tag(image, reference)


def tag(image: Image, reference: str) -> str:
    """A name without a digest, in the repository of a reference; one that has no digest stays."""
    asked = parse(reference)
    if not asked.digest:
        return reference
    digits = layout.digits(image.manifest)[:_DIGITS]
    return f"{asked.registry}/{asked.repository}:envbuild-{digits}"


def _is(image: Image, name: str, bay: Bay) -> bool:
    """Whether an engine has this very image under a name."""
    found = images.facts(bay.engine, name, runner=bay.runner, environ=bay.environ)
    return found is not None and found.identity in (image.config, image.manifest)


def _libimage(image: Image, given: str, bay: Bay, *, place: str) -> None:
    """podman and buildah: a layout of the one image, read by a bare name."""
    bare = f"envbuild-{layout.digits(image.manifest)[:_DIGITS]}"
    heading = layout.one_image(image, _size(image, bay), name=given)
    own = f"{place}/{bare}"
    try:
        os.mkdir(own)
        files.write_tree(own, heading)
        os.symlink(os.path.abspath(f"{bay.folder}/{IMAGES}/blobs"), f"{own}/blobs")
    except OSError as error:
        raise cannot_write(own, error) from None
    _call(bay, ("pull", "--quiet", f"oci:{bare}"), f"load {image.reference}", cwd=place)
    _call(bay, ("tag", layout.digits(image.config), given), f"name {image.reference}")
    own_name = f"localhost/{bare}:latest"  # what some versions call it by themselves
    if _is(image, own_name, bay):
        forget = "untag" if bay.engine.name == "podman" else "rmi"
        _call(bay, (forget, own_name), f"name {image.reference}")


def _docker(image: Image, given: str, bay: Bay, *, place: str) -> None:
    """docker: an archive that has both its older form and OCI's layout."""
    path = f"{place}/image.tar"
    blobs = f"{bay.folder}/{IMAGES}/blobs/sha256"
    manifest = layout.digits(image.manifest)
    try:
        data = files.read_bytes(f"{blobs}/{manifest}")
        read = typed.decode(data, Document)
        assert read.config is not None  # it was looked at when it was vendored
        listed = {
            "Config": f"blobs/sha256/{layout.digits(read.config.digest)}",
            "RepoTags": [given],
            "Layers": [f"blobs/sha256/{layout.digits(one.digest)}" for one in read.layers],
        }
        names = dict.fromkeys(
            layout.digits(one)
            for one in (image.manifest, read.config.digest, *(one.digest for one in read.layers))
        )
        texts = layout.one_image(image, len(data), name=given)
        texts["manifest.json"] = msgspec.json.encode([listed])
        with tarfile.open(path, "w") as archive:
            for name, text in texts.items():
                _add(archive, name, len(text), text)
            for name in names:
                with open(f"{blobs}/{name}", "rb") as file:
                    _add(archive, f"blobs/sha256/{name}", os.path.getsize(file.name), file)
    except OSError as error:
        raise cannot_write(path, error) from None
    _call(bay, ("load", "--quiet", f"--input={path}"), f"load {image.reference}")


def _add(archive: tarfile.TarFile, name: str, size: int, data: bytes | IO[bytes]) -> None:
    import io

    member = tarfile.TarInfo(name)
    member.size = size
    archive.addfile(member, io.BytesIO(data) if isinstance(data, bytes) else data)


def _size(image: Image, bay: Bay) -> int:
    path = f"{bay.folder}/{layout.blob(layout.digits(image.manifest))}"
    try:
        return os.path.getsize(path)
    except OSError as error:
        raise cannot_write(path, error) from None


def _call(bay: Bay, argv: tuple[str, ...], doing: str, *, cwd: str | None = None) -> None:
    outcome = calling.call(
        bay.engine,
        argv,
        runner=lambda command: bay.runner(
            msgspec.structs.replace(command, cwd=cwd) if cwd else command
        ),
        environ=bay.environ,
        timeout=calling.LONG,
    )
    if outcome.code:
        raise calling.failed(bay.engine, doing, outcome)
