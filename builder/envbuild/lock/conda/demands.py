"""What packages of the index demand of packages that conda brings. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping

from envbuild.lock.bounds import Find, Target, requires, specifiers
from envbuild.lock.conda import specs
from envbuild.lock.model import CondaPackage, Demand, SolverInput
from envbuild.lock.requirements import Pin
from envbuild.names import requirement_name


def named(text: str, brought: Iterable[str]) -> frozenset[str]:
    """The packages that a failure of uv speaks of."""
    words = set(re.findall(r"[a-z0-9][a-z0-9.-]*[a-z0-9]|[a-z0-9]", text.lower()))
    return frozenset(name for name in brought if name in words)


def of(
    freed: tuple[Pin, ...],
    brought: Mapping[str, CondaPackage],
    asked: SolverInput,
    find: Find,
    *,
    strict: Container[str],
) -> tuple[Demand, ...]:
    """The demands of a solution that was found without conda's packages.

    Each has the bounds of all who ask, as their metadata says them; where those are not known, or
    did not help before (``strict``), the version that uv chose.
    """
    versions = {pin.name: pin.version for pin in freed}
    target = Target(python=asked.python, machine=asked.platform.partition("-")[0])
    found = []
    for pin in freed:
        conda = brought.get(pin.name)
        if conda is None or conda.version == pin.version:
            continue
        said = _said(pin, versions, asked, find, target=target)
        bounds = specs.from_python(",".join(filter(None, said.values())))
        if conda.name in strict or not bounds or None in said.values():
            bounds = f"=={pin.version.partition('+')[0]}"
        found.append(Demand(package=conda.name, bounds=bounds, by=_against(conda.version, said)))
    return tuple(found)


def _against(version: str, said: Mapping[str, str | None]) -> tuple[str, ...]:
    """Those whose bounds do not hold for what conda brings; all where that is not known."""
    from packaging.specifiers import SpecifierSet

    refusing = [
        f"{who} ({bounds})"
        for who, bounds in sorted(said.items())
        if bounds and not SpecifierSet(bounds).contains(version, prereleases=True)
    ]
    known = [f"{who} ({bounds})" if bounds else who for who, bounds in sorted(said.items())]
    return tuple(refusing or known) or ("uv, to satisfy others",)


def _said(
    pin: Pin, versions: Mapping[str, str], asked: SolverInput, find: Find, *, target: Target
) -> dict[str, str | None]:
    """Who asks for a package, and with which bounds; None: they are not known."""
    said: dict[str, str | None] = {}
    for text in asked.overrides:
        if requirement_name(text) == pin.name:
            return {f"override {text}": specifiers(text)}
    for text in (*asked.requirements, *asked.constraints):
        if requirement_name(text) == pin.name and specifiers(text):
            said[f"the profile's {text}"] = specifiers(text)
    for asker in pin.via:
        if asker in versions:
            known = requires(asker, versions[asker], find)
            stated = known.bounds(pin.name, target) if known else None
            if stated != "":
                said[f"{asker} {versions[asker]}"] = stated
    return said
