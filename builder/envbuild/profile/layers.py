"""The layers of a profile: its file over those that it extends."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from envbuild.errors import Mark, Problem
from envbuild.profile import explain
from envbuild.profile.merge import merge, settle
from envbuild.profile.reader import Tree
from envbuild.profile.sheet import Sheet, Source, not_a_layer, take_apart


class Layers(Struct, frozen=True, kw_only=True):
    """A file over all that it extends, and the problems of all these files.

    ``files`` has its own file first. ``common`` is merged and settled, or None where the file
    itself cannot be used; ``variants`` has the layers of each variant, the oldest ancestor's
    first, to be laid over it. ``complete`` is False when a file of the chain is wrong in a way
    that hides keys, so that what is missing may stand there; ``doubtful`` is True when the same
    holds for variants. ``anchor`` is the place of ``variants``. ``parent`` are the layers that it
    is laid over, ``parent_mark`` is the place of ``extends``, and ``places`` has those of the
    variants that the file itself names.
    """

    files: tuple[str, ...]
    parent: Layers | None
    parent_mark: Mark
    places: dict[str, Mark]
    common: Tree | None
    variants: dict[str, tuple[Tree, ...]]
    complete: bool
    doubtful: bool
    anchor: Mark
    problems: tuple[Problem, ...]


class Library:
    """Layers by profile name; every file is read once, however many profiles extend it."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._done: dict[str, Layers] = {}

    def layers(self, name: str) -> Layers:
        """The layers of a profile that is known.

        Raises:
            InputError: a file of it cannot be opened.
        """
        chain: list[Sheet] = []
        lost = None
        current: str | None = name
        while current is not None and current not in self._done:
            chain.append(take_apart(self._sources[current]))
            current = chain[-1].parent
            lost = _lost(current, chain, self._sources)
            if lost:
                break
        below = self._done[current] if current is not None and not lost else None
        for sheet in reversed(chain):
            below = self._done[sheet.source.name] = _laid(below, sheet, lost)
            lost = None
        return self._done[name]


def _lost(parent: str | None, chain: list[Sheet], sources: Mapping[str, Source]) -> Problem | None:
    """Why the last file's parent cannot be followed."""
    if parent is None:
        return None
    names = [sheet.source.name for sheet in chain]
    if parent in names:
        return _circle(chain[names.index(parent) :])
    if parent in sources:
        return None
    return Problem(
        message=f"extends {parent!r}, which is no profile",
        mark=chain[-1].parent_mark,
        hint=explain.known_names(parent, sources.keys() - {names[-1]}),
    )


def _circle(members: list[Sheet]) -> Problem:
    """The same words wherever the circle was entered: it begins at the first name by alphabet."""
    names = [sheet.source.name for sheet in members]
    first = names.index(min(names))
    turned = [*names[first:], *names[: first + 1]]
    return Problem(
        message=f"extends goes in a circle: {' -> '.join(turned)}",
        mark=members[first].parent_mark,
        hint="one of them must not extend the next",
    )


def _laid(below: Layers | None, sheet: Sheet, lost: Problem | None) -> Layers:
    """A file over its parent's layers."""
    problems = [*(below.problems if below else ()), *((lost,) if lost else ()), *sheet.problems]
    inherited = below.variants if below is not None else {}
    variants = {name: trees for name, trees in inherited.items() if name not in sheet.dropped}
    for name, layer in sheet.variants.items():
        variants[name] = (*variants.get(name, ()), layer)
    orphan = lost is not None or sheet.orphan
    complete = not orphan and (below is None or (below.complete and below.common is not None))
    idle = [
        not_a_layer(name, None, mark)
        for name, mark in sheet.dropped.items()
        if complete and name not in inherited
    ]
    return Layers(
        files=(sheet.source.file, *(below.files if below else ())),
        parent=below,
        parent_mark=sheet.parent_mark,
        places=sheet.places,
        common=_merged(below, sheet.common),
        variants=variants,
        complete=complete,
        doubtful=not complete or sheet.doubtful or bool(idle),
        anchor=sheet.variants_mark,
        problems=(*problems, *idle),
    )


def _merged(below: Layers | None, common: Tree | None) -> Tree | None:
    """What a file says itself is not inherited: which format it is written for, and its name."""
    if common is None or below is None or below.common is None:
        return settle(common) if common else None
    value, marks = dict(below.common.value), dict(below.common.marks)
    for key in ("schema", "name"):
        value.pop(key, None)
        marks.pop((key,), None)
    return merge(replace(below.common, value=value, marks=marks), common)
