"""The variants of a workspace as targets, and as the rows of a forge's matrix. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from envbuild.forge.changes import Sources
from envbuild.forge.model import Architecture, Machine, Machines, Target
from envbuild.plan import Shard
from envbuild.profile.resolved import ResolvedProfile

MOST_ROWS = 256
"""GitHub refuses a matrix of more jobs (docs.github.com, workflow syntax, jobs.<id>.strategy)."""


def targets(
    profiles: Iterable[ResolvedProfile], changed: Mapping[str, str] | None = None
) -> tuple[Target, ...]:
    """Every variant, or those of the ``changed`` profiles with the reason."""
    return tuple(
        Target(
            profile=profile.name,
            variant=variant.name,
            architecture=cast("Architecture", variant.architecture),
            gpu=variant.cuda is not None,
            why="" if changed is None else changed[profile.name],
        )
        for profile in sorted(profiles, key=lambda one: one.name)
        if changed is None or profile.name in changed
        for variant in profile.variants
    )


def sources(profile: ResolvedProfile) -> Sources:
    """The files of the workspace that a profile is made of."""
    # A file stands beside the profile that names it, which may be one that this one extends.
    copied = {
        posixpath.normpath(posixpath.join(posixpath.dirname(mark.file), file.source))
        for variant in profile.variants
        for index, file in enumerate(variant.environment.files)
        for mark in (variant.marks[("files", index, "source")],)
    }
    return Sources(profile=profile.name, files=(*profile.files, *sorted(copied)))


def on(found: Iterable[Target], machines: Machines, name: str) -> tuple[Target, ...]:
    """The targets that a machine of a name gets."""
    return tuple(
        one for one in found if (machine := _machine(one, machines)) and machine.name == name
    )


def part(found: Iterable[Target], shard: Shard | None) -> tuple[Target, ...]:
    """The targets of one part of several."""
    every = tuple(found)
    if shard is None:
        return every
    mine = set(shard.of(one.name for one in every))
    return tuple(one for one in every if one.name in mine)


def rows(found: Iterable[Target], machines: Machines) -> list[dict[str, object]]:
    """A row of GitHub's matrix for each target that there is a machine for."""
    return [
        {
            "name": one.name,
            "profile": one.profile,
            "variant": one.variant,
            "gpu": machine.gpu,
            "runner": list(machine.labels),
        }
        for one in found
        if (machine := _machine(one, machines))
    ]


def shard_rows(found: Sequence[Target], machines: Machines, shards: int) -> list[dict[str, object]]:
    """Rows of GitHub's matrix: the profiles of each machine, in at most so many parts.

    A profile goes to one machine of an architecture with all its variants for it: to one with a
    GPU, when any of them is for one.
    """
    accelerated = {(one.profile, one.architecture) for one in found if one.gpu}
    by_machine: dict[str, tuple[Machine, dict[str, None]]] = {}
    for one in found:
        gpu = (one.profile, one.architecture) in accelerated
        machine = machines.of(one.architecture, gpu=gpu)
        if machine is not None:
            by_machine.setdefault(machine.name, (machine, {}))[1][one.profile] = None
    return [
        {
            "name": f"{name} {index}/{count}",
            "profiles": list(profiles),
            "shard": f"{index}/{count}",
            "runner": list(machine.labels),
        }
        for name, (machine, profiles) in sorted(by_machine.items())
        for count in (min(shards, len(profiles)),)
        for index in range(1, count + 1)
    ]


def left_out(found: Iterable[Target], machines: Machines) -> tuple[Target, ...]:
    """The targets that no machine is there for."""
    return tuple(one for one in found if _machine(one, machines) is None)


def _machine(one: Target, machines: Machines) -> Machine | None:
    return machines.of(one.architecture, gpu=one.gpu)
