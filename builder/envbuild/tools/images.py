"""What an image holds, read from its layers and configuration without running it.

An image is a folder or a tar in OCI's layout, a tar as ``docker save`` writes it, or a reference
that podman or docker saves to a scratch file. Nothing is pulled.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from msgspec import Struct

from envbuild.errors import InputError, ToolError
from envbuild.tools import oci, packing, temporary
from envbuild.tools.imagestores import Archive, Folder, Store
from envbuild.tools.layers import ImagePackage, Layers
from envbuild.tools.proc import Command, Runner
from envbuild.tools.trouble import words

_SECONDS = 3600.0
"""How long an engine may take to save an image; Isaac Sim's has 20 GB."""


class Image(Struct, frozen=True, kw_only=True):
    """One image of one platform. ``digest`` is that of its configuration (``sha256:…``)."""

    platform: str
    digest: str
    labels: Mapping[str, str]
    packages: tuple[ImagePackage, ...]


def from_folder(path: str, label: str) -> tuple[Image, ...]:
    """The images of a folder in OCI's layout, one for each platform.

    Raises:
        InputError: it is no such folder, or something of it cannot be read.
    """
    if not os.path.isdir(path):
        raise InputError(f"{label}: there is no folder {path}")
    return _images(Folder(path), label)


def from_archive(path: str, label: str) -> tuple[Image, ...]:
    """The images of a tar, plain or packed, as ``podman save`` and ``docker save`` write it.

    Raises:
        InputError: it is missing, cut off, or holds no image.
    """
    try:
        with open(path, "rb") as file, packing.plain(file) as tar:
            return _images(Archive(tar, label), label)
    except packing.DAMAGE as error:
        raise InputError(f"{label} cannot be unpacked: {str(error).lower()}") from None
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


def _images(store: Store, label: str) -> tuple[Image, ...]:
    """The images of a store, one for each platform."""
    saved = oci.images(store, label)
    if len({one.platform for one in saved}) < len(saved):
        raise InputError(
            f"{label} holds {len(saved)} images", hint="save the one that is meant alone"
        )
    return tuple(_image(one) for one in saved)


def _image(saved: oci.SavedImage) -> Image:
    found = Layers()
    for layer in saved.layers:
        with saved.opened(layer) as stream:
            found.add(stream, f"{saved.label}: the layer {layer.path}")
    return Image(
        platform=saved.platform,
        digest=saved.identity,
        labels=saved.labels,
        packages=found.packages(),
    )
