"""Layers to one tree: a mapping key by key, a list as a whole or appended, null removes. Pure.

Values are shared between trees, never changed. ``{append: [...]}`` is a mapping with that one key
and a list, over a list or nothing; over anything else it stays a mapping, which no list can be.
Inside the items of a list nothing is inherited, so nothing is merged there.
"""

from __future__ import annotations

from envbuild.profile.reader import Plain, Tree
from envbuild.profile.resolved import KeyPath


def merge(lower: Tree, upper: Tree) -> Tree:
    """``upper`` laid over ``lower``, which is settled; every value keeps the place it came from.

    The result is settled: no null and no ``append`` is left where a layer can have one.
    """
    laying = _Laying(lower, upper)
    value = laying.mapping(lower.value, upper.value, at=(), here=())
    return Tree(value=value, marks=laying.marks, removed=laying.removed)


def settle(tree: Tree) -> Tree:
    """A layer by itself: appending to nothing gives the list, removing nothing gives nothing."""
    return merge(Tree(value={}, marks={}), tree)


class _Laying:
    """The places of the merged tree, which begin as those of the lower one."""

    def __init__(self, lower: Tree, upper: Tree) -> None:
        self.upper = upper.marks
        self.marks = {**lower.marks, (): upper.marks[()]}
        self.removed = dict(lower.removed)

    def mapping(
        self, old: dict[str, Plain], new: dict[str, Plain], *, at: KeyPath, here: KeyPath
    ) -> dict[str, Plain]:
        """``new``, ``at`` a path of the upper tree, over ``old``, which is ``here``."""
        merged = dict(old)
        for key, value in new.items():
            source, target = (*at, key), (*here, key)
            known = merged.get(key)
            if value is None:
                self._forget(merged.pop(key, None), target)
                self.removed[target] = self.upper[source]
                continue
            appended = _appended(value)
            if appended is not None and isinstance(known, dict) and "append" in known:
                continue  # an append that is no list: left, to be explained where it stands
            if appended is not None and (known is None or isinstance(known, list)):
                merged[key] = self._append(known or [], appended, source=source, target=target)
            elif isinstance(value, dict):
                if not isinstance(known, dict):
                    self._forget(known, target)
                    known = {}
                merged[key] = self.mapping(known, value, at=source, here=target)
            else:
                self._forget(known, target)
                merged[key] = value
                self._remember(value, source, target)
            self.marks[target] = self.upper[source]
        return merged

    def _append(
        self, known: list[Plain], items: list[Plain], *, source: KeyPath, target: KeyPath
    ) -> list[Plain]:
        for index, item in enumerate(items):
            self._remember(item, (*source, "append", index), (*target, len(known) + index))
        return known + items

    def _remember(self, value: Plain, source: KeyPath, target: KeyPath) -> None:
        self.marks[target] = self.upper[source]
        for step, part in _parts(value):
            self._remember(part, (*source, step), (*target, step))

    def _forget(self, value: Plain, target: KeyPath) -> None:
        self.marks.pop(target, None)
        for step, part in _parts(value):
            self._forget(part, (*target, step))


def _appended(value: Plain) -> list[Plain] | None:
    if isinstance(value, dict) and len(value) == 1:
        items = value.get("append")
        return items if isinstance(items, list) else None
    return None


def _parts(value: Plain) -> list[tuple[str | int, Plain]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
