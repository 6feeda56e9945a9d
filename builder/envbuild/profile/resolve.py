"""Profiles by name: ``extends`` followed, variants laid over, everything decoded or explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from envbuild.errors import InputError, Problem
from envbuild.profile import explain, rules
from envbuild.profile.layers import Layers, Library
from envbuild.profile.merge import merge
from envbuild.profile.model import Environment
from envbuild.profile.reader import Tree
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.profile.sheet import Source

__all__ = ["Source", "resolve", "resolve_all"]


def resolve(name: str, sources: Mapping[str, Source]) -> ResolvedProfile:
    """The profile ``name`` with everything applied.

    Raises:
        InputError: it is not known, or with every problem of its files, sorted by place.
    """
    return _resolved(name, sources, Library(sources))


def resolve_all(
    names: Iterable[str], sources: Mapping[str, Source]
) -> tuple[dict[str, ResolvedProfile], tuple[Problem, ...]]:
    """Every profile that can be resolved, and the problems of all the others, each once."""
    library = Library(sources)
    resolved: dict[str, ResolvedProfile] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            resolved[name] = _resolved(name, sources, library)
        except InputError as error:
            problems += error.problems or (Problem(message=error.message, hint=error.hint),)
    return resolved, explain.tidy(problems)


def _resolved(name: str, sources: Mapping[str, Source], library: Library) -> ResolvedProfile:
    if name not in sources:
        hint = explain.known_names(name, sources)
        raise InputError(f"no profile is called {name!r}", hint=hint)
    layers = library.layers(name)
    variants, wrong = _decoded(layers)
    problems = explain.tidy((*layers.problems, *wrong))
    if problems:
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InputError(f"the profile {name!r} has {count}", problems=problems)
    return ResolvedProfile(
        name=name,
        summary=variants[0].environment.summary,
        files=layers.files,
        variants=variants,
    )


def _decoded(layers: Layers) -> tuple[tuple[Variant, ...], list[Problem]]:
    problems: list[Problem] = []
    if layers.common is None:
        return (), problems
    if not layers.variants:
        if not layers.doubtful:
            problems.append(
                Problem(
                    message="a profile has at least one variant",
                    mark=layers.anchor,
                    hint="variants: {linux-amd64-cu128: {}}",
                )
            )
        _environment(layers.common, problems, complete=False)
    variants: list[Variant] = []
    for name, upper in layers.variants.items():
        tree = layers.common
        for layer in upper:
            tree = merge(tree, layer)
        environment = _environment(tree, problems, complete=layers.complete)
        if environment is not None:
            variant = Variant(name=name, environment=environment, marks=tree.marks)
            problems += rules.problems(variant)
            variants.append(variant)
    return tuple(variants), problems


def _environment(tree: Tree, problems: list[Problem], *, complete: bool) -> Environment | None:
    try:
        return msgspec.convert(tree.value, Environment, strict=True)
    except msgspec.ValidationError as error:
        problems += explain.problems(tree, error, kind=Environment, complete=complete)
        return None
