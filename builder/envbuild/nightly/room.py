"""Whether the disk can hold the images of a night: known before anything is begun, and again before
each build."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.nightly.budgets import told
from envbuild.speech import counted

SPARE = 1 << 30
"""Bytes that stay free: a night writes logs, locks and its history too."""


class Wanted(Struct, frozen=True, kw_only=True):
    """An image that a night makes. ``size`` in bytes, 0 where nobody knows it; ``at_least`` says
    that it is a lower bound. ``base`` is what it stands on: images of one base share its bytes.
    ``there``: an image of this name stands here already, and most of it is taken again."""

    profile: str
    variant: str
    base: str
    size: int = 0
    at_least: bool = False
    there: bool = False


class Disk(Struct, frozen=True, kw_only=True):
    """A place that is written to, and what is free there in bytes when the night begins."""

    place: str
    what: str
    free: int


def needed(wanted: Iterable[Wanted]) -> int:
    """The bytes that images need at least which are not there yet: of those that stand on one base
    its bytes count once, and it takes at most as much as the smallest of them."""
    groups: dict[str, list[int]] = {}
    standing = set()
    for one in wanted:
        if one.there:
            standing.add(one.base)
        elif one.size:
            groups.setdefault(one.base, []).append(one.size)
    total = 0
    for base, sizes in groups.items():
        shared = min(sizes)
        total += sum(sizes) - shared * (len(sizes) - (0 if base in standing else 1))
    return total


def refuse(wanted: Sequence[Wanted], disk: Disk | None, budget: int | None) -> tuple[str, ...]:
    """Refuse a night whose images the disk cannot hold; what is to be said of those that nobody
    knows the size of.

    Raises:
        ToolError: there is no room, or less than they need in the budget.
    """
    need = needed(wanted)
    if disk is not None and need + SPARE > disk.free and wanted:
        raise ToolError(
            f"the disk cannot hold the images: they need {told(need)} at least beside "
            f"{told(SPARE)} that stay free, and {told(disk.free)} are free at {disk.place} "
            f"({disk.what})",
            hint="remove images that are not needed, name fewer profiles, or --only check lock",
        )
    if budget is not None and need > budget:
        raise ToolError(
            f"the images need {told(need)} at least, and --disk-budget is {told(budget)}",
            hint="name fewer profiles, or share them out with --shard",
        )
    return tuple(_notes(wanted, disk))


def _notes(wanted: Sequence[Wanted], disk: Disk | None) -> Iterable[str]:
    unknown = [f"{one.profile}/{one.variant}" for one in wanted if not one.size and not one.there]
    if unknown:
        yield f"nobody knows the size of {counted(len(unknown), 'image')}: {_few(unknown)}"
    bounds = [f"{one.profile}/{one.variant}" for one in wanted if one.at_least and not one.there]
    if bounds:
        yield f"of {counted(len(bounds), 'image')} only the base's size is known: {_few(bounds)}"
    if wanted and disk is None:
        yield "where the engine keeps its images is not known: their room was not looked at"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


class Room:
    """The room for each image, asked right before it is built; ``free`` gives the bytes that are
    free at a place."""

    def __init__(
        self,
        wanted: Iterable[Wanted],
        disk: Disk | None,
        budget: int | None,
        *,
        free: Callable[[str], int],
    ) -> None:
        self._wanted: Mapping[tuple[str, str], Wanted] = {
            (one.profile, one.variant): one for one in wanted
        }
        self._disk = disk
        self._budget = budget
        self._free = free

    def __call__(self, profile: str, variant: str) -> str:
        """Why an image cannot be held; empty where it can, or nobody knows."""
        if self._disk is None:
            return ""
        free = self._free(self._disk.place)
        if free < SPARE:
            return f"no room: {told(free)} are free at {self._disk.place}"
        one = self._wanted.get((profile, variant))
        alone = one and not one.there and not self._sibling(one)
        if one and alone and one.size > free:
            return f"no room: it takes {told(one.size)}, and {told(free)} are free"
        taken = self._disk.free - free
        if self._budget is not None and taken >= self._budget:
            return f"no room: the night has taken {told(taken)} of {told(self._budget)}"
        return ""

    def _sibling(self, one: Wanted) -> bool:
        """Whether another image may have brought its base by now."""
        return any(other.base == one.base and other is not one for other in self._wanted.values())


def free(place: str) -> int:
    """The bytes that are free for the user at a place, or at what is above it."""
    while not os.path.lexists(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
