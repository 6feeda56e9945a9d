"""Worlds from pieces of profiles, for the tests of rules."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from envbuild.errors import Mark
from envbuild.knowledge.world import World, introduced, world
from envbuild.profile.model import Environment
from envbuild.profile.resolved import KeyPath, Variant

PLAIN: dict[str, Any] = {
    "schema": 1,
    "name": "one",
    "summary": "A profile of the tests",
    "base": {"image": "ubuntu:24.04", "distribution": "ubuntu-24.04"},
    "python": {"version": "3.11", "source": "uv", "prefix": "/opt/one"},
}


def laid_over(lower: Any, upper: Any) -> Any:
    """Mappings key by key; everything else is replaced."""
    if isinstance(lower, dict) and isinstance(upper, dict):
        return {
            key: laid_over(lower.get(key), upper.get(key, lower.get(key)))
            for key in (*lower, *(upper.keys() - lower.keys()))
        }
    return copy.deepcopy(upper)


def made(
    *pieces: dict[str, Any],
    name: str = "one",
    variant: str = "linux-amd64-cu128",
    locked: dict[str, str] | None = None,
) -> World:
    """The world of one profile; each key of it has a line of its own."""
    tree: Any = PLAIN
    for piece in pieces:
        tree = laid_over(tree, piece)
    tree = {**tree, "name": name}
    marks: dict[KeyPath, Mark] = {}
    _mark(tree, (), marks)
    environment = msgspec.convert(tree, Environment)
    return world(name, Variant(name=variant, environment=environment, marks=marks), locked=locked)


def _mark(value: Any, path: KeyPath, marks: dict[KeyPath, Mark]) -> None:
    marks[path] = Mark("envs/one.yaml", len(marks) + 1, 1)
    items = value.items() if isinstance(value, dict) else ()
    listed = enumerate(value) if isinstance(value, list) else ()
    for key, inner in (*items, *listed):
        _mark(inner, (*path, key), marks)


def example(told: dict[str, Any], pieces: dict[str, Any]) -> World:
    """The world that an example tells of."""
    told = dict(told)
    variant = told.pop("variant", "linux-amd64-cu128")
    locked, peer = told.pop("locked", None), told.pop("peer", None)
    lower = [pieces[name] for name in told.pop("with", ())]
    worlds = [made(*lower, told, variant=variant, locked=locked)]
    if peer is not None:
        worlds.append(made(peer, name="other"))
    return introduced(worlds)[0]
