"""Layers to one tree: a mapping key by key, a list as a whole or appended, null removes. Pure."""

from __future__ import annotations

from envbuild.errors import Mark
from envbuild.profile.model import KeyPath
from envbuild.profile.reader import Plain, Tree


def merge(lower: Tree, upper: Tree) -> Tree:
    """``upper`` laid over ``lower``; every value keeps the place where it was written."""
    marks: dict[KeyPath, Mark] = {(): upper.marks[()]}
    value = _mapping(lower, upper, ((), (), ()), marks)
    return Tree(value=value, marks=marks)


def settle(tree: Tree) -> Tree:
    """A layer by itself: appending to nothing gives the list, removing nothing gives nothing."""
    return merge(Tree(value={}, marks={(): tree.marks[()]}), tree)


_Paths = tuple[KeyPath, KeyPath, KeyPath]


def _at(tree: Tree, path: KeyPath) -> Plain:
    value: Plain = tree.value
    for step in path:
        value = value[step]  # type: ignore[index]
    return value


def _mapping(
    lower: Tree, upper: Tree, paths: _Paths, marks: dict[KeyPath, Mark]
) -> dict[str, Plain]:
    low_path, up_path, path = paths
    below, above = _at(lower, low_path), _at(upper, up_path)
    assert isinstance(below, dict)
    assert isinstance(above, dict)
    merged: dict[str, Plain] = {}
    for key in (*below, *(key for key in above if key not in below)):
        low, up, here = (*low_path, key), (*up_path, key), (*path, key)
        if key not in above:
            merged[key] = _copy(lower, low, here, marks)
            continue
        old, new = below.get(key), above[key]
        if new is None:
            continue
        marks[here] = upper.marks[up]
        appended = _appended(new)
        if appended is not None:
            kept = _copy_items(lower, low, here, marks) if isinstance(old, list) else []
            merged[key] = kept + _copy_items(upper, (*up, "append"), here, marks, start=len(kept))
        elif isinstance(new, dict):
            empty = Tree(value={}, marks={})
            base, base_path = (lower, low) if isinstance(old, dict) else (empty, ())
            merged[key] = _mapping(base, upper, (base_path, up, here), marks)
        else:
            merged[key] = _copy(upper, up, here, marks)
    return merged


def _appended(value: Plain) -> list[Plain] | None:
    if isinstance(value, dict) and len(value) == 1:
        items = value.get("append")
        return items if isinstance(items, list) else None
    return None


def _copy(tree: Tree, path: KeyPath, here: KeyPath, marks: dict[KeyPath, Mark]) -> Plain:
    if path in tree.marks:
        marks[here] = tree.marks[path]
    value = _at(tree, path)
    if isinstance(value, dict):
        return {key: _copy(tree, (*path, key), (*here, key), marks) for key in value}
    if isinstance(value, list):
        return _copy_items(tree, path, here, marks)
    return value


def _copy_items(
    tree: Tree, path: KeyPath, here: KeyPath, marks: dict[KeyPath, Mark], *, start: int = 0
) -> list[Plain]:
    items = _at(tree, path)
    assert isinstance(items, list)
    return [
        _copy(tree, (*path, index), (*here, start + index), marks) for index in range(len(items))
    ]
