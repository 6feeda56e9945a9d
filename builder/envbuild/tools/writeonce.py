"""Files that are written once, each whole and durable, in a folder that several processes share.

What is on its way stands in ``.new`` of that folder. Whoever writes holds the folder
(:func:`held`), so that what is found there belongs to nobody who lives.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping

from envbuild.errors import ToolError
from envbuild.tools.temporary import remove_tree
from envbuild.tools.trouble import cannot_write
from envbuild.tools.turns import alone

STAGING = ".new"


@contextlib.contextmanager
def held(folder: str) -> Iterator[None]:
    """Be the only process that writes a folder, which is made where it is not there.

    Raises:
        ToolError: it cannot be written, or another process does not come to an end with it.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with alone(folder):
            _forget(folder)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    _forget(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None


def put(folder: str, files: Mapping[str, bytes]) -> None:
    """Write files that are not there, in a folder that is :func:`held`: each appears whole, and
    all are durable when this returns. What stands in the place of one is replaced.

    Raises:
        OSError: it cannot be written; those that have their place are whole.
    """
    if not files:
        return
    staging = f"{folder}/{STAGING}"
    os.makedirs(staging, exist_ok=True)
    for number, data in enumerate(files.values()):
        _write(f"{staging}/{number}", data)
    places = set()
    for number, path in enumerate(files):
        place = os.path.dirname(f"{folder}/{path}")
        places |= _made(place)
        os.rename(f"{staging}/{number}", f"{folder}/{path}")
    for place in places:
        _sync(place)


def remove(folder: str, paths: Iterable[str]) -> int:
    """Remove files of a folder that is :func:`held`, and folders that are empty then; the bytes
    that they took.

    Raises:
        OSError: one cannot be removed.
    """
    size = 0
    places = set()
    for path in paths:
        full = f"{folder}/{path}"
        with contextlib.suppress(FileNotFoundError):
            size += os.lstat(full).st_size
            os.unlink(full)
        places.add(os.path.dirname(full))
    for place in sorted(places):
        if os.path.isdir(place):
            _sync(place)
    for place in sorted(places):
        if place.count("/") > folder.count("/") + 1:  # not the folders of the first floor
            with contextlib.suppress(OSError):
                os.rmdir(place)
    return size


def listed(folder: str) -> list[str]:
    """Every file below a folder by its relative path, sorted; nothing where there is none."""
    found = []
    for place, _, names in os.walk(folder):
        inner = os.path.relpath(place, folder)
        found += [name if inner == "." else f"{inner}/{name}" for name in names]
    return sorted(found)


def _made(place: str) -> set[str]:
    """Make a folder; it and those above it that hold a new name."""
    changed = {place}
    missing = place
    while not os.path.isdir(missing):
        missing = os.path.dirname(missing)
        changed.add(missing)
    os.makedirs(place, exist_ok=True)
    return changed


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(place: str) -> None:
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _forget(folder: str) -> None:
    staging = f"{folder}/{STAGING}"
    if os.path.islink(staging) or os.path.isfile(staging):
        raise ToolError(f"{staging} is no folder", hint="remove it")
    if os.path.isdir(staging):
        remove_tree(staging)
