"""What the parts of a lock ask of each other, as its own records say it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.lock.bounds import specifiers
from envbuild.lock.conda import specs
from envbuild.lock.model import SolverInput, VariantLock
from envbuild.names import canonical_name, requirement_name

PROFILE = "the profile"
"""The id of what the profile itself says."""

Fits = Callable[[str, str, str], bool]
"""Whether a version is within bounds: ``python`` or ``conda``, the bounds, the version."""

Needs = Callable[[str, str], Mapping[str, str]]
"""What a Python package (name, version) asks for, by name with bounds, as far as it is known beside
the lock; nothing where it is not."""

_BY = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?: \S+)?(?: \(.*\))?")


class Statement(Struct, frozen=True, kw_only=True):
    """``asker`` asks for ``asked`` (ids of nodes) within ``bounds`` of an ecosystem; empty bounds
    take any version."""

    asker: str
    asked: str
    bounds: str
    ecosystem: str


def conda_id(name: str) -> str:
    """The id of a conda package."""
    return f"conda {name}"


def statements(
    locked: VariantLock, depends: Mapping[str, Mapping[str, str]], needs: Needs
) -> tuple[Statement, ...]:
    """Everything that a variant's lock says of who asks for what.

    ``depends`` is what each conda package depends on, by name with bounds.
    """
    conda = {one.python: one.name for one in locked.conda_packages if one.python}
    found = [
        *_of_profile(locked.input, conda),
        *_of_packages(locked, needs, conda),
        *_of_demands(locked),
        *_of_conda(locked, depends),
    ]
    return tuple(dict.fromkeys(found))


def _of_profile(asked: SolverInput, conda: Mapping[str, str]) -> Iterator[Statement]:
    lists = (asked.requirements, asked.constraints, asked.bundle, asked.companions)
    overridden = {requirement_name(line) for line in asked.overrides}
    for line in (*(line for lines in lists for line in lines), *asked.overrides):
        name = requirement_name(line)
        stated = line in asked.overrides or name not in overridden
        bounds = specifiers(line) if stated and ";" not in line else ""
        yield Statement(asker=PROFILE, asked=name, bounds=bounds, ecosystem="python")
        if name in conda:
            asked_of = conda_id(conda[name])
            yield Statement(asker=PROFILE, asked=asked_of, bounds=bounds, ecosystem="python")
    for spec in asked.conda.packages if asked.conda else ():
        parsed = specs.requested(spec)
        named = conda_id(str(parsed["name"]))
        bounds = parsed["version"] or ""
        yield Statement(asker=PROFILE, asked=named, bounds=bounds, ecosystem="conda")


def _of_packages(
    locked: VariantLock, needs: Needs, conda: Mapping[str, str]
) -> Iterator[Statement]:
    """What packages of the index ask for: bounds that an override sets aside are none."""
    free = {requirement_name(line) for line in locked.input.overrides}
    for package in locked.packages:
        for request in package.requested:
            bounds = "" if package.name in free else request.bounds
            yield Statement(asker=request.by, asked=package.name, bounds=bounds, ecosystem="python")
        for name, bounds in needs(package.name, package.version).items():
            if name in conda and name not in free:
                yield Statement(
                    asker=package.name,
                    asked=conda_id(conda[name]),
                    bounds=bounds,
                    ecosystem="python",
                )


def _of_demands(locked: VariantLock) -> Iterator[Statement]:
    """What packages of the index were found to demand of conda's."""
    known = {package.name for package in locked.packages}
    for demand in locked.conda.demands if locked.conda else ():
        for text in demand.by:
            found = _BY.fullmatch(text)
            if found and canonical_name(found["name"]) in known:
                yield Statement(
                    asker=canonical_name(found["name"]),
                    asked=conda_id(demand.package),
                    bounds=demand.bounds,
                    ecosystem="conda",
                )


def _of_conda(locked: VariantLock, depends: Mapping[str, Mapping[str, str]]) -> Iterator[Statement]:
    for one in locked.conda_packages:
        for name, bounds in depends.get(one.name, {}).items():
            yield Statement(
                asker=conda_id(one.name), asked=conda_id(name), bounds=bounds, ecosystem="conda"
            )


def by_pair(every: Iterable[Statement]) -> dict[tuple[str, str], Statement]:
    """The statements by who asks for what; of two about the same the bounds of both hold."""
    found: dict[tuple[str, str], Statement] = {}
    for one in every:
        key = (one.asker, one.asked)
        before = found.get(key)
        bounds = one.bounds
        if before is not None and before.ecosystem == one.ecosystem:
            bounds = ",".join(dict.fromkeys(filter(None, (before.bounds, one.bounds))))
        found[key] = msgspec.structs.replace(one, bounds=bounds)
    return found
