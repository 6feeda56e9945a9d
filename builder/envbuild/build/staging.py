"""The folder that is handed to a builder: what was rendered, and beside each list the files that it
names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.tools import files, store
from envbuild.tools.trouble import cannot_write

FILES = "files"
"""The folder in an input folder that holds what its list names: where it is, no network is used."""

_NOTHING = ".nothing-is-needed"
"""An empty file in a folder that would be empty without it, and lost on the way into a builder."""


class Staged(Struct, frozen=True, kw_only=True):
    """What was laid into an input folder: files and their bytes, of which ``fetched`` bytes came
    over the network now, and how long it took in seconds."""

    path: str
    kind: Literal["wheels", "sources", "git", "apt", "conda", "python"]
    files: int
    bytes: int
    fetched: int
    seconds: float


class NotHermetic(Struct, frozen=True, kw_only=True):
    """Something that a step of the build still fetches by itself, and why; ``path`` is the step's
    input folder."""

    path: str
    what: str
    why: str


class Material(Struct, frozen=True, kw_only=True):
    """A file of this machine and its place below an input folder; ``fetched``: it came over the
    network now."""

    source: str
    path: str
    fetched: bool = False


def copy(context: str, into: str, variant: str) -> None:
    """Copy what was rendered for a variant: its Dockerfile, what that ignores, and its folder.

    Raises:
        InputError: nothing was rendered, or it cannot be read.
        ToolError: it cannot be written.
    """
    names = files.names(context, label=context)
    own = [name for name in names if name.startswith("Dockerfile")]
    if not own:
        raise InputError(f"{context} holds no Dockerfile", hint="run: envbuild render")
    for name in own:
        _copy(f"{context}/{name}", f"{into}/{name}")
    for place, _, inner in os.walk(f"{context}/{variant}"):
        for name in inner:
            path = f"{place}/{name}"
            _copy(path, f"{into}/{os.path.relpath(path, context)}")


def lay(folder: str, material: Iterable[Material], *, marked: bool = True) -> tuple[int, int, int]:
    """Put files below an input folder; how many, their bytes, and the bytes that were fetched.

    ``marked``: the folder :data:`FILES` is there even for no file at all.

    Raises:
        ToolError: it cannot be written.
    """
    count, size, fetched = 0, 0, 0
    try:
        for one in material:
            target = f"{folder}/{one.path}"
            if os.path.lexists(target):
                continue  # two builds want the same wheel
            store.place(one.source, target)
            length = os.path.getsize(target)
            count, size = count + 1, size + length
            fetched += length if one.fetched else 0
        if marked and not os.path.isdir(f"{folder}/{FILES}"):
            os.makedirs(f"{folder}/{FILES}")
            with open(f"{folder}/{FILES}/{_NOTHING}", "wb"):
                pass
    except OSError as error:
        raise cannot_write(folder, error) from None
    return count, size, fetched


def _copy(source: str, target: str) -> None:
    data = files.read_bytes(source)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        mode = os.stat(source).st_mode & 0o777
        with open(target, "wb") as file:
            file.write(data)
        os.chmod(target, mode)
    except OSError as error:
        raise cannot_write(target, error) from None
