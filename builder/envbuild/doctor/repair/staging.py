"""What a repair will move, decided and written down before anything is moved."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from envbuild.doctor.repair import owned
from envbuild.doctor.repair.manifest import FOLDER, FORMAT, Come, Folder, Gone, Manifest
from envbuild.doctor.repair.repairing import Part, Replacement, said
from envbuild.doctor.repair.unpacking import unpack
from envbuild.errors import InputError
from envbuild.tools.store import digest

NEW = "new"
OLD = "old"


class Stage(Struct, frozen=True, kw_only=True):
    """The folder of one repair, and how the folders above it were before it was made."""

    journal: str
    when: str
    prefix: Folder


def manifest(
    part: Part, stage: Stage, wheel: Callable[[Replacement], str], *, say: Callable[[str], None]
) -> Manifest:
    """The journal of a repair; its new files lie in the stage.

    Raises:
        InputError: something would be changed that may not be.
        ToolError: a wheel cannot be had or read, or the disk refuses.
        OSError: the disk refuses.
    """
    wheels = [(one, wheel(one)) for one in part.replacements]
    os.mkdir(f"{stage.journal}/{NEW}")
    os.mkdir(f"{stage.journal}/{OLD}")
    come: dict[str, str] = {}
    gone = {path for top in part.aside for path in owned.below(top)}
    for one, path in wheels:
        say(f"unpacking {said(one)} ...")
        own = owned.of(one.site, one.distribution, without=part.aside)
        new = _unpacked(path, one, part.prefix, stage=stage, own=own)
        _refuse_twice(come, new)
        come |= new
        gone |= own
    gone |= {path for path in come if os.path.lexists(path)}
    gone |= set(owned.compiled(come))
    _refuse(part, sorted({*gone, *come}))
    return Manifest(
        format=FORMAT,
        prefix=part.prefix,
        when=stage.when,
        what=tuple(_what(part)),
        gone=tuple(
            Gone(path=path, kept=f"{OLD}/{index}") for index, path in enumerate(sorted(gone))
        ),
        come=tuple(_come(path, place, stage.journal) for path, place in sorted(come.items())),
        folders=(*_folders(part, gone, set(come)), stage.prefix),
    )


def _unpacked(
    wheel: str, one: Replacement, prefix: str, *, stage: Stage, own: Iterable[str]
) -> Mapping[str, str]:
    asked = any(path.endswith(".dist-info/REQUESTED") for path in own)
    return unpack(wheel, one, prefix=prefix, into=f"{stage.journal}/{NEW}", requested=asked)


def _what(part: Part) -> Iterator[str]:
    for path in part.aside:
        yield f"{path} set aside"
    for one in part.replacements:
        yield f"{said(one)} in {one.site}" + (f" in the place of {one.found}" if one.found else "")


def _come(path: str, place: str, journal: str) -> Come:
    """A new file, made durable: a journal that says it came must be right after a power cut."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
    finally:
        os.close(handle)
    staged = place.removeprefix(f"{journal}/")
    return Come(path=path, staged=staged, sha256=digest(place), mode=mode)


# --- What may not be changed ---------------------------------------------------------------------


def _refuse_twice(come: Mapping[str, str], new: Mapping[str, str]) -> None:
    both = sorted(come.keys() & new.keys())
    if both:
        raise InputError(f"two packages bring {both[0]}", hint="repair one of them at a time")


def _refuse(part: Part, paths: Iterable[str]) -> None:
    """Refuse paths out of the prefix, behind links, in a bundle, and folders.

    Raises:
        InputError: with the first of them.
    """
    for path in paths:
        if not path.startswith(f"{part.prefix.rstrip('/')}/") or FOLDER in path.split("/"):
            raise InputError(
                f"{path} would be changed, which lies outside of {part.prefix}",
                hint="its RECORD names files of others: nothing was changed",
            )
        shut = next((one for one in part.closed if path.startswith(f"{one}/")), None)
        if shut:
            raise InputError(
                f"{path} would be changed, and {shut} is not to be changed",
                hint="install the product that brings it again",
            )
        above = nearest(path)
        if os.path.realpath(above) != above:
            raise InputError(
                f"{path} lies behind a link, to {os.path.realpath(above)}",
                hint="what a link leads to is not changed",
            )
        if os.path.isdir(path) and not os.path.islink(path):
            raise InputError(f"{path} is a folder, and a file must stand there")


def nearest(path: str) -> str:
    """The innermost folder above a path that is there, or whatever stands in its way."""
    above = os.path.dirname(path)
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    return above


# --- Folders -------------------------------------------------------------------------------------


def look(path: str, change: str) -> Folder:
    """A folder as it is now.

    Raises:
        OSError: it cannot be looked at.
    """
    found = os.stat(path)
    return Folder(
        path=path,
        change="removed" if change == "removed" else "touched",
        mode=stat.S_IMODE(found.st_mode),
        mtime=found.st_mtime_ns,
        owner=found.st_uid,
        group=found.st_gid,
    )


def _folders(part: Part, gone: set[str], come: set[str]) -> Iterator[Folder]:
    """Every folder that is touched, made or removed; one before those that lie in it."""
    parents = {os.path.dirname(path) for path in (*gone, *come)}
    tops = (top for top in part.aside if not os.path.islink(top))
    parents |= {folder for top in tops for folder, _, _ in os.walk(top)}
    caches = {f"{os.path.dirname(path)}/__pycache__" for path in come if path.endswith(".py")}
    parents |= {path for path in caches if os.path.isdir(path)}
    every = {above for path in parents for above in _above(path, part.prefix)}
    made = {path for path in every if not os.path.lexists(path)}
    kept = {above for path in come for above in _above(os.path.dirname(path), part.prefix)}
    inside = (*(f"{one.site}/" for one in part.replacements), *(f"{top}/" for top in part.aside))
    free = {path for path in every - made - kept if f"{path}/".startswith(inside)}
    removed = _emptied(free - {one.site for one in part.replacements}, gone)
    touched = parents | {os.path.dirname(path) for path in (*made, *removed)}
    for path in sorted(every):
        if path in made:
            yield Folder(path=path, change="made")
        elif path in removed:
            yield look(path, "removed")
        elif path in touched and path != part.prefix:
            yield look(path, "touched")


def _above(path: str, prefix: str) -> Iterator[str]:
    """A folder and those above it, up to the prefix and without it."""
    while path != prefix and path.startswith(f"{prefix.rstrip('/')}/"):
        yield path
        path = os.path.dirname(path)


def _emptied(candidates: Iterable[str], gone: set[str]) -> set[str]:
    """The folders in which nothing is left."""
    removed: set[str] = set()
    for path in sorted(candidates, key=len, reverse=True):
        if {f"{path}/{name}" for name in os.listdir(path)} <= gone | removed:
            removed.add(path)
    return removed
