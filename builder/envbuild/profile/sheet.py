"""One profile file taken apart: what all its variants share, and a layer for each of them.

What a merged profile cannot show any more is checked here: the file's own name, which format it
was written for, keys that are unknown at the top, and what a variant may hold.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import get_args

from msgspec import Struct
from msgspec.structs import fields

from envbuild.errors import Mark, Problem
from envbuild.profile import explain
from envbuild.profile.model import SCHEMA_VERSION, Environment
from envbuild.profile.reader import Plain, Tree, scan
from envbuild.profile.words import VariantName

OWN = ("schema", "name", "extends", "variants")
"""Keys that a variant cannot have: they say what the file is."""

_VARIANT = re.compile(get_args(VariantName)[1].pattern)
_ENVIRONMENT = frozenset(field.encode_name for field in fields(Environment))
_TOP = _ENVIRONMENT | {"extends", "variants"}
_LAYER = _ENVIRONMENT - frozenset(OWN)


class Source(Struct, frozen=True, kw_only=True):
    """The text of a profile; ``file`` is how the user would name it, ``name`` its stem."""

    name: str
    file: str
    text: str


class Sheet(Struct, frozen=True, kw_only=True):
    """A file taken apart, and what is wrong with it.

    ``common`` is None where nothing of the file can be used. ``dropped`` are the variants that a
    null takes away, with their places. ``orphan`` is True when the file extends something that is
    no name, ``doubtful`` when something under ``variants`` is no layer. ``parent_mark`` and
    ``variants_mark`` are the places of ``extends`` and ``variants``, or of the document;
    ``places`` has that of each variant's name.
    """

    source: Source
    common: Tree | None
    problems: tuple[Problem, ...]
    parent_mark: Mark
    variants_mark: Mark
    parent: str | None = None
    orphan: bool = False
    variants: dict[str, Tree] = {}
    dropped: dict[str, Mark] = {}
    doubtful: bool = False
    places: dict[str, Mark] = {}


def take_apart(source: Source) -> Sheet:
    """Read a file and divide it; every problem that it shows by itself."""
    found = scan(source.text, source.file)
    problems = list(found.problems)
    top = Mark(source.file, 1, 1)
    tree = found.tree
    newer = _newer(tree) if tree else ()
    if tree is None or newer:
        wrong = (*problems, *newer)
        return Sheet(source=source, common=None, problems=wrong, parent_mark=top, variants_mark=top)
    problems += _name(tree, source)
    parent = _parent(tree, problems)
    before = len(problems)
    layers = _layers(tree, problems)
    doubtful = len(problems) > before
    variants = {
        name: _variant(name, layer, tree=tree, problems=problems)
        for name, layer in layers.items()
        if layer is not None
    }
    places = {name: tree.marks["variants", name] for name in layers}
    unknown = _unknown(tree, _TOP, problems)
    return Sheet(
        source=source,
        common=_without(tree, {*unknown, "extends", "variants"}),
        problems=tuple(problems),
        parent_mark=tree.marks.get(("extends",), top),
        variants_mark=tree.marks.get(("variants",), top),
        parent=parent,
        orphan=parent is None and tree.value.get("extends") is not None,
        variants=variants,
        dropped={name: places[name] for name, layer in layers.items() if layer is None},
        doubtful=doubtful,
        places=places,
    )


def _newer(tree: Tree) -> tuple[Problem, ...]:
    """Nothing else is said of a file in a format that this envbuild does not know."""
    version = tree.value.get("schema")
    if not isinstance(version, int) or version <= SCHEMA_VERSION:
        return ()
    wrong = Problem(
        message=f"schema {version} was made for a newer envbuild; this one reads up to "
        f"{SCHEMA_VERSION}",
        mark=tree.marks[("schema",)],
        hint="upgrade envbuild",
    )
    return (wrong,)


def _name(tree: Tree, source: Source) -> tuple[Problem, ...]:
    name = tree.value.get("name")
    if not isinstance(name, str) or name == source.name:
        return ()
    wrong = Problem(
        message=f"the profile is called {name!r}, its file {source.name!r}",
        mark=tree.marks[("name",)],
        hint=f"name: {source.name}",
    )
    return (wrong,)


def _parent(tree: Tree, problems: list[Problem]) -> str | None:
    parent = tree.value.get("extends")
    if parent is None or isinstance(parent, str):
        return parent
    problems.append(
        Problem(
            message=f"extends: expected the name of one profile; found {explain.shown(parent)}",
            mark=tree.marks[("extends",)],
            hint="extends: NAME",
        )
    )
    return None


def _layers(tree: Tree, problems: list[Problem]) -> dict[str, dict[str, Plain] | None]:
    if "variants" not in tree.value:
        return {}
    variants = tree.value["variants"]
    if not isinstance(variants, dict):
        problems.append(
            Problem(
                message=f"variants: expected keys and values; found {explain.shown(variants)}",
                mark=tree.marks[("variants",)],
                hint="variants: {linux-amd64-cu128: {}}",
            )
        )
        return {}
    found: dict[str, dict[str, Plain] | None] = {}
    for name, layer in variants.items():
        mark = tree.marks["variants", name]
        if not _VARIANT.search(name):
            problems.append(
                Problem(
                    message=f"{name!r} is not a variant",
                    mark=mark,
                    hint="a platform and an accelerator: linux-amd64-cu128, linux-arm64-cpu",
                )
            )
        if layer is None or isinstance(layer, dict):
            found[name] = layer
        else:
            problems.append(not_a_layer(name, layer, mark))
    return found


def not_a_layer(name: str, found: Plain, mark: Mark) -> Problem:
    """A variant that holds no keys and values."""
    return Problem(
        message=f"variants.{name}: expected keys and values; found {explain.shown(found)}",
        mark=mark,
        hint=f"{name}: {{}} changes nothing",
    )


def _variant(name: str, layer: dict[str, Plain], *, tree: Tree, problems: list[Problem]) -> Tree:
    own = {path[2:]: mark for path, mark in tree.marks.items() if path[:2] == ("variants", name)}
    inner = Tree(value=layer, marks={**own, (): tree.marks[()]})
    problems += [
        Problem(
            message=f"{key} cannot differ between variants",
            mark=own[key,],
            hint="move it to the top of the profile",
        )
        for key in OWN
        if key in layer
    ]
    rest = _without(inner, frozenset(OWN))
    return _without(rest, _unknown(rest, _LAYER, problems))


def _unknown(tree: Tree, known: AbstractSet[str], problems: list[Problem]) -> AbstractSet[str]:
    unknown = tree.value.keys() - known
    problems += [
        explain.unknown_key((), key, known=known, mark=tree.marks[key,])
        for key in tree.value
        if key in unknown
    ]
    return unknown


def _without(tree: Tree, keys: AbstractSet[str]) -> Tree:
    if not keys & tree.value.keys():
        return tree
    return Tree(
        value={key: part for key, part in tree.value.items() if key not in keys},
        marks={path: mark for path, mark in tree.marks.items() if not path or path[0] not in keys},
    )
