"""One layer without what differs by chance: planned from its headers, then written in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import IO

from msgspec import Struct

from envbuild.build import causes
from envbuild.tools import bytecode, packing, tarheaders, tars
from envbuild.tools.overlaid import WHITEOUT


class Place(Struct, frozen=True, gc=False, kw_only=True):
    """Where an entry lies in its layer, as :class:`tars.Entry` says it. ``content`` is that of a
    file. Small, because a layer may have a hundred thousand."""

    path: str
    start: int
    data: int
    size: int
    seconds: int
    content: bool
    hard_link: bool


class Plan(Struct, frozen=True, kw_only=True):
    """What of a layer is written, in this order; ``dropped`` counts the files that are not.
    ``sources`` are its Python sources by their paths, with their times in seconds since 1970."""

    places: tuple[Place, ...]
    sources: Mapping[str, int]
    dropped: int


def planned(file: IO[bytes], label: str) -> Plan:
    """The plan for an unpacked layer.

    A folder comes before what is in it, a removal before what takes its place, and hard links
    come last, behind what they link to. A layer that names a path twice keeps its order, which
    then has a meaning.

    Raises:
        InputError: it cannot be read.
    """
    places: list[Place] = []
    linked: set[str] = set()
    sources: dict[str, int] = {}
    for entry in tars.scan(file, label):
        hard_link = entry.kind == "hard link"
        if hard_link:
            linked.add(entry.link)
        if entry.path.endswith(".py") and (hard_link or entry.kind == "file"):
            sources[entry.path] = entry.seconds
        places.append(
            Place(
                path=entry.path,
                start=entry.start,
                data=entry.data,
                size=entry.size,
                seconds=entry.seconds,
                content=entry.kind == "file",
                hard_link=hard_link,
            )
        )
    kept = [one for one in places if not _dropped(one, linked)]
    if len({one.path for one in kept}) == len(kept):
        kept.sort(key=_order)
    return Plan(places=tuple(kept), sources=sources, dropped=len(places) - len(kept))


def write(
    plan: Plan,
    file: IO[bytes],
    into: Callable[[bytes], None],
    *,
    epoch: int,
    sources: Mapping[str, int],
) -> int:
    """Write a layer by its plan, piece by piece, with no time later than ``epoch``.

    ``sources`` are the Python sources of the whole image that are given new times, with their old
    ones: bytecode which belongs to one as it is there gets its new time, so that it stays neither
    more nor less valid than it was.

    Returns how many headers of bytecode were set.
    """
    count = 0
    for place in plan.places:
        headers = _read(file, place.start, place.data - place.start)
        into(tarheaders.stamped(headers, _clamped(place.seconds, epoch)))
        source = bytecode.source_of(place.path) if place.content else None
        was = sources.get(source) if source else None
        for number, piece in enumerate(_pieces(file, place)):
            now = piece
            if number == 0 and was is not None and bytecode.is_of(piece[: bytecode.HEADER], was):
                now = bytecode.with_time(piece, _clamped(was, epoch))
                count += now != piece
            into(now)
        into(bytes(-place.size % tars.BLOCK))
    into(tars.END)
    return count


def _clamped(seconds: int, epoch: int) -> int:
    """A time that is not later than ``epoch``, nor before 1970."""
    return max(0, min(seconds, epoch))


def _dropped(place: Place, linked: set[str]) -> bool:
    name = place.path.rpartition("/")[2]
    if not place.content or place.path in linked or name.startswith(WHITEOUT):
        return False
    return causes.volatile(place.path)


def _order(place: Place) -> tuple[bool, str]:
    folder, slash, name = place.path.rpartition("/")
    first = "\0" if name.startswith(WHITEOUT) else ""
    return place.hard_link, f"{folder}{slash}{first}{name}"


def _pieces(file: IO[bytes], place: Place) -> Iterator[bytes]:
    for done in range(0, place.size, packing.PIECE):
        yield _read(file, place.data + done, min(packing.PIECE, place.size - done))


def _read(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)
