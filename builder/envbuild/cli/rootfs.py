"""Images, containers and archives as trees: opened or exported, read, never run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from envbuild.engines import containers, images
from envbuild.errors import InputError, ToolError
from envbuild.scan.sources import layered
from envbuild.tools import oci, overlaid, packing, tars, temporary
from envbuild.tools.imagestores import Archive, Folder, Store
from envbuild.tools.trouble import cannot_write, words

if TYPE_CHECKING:
    from envbuild.engines.model import Engine
    from envbuild.scan.sources.wanted import Wish
    from envbuild.scan.tree import Tree
    from envbuild.tools.proc import Runner

_OF_AN_IMAGE = re.compile(
    r"index\.json|manifest\.json|oci-layout|repositories|version"
    r"|blobs/.+|[0-9a-f]{64}(\.json|\.tar|/.*)?"
)
"""The names in a saved image; a root file system has none of them at its top."""

_SYSTEMS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Root(Struct, frozen=True, kw_only=True):
    """A root file system: what was read of it, and the variables that its programs start with."""

    tree: Tree
    variables: tuple[tuple[str, str], ...] = ()


class Desk(Struct, frozen=True, kw_only=True):
    """What roots are read with. ``machine`` is this one's, as ``uname -m`` has it; ``say`` tells
    what is done, ``live`` what is going on at the moment; ``engine`` finds one."""

    wish: Wish
    machine: str
    environ: Mapping[str, str]
    runner: Runner
    engine: Callable[[], Engine]
    say: Callable[[str], None]
    live: Callable[[str], None]


def from_layout(path: str, label: str, desk: Desk) -> Root:
    """An image of a folder in OCI's layout.

    Raises:
        InputError: it is none, or several images could be meant.
    """
    if not os.path.isdir(path):
        raise InputError(f"{label}: there is no folder {path}")
    with temporary.scratch({}) as scratch:
        return _image(Folder(path), label, desk, scratch=scratch)


def from_tar(path: str, label: str, desk: Desk) -> Root:
    """A saved image, or a root file system as ``docker export`` writes it; packed or not.

    Raises:
        InputError: it is neither, cut off, or cannot be read.
        ToolError: there is no room to unpack it.
    """
    with temporary.scratch({}) as scratch:
        if not _is_image(path, label):
            return Root(tree=layered.rootfs(path, label, desk.wish, scratch))
        with _plain(path, label, desk, scratch=scratch) as file:
            return _image(Archive(file, label), label, desk, scratch=scratch)


def from_engine(reference: str, desk: Desk) -> Root:
    """An image that an engine has, saved to a scratch folder; nothing is pulled.

    Raises:
        InputError: it has none of that name.
        ToolError: there is no engine, it failed, or there is no room.
    """
    engine = desk.engine()
    known = images.facts(engine, reference, runner=desk.runner, environ=desk.environ)
    if known is None:
        raise InputError(
            f"{engine.name} has no image {reference!r}",
            hint="build, load or pull it first; nothing is pulled by this command",
        )
    with temporary.scratch({}) as scratch:
        _refuse_full(scratch, known.size)
        desk.say(f"{reference}: {engine.name} saves it, {size(known.size)}; it is not run")
        desk.live(f"saving {reference} ...")
        if engine.name == "buildah":
            path = f"{scratch}/layout"
            images.save(engine, reference, folder=path, runner=desk.runner, environ=desk.environ)
            return _image(Folder(path), reference, desk, scratch=scratch)
        path = f"{scratch}/image.tar"
        images.archive(engine, reference, path=path, runner=desk.runner, environ=desk.environ)
        with _plain(path, reference, desk, scratch=scratch) as file:
            return _image(Archive(file, reference), reference, desk, scratch=scratch)


def from_container(named: str, desk: Desk) -> Root:
    """The files of a container, running or not, exported to a scratch file.

    Raises:
        InputError: there is none of that name.
        ToolError: there is no engine, or it failed.
    """
    engine = desk.engine()
    with temporary.scratch({}) as scratch:
        path = f"{scratch}/rootfs.tar"
        desk.say(f"{named}: {engine.name} exports its files; nothing is run in it")
        desk.live(f"exporting {named} ...")
        containers.export(engine, named, path=path, runner=desk.runner, environ=desk.environ)
        desk.say(f"{named}: {size(os.path.getsize(path))} exported")
        desk.live(f"reading {named} ...")
        return Root(tree=layered.rootfs(path, named, desk.wish, scratch))


def size(count: int) -> str:
    """Bytes in words."""
    if count < 1e6:
        return f"{count / 1e3:.1f} kB"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


# --- Images --------------------------------------------------------------------------------------


def _image(store: Store, label: str, desk: Desk, *, scratch: str) -> Root:
    saved = chosen(oci.images(store, label), label, desk)
    desk.live(f"reading {label} ...")
    settings = saved.config.get("config")
    variables = (str(one).partition("=") for one in oci.items(settings, "Env"))
    return Root(
        tree=layered.image(saved, desk.wish, scratch),
        variables=tuple((name, value) for name, _, value in variables),
    )


def chosen(every: tuple[oci.SavedImage, ...], label: str, desk: Desk) -> oci.SavedImage:
    """The image for this machine, else the only one; which of several is told.

    Raises:
        InputError: it is not clear which is meant.
    """
    here = f"linux/{_SYSTEMS.get(desk.machine.lower(), desk.machine.lower())}"
    fitting = [one for one in every if one.platform == here]
    found = fitting or every
    names = ", ".join(one.platform for one in every)
    if len(found) > 1:
        raise InputError(
            f"{label} holds {len(every)} images ({names}), and it is not clear which is meant",
            hint="save the one that is meant alone",
        )
    if len(every) > 1:
        desk.say(f"{label}: {found[0].platform} is examined (it holds {names})")
    elif not fitting:
        desk.say(f"{label}: it is for {found[0].platform}, and this machine is {here}")
    return found[0]


def _is_image(path: str, label: str) -> bool:
    """Whether a tar is a saved image, by its first names: a root file system has others."""
    try:
        with (
            open(path, "rb") as file,
            packing.plain(file) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for member in tar:
                name = tars.path_of(member.name)
                if name and name not in ("blobs", "blobs/sha256"):
                    return _OF_AN_IMAGE.fullmatch(name) is not None
    except overlaid.DAMAGE as error:
        raise InputError(f"{label} cannot be read: {_said(error)}") from None
    raise InputError(f"{label} is empty", hint="docker save or docker export writes such a file")


def _said(error: Exception) -> str:
    return words(error) if isinstance(error, OSError) else str(error).lower()


@contextlib.contextmanager
def _plain(path: str, label: str, desk: Desk, *, scratch: str) -> Iterator[IO[bytes]]:
    """The saved image as a tar in which one can go back: unpacked first where it is packed."""
    try:
        with open(path, "rb") as file:
            if not packing.is_packed(file):
                yield file
                return
            plain = f"{scratch}/plain.tar"
            desk.live(f"unpacking {label} ...")
            _unpack(file, plain, label)
    except OSError as error:
        raise InputError(f"{label} cannot be read: {words(error)}") from None
    with open(plain, "rb") as file:
        yield file


def _unpack(packed: IO[bytes], path: str, label: str) -> None:
    pieces = packing.unpacked(packed, label)
    try:
        with open(path, "wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise cannot_write(path, error) from None


def _refuse_full(scratch: str, wanted: int) -> None:
    free = shutil.disk_usage(scratch).free
    if free < wanted:
        raise ToolError(
            f"{os.path.dirname(scratch)} has {size(free)} free, and the image has {size(wanted)}",
            hint="TMPDIR names a place with more room",
        )
