"""Profiles by name: ``extends`` followed, variants laid over, everything decoded or explained."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from envbuild.errors import InputError, Mark, Problem
from envbuild.profile import explain, rules
from envbuild.profile.merge import merge, settle
from envbuild.profile.model import SCHEMA_VERSION, Environment, ResolvedProfile, Variant
from envbuild.profile.reader import Plain, Tree, read

VARIANT = re.compile(r"linux-(amd64|arm64)-(cpu|cu[1-9][0-9]{2})")
_NOT_IN_VARIANTS = ("schema", "name", "extends", "variants")


class Source(Struct, frozen=True, kw_only=True):
    """The text of a profile; ``file`` is how the user would name it, ``name`` its stem."""

    name: str
    file: str
    text: str


def resolve(name: str, sources: Mapping[str, Source]) -> ResolvedProfile:
    """The profile ``name`` with everything applied.

    Raises:
        InputError: it is not known, or with every problem of its files, sorted by place.
    """
    if name not in sources:
        near = difflib.get_close_matches(name, sources, n=2, cutoff=0.5)
        known = ", ".join(sorted(sources)) or "none"
        hint = f"did you mean {' or '.join(near)}?" if near else f"known profiles: {known}"
        raise InputError(f"no profile is called {name!r}", hint=hint)
    chain, tree = _chain(name, sources)
    return _decoded(sources[name], chain, tree)


def resolve_all(
    names: Iterable[str], sources: Mapping[str, Source]
) -> tuple[dict[str, ResolvedProfile], tuple[Problem, ...]]:
    """Every profile that can be resolved, and the problems of all the others."""
    resolved: dict[str, ResolvedProfile] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            resolved[name] = resolve(name, sources)
        except InputError as error:
            problems += error.problems or (Problem(message=error.message, hint=error.hint),)
    return resolved, explain.tidy(problems)


def _chain(name: str, sources: Mapping[str, Source]) -> tuple[tuple[str, ...], Tree]:
    """The files of a profile, its own first, and its tree with all parents under it."""
    trees: list[Tree] = []
    files: list[str] = []
    seen: list[str] = []
    current: str | None = name
    while current is not None:
        source = sources[current]
        tree = read(source.text, source.file)
        trees.append(tree)
        files.append(source.file)
        seen.append(current)
        current = _parent(tree, seen, sources)
    tree = settle(trees.pop())
    while trees:
        tree = merge(tree, trees.pop())
    return tuple(files), tree


def _parent(tree: Tree, seen: list[str], sources: Mapping[str, Source]) -> str | None:
    parent = tree.value.get("extends")
    if parent is None:
        return None
    mark = tree.marks[("extends",)]
    if not isinstance(parent, str):
        _refuse("extends names one profile", mark, "a single name, not a list")
    elif parent in seen:
        _refuse(f"extends goes in a circle: {' -> '.join([*seen, parent])}", mark)
    elif parent not in sources:
        near = difflib.get_close_matches(parent, sources, n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else None
        _refuse(f"extends {parent!r}, which is no profile", mark, hint)
    return str(parent)


def _refuse(message: str, mark: Mark, hint: str | None = None) -> None:
    problem = Problem(message=message, mark=mark, hint=hint)
    raise InputError("the profile cannot be resolved", problems=(problem,))


def _decoded(source: Source, files: tuple[str, ...], tree: Tree) -> ResolvedProfile:
    problems = list(_header_problems(source, tree))
    variants: list[Variant] = []
    if not problems:
        for name, layered in _layers(tree, problems):
            variant = _variant(name, layered, problems)
            if variant:
                variants.append(variant)
    if problems:
        found = explain.tidy(problems)
        raise InputError(f"{source.file} is not a valid profile", problems=found)
    return ResolvedProfile(
        name=source.name,
        summary=variants[0].environment.summary,
        files=files,
        variants=tuple(variants),
    )


def _header_problems(source: Source, tree: Tree) -> Iterable[Problem]:
    top = tree.marks[()]
    version = tree.value.get("schema")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        yield Problem(
            message=f"schema {version} was made for a newer envbuild; this one reads up to "
            f"{SCHEMA_VERSION}",
            mark=tree.marks[("schema",)],
            hint="upgrade envbuild",
        )
        return
    name = tree.value.get("name")
    if isinstance(name, str) and name != source.name:
        yield Problem(
            message=f"the profile is called {name!r}, its file {source.name!r}",
            mark=tree.marks[("name",)],
            hint=f"name: {source.name}",
        )
    variants = tree.value.get("variants")
    if not isinstance(variants, dict) or not variants:
        yield Problem(
            message="a profile has at least one variant",
            mark=tree.marks.get(("variants",), top),
            hint="variants: {linux-amd64-cu128: {}}",
        )


def _layers(tree: Tree, problems: list[Problem]) -> Iterable[tuple[str, Tree]]:
    variants = tree.value["variants"]
    assert isinstance(variants, dict)
    common = _without(tree, ("variants", "extends"))
    for name, layer in variants.items():
        mark = tree.marks[("variants", name)]
        if not VARIANT.fullmatch(name):
            problems.append(
                Problem(
                    message=f"{name!r} is not a variant",
                    mark=mark,
                    hint="platform and accelerator: linux-amd64-cu128, linux-arm64-cpu",
                )
            )
        elif not isinstance(layer, dict):
            problems.append(
                Problem(message=f"{name} holds keys and values", mark=mark, hint=f"{name}: {{}}")
            )
        else:
            upper = _subtree(tree, ("variants", name), layer)
            problems += [
                Problem(
                    message=f"{key} cannot differ between variants",
                    mark=upper.marks[(key,)],
                    hint="move it to the top of the profile",
                )
                for key in _NOT_IN_VARIANTS
                if key in layer
            ]
            yield name, merge(common, upper)


def _without(tree: Tree, keys: tuple[str, ...]) -> Tree:
    value = {key: part for key, part in tree.value.items() if key not in keys}
    marks = {path: mark for path, mark in tree.marks.items() if not path or path[0] not in keys}
    return Tree(value=value, marks=marks)


def _subtree(tree: Tree, path: tuple[str | int, ...], value: dict[str, Plain]) -> Tree:
    length = len(path)
    marks = {at[length:]: mark for at, mark in tree.marks.items() if at[:length] == path}
    return Tree(value=value, marks=marks)


def _variant(name: str, tree: Tree, problems: list[Problem]) -> Variant | None:
    try:
        environment = msgspec.convert(tree.value, Environment, strict=True)
    except msgspec.ValidationError as error:
        problems += explain.problems(tree, error)
        return None
    variant = Variant(name=name, environment=environment, marks=tree.marks)
    problems += rules.problems(variant)
    return variant
