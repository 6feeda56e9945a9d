"""What several commands share: choosing profiles, and their places in the workspace."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import click

from envbuild.cli import finding
from envbuild.errors import EnvbuildError, InputError
from envbuild.profile.explain import tidy
from envbuild.profile.resolve import as_problems, resolve, resolve_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from click.shell_completion import CompletionItem

    from envbuild.profile.resolved import ResolvedProfile, Variant
    from envbuild.workspace import Profiles, Workspace


def complete_profiles(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 (click calls it with three)
    incomplete: str,
) -> list[CompletionItem]:
    """The profiles whose names begin with what was typed; none where they cannot be listed."""
    from click.shell_completion import CompletionItem

    from envbuild.workspace import Workspace

    named = ctx.find_root().params.get("directory")
    root = named or finding.way_up(os.path.expanduser("~"))
    try:
        names = Workspace(root=root).profiles().sources
    except EnvbuildError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


profiles_argument = click.argument(
    "profiles", nargs=-1, metavar="[PROFILE]...", shell_complete=complete_profiles
)

engine_option = functools.partial(
    click.option,
    "--engine",
    type=click.Choice(["auto", "podman", "buildah", "docker"]),
    default="auto",
    show_default=True,
)
"""The option that says which engine; ``help`` is what for."""


def chosen(found: Profiles, names: Iterable[str]) -> dict[str, ResolvedProfile]:
    """The named profiles, or those that a command without names acts on.

    Raises:
        InputError: with every problem of every chosen profile.
    """
    good: dict[str, ResolvedProfile] = {}
    broken: list[InputError] = []
    for name, one in each(found, names):
        if isinstance(one, InputError):
            broken.append(one)
        else:
            good[name] = one
    if broken:
        told = tidy(problem for error in broken for problem in as_problems(error))
        count = len(good) + len(broken)
        raise InputError(f"{len(broken)} of {count} profiles cannot be used", problems=told)
    return good


def each(
    found: Profiles, names: Iterable[str]
) -> Iterator[tuple[str, ResolvedProfile | InputError]]:
    """As :func:`chosen`, each when it is asked for; or why it cannot be used.

    Raises:
        InputError: there is no profile, or a name is not known.
    """
    wanted = tuple(dict.fromkeys(names)) or found.default
    if not wanted:
        raise InputError("there is no profile here", hint="envbuild init makes one")
    for name in wanted:
        if name not in found.sources:
            resolve(name, found.sources)
    yield from resolve_each(wanted, found.sources)


def variant(profile: ResolvedProfile, name: str | None) -> Variant:
    """A variant by name, the first one without a name.

    Raises:
        InputError: the profile has no such variant.
    """
    if name is None:
        return profile.variants[0]
    variants = {variant.name: variant for variant in profile.variants}
    if name not in variants:
        import difflib

        near = difflib.get_close_matches(name, variants, n=1)
        hint = f"did you mean {near[0]}?" if near else f"variants: {', '.join(variants)}"
        raise InputError(f"{profile.name} has no variant {name!r}", hint=hint)
    return variants[name]


def input_files(workspace: Workspace, found: Profiles, profile: ResolvedProfile) -> list[str]:
    """The files that a profile was read from, for a stamp: relative to the workspace if inside."""
    paths = []
    for label in profile.files:
        path = found.paths[label]
        inside = label == os.path.relpath(path, workspace.root)
        paths.append(label if inside else os.path.abspath(path))
    return paths
