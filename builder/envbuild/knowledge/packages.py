"""The questions of a condition that are about packages. Pure.

Each gives every way in which the answer is yes. A wish is a package with versions; ``numpy`` alone
is any of its versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envbuild.knowledge import facts, terms
from envbuild.knowledge.finding import Found, yes
from envbuild.knowledge.ranges import ANY, Range, wanted
from envbuild.knowledge.torch import indexed
from envbuild.names import canonical_name

if TYPE_CHECKING:
    from envbuild.knowledge.conditions import Barred
    from envbuild.knowledge.world import Bound, World
    from envbuild.profile.resolved import KeyPath

_PACKAGES: KeyPath = ("python", "requirements")


def requires(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """The profile, or the lock, wants a package, and only such versions of it."""
    for wish in wishes:
        name, versions = _read(wish)
        bounds = world.asked(name)
        if bounds and world.admitted(name).within(versions):
            yield _said(world, name, versions)
        elif _locked(world, name, versions):
            yield _of_lock(world, name)


def pulls(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """As ``requires``, and the profile does not cut off what the package asks for."""
    python = world.environment.python
    cut = {row.package for row in python.no_deps} | {row.name for row in python.metadata}
    alone = {canonical_name(name) for name in cut}
    yield from requires(world, tuple(wish for wish in wishes if _read(wish)[0] not in alone))


def bounded(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """The profile leaves a package only such versions, whoever asks for it."""
    for wish in wishes:
        name, versions = _read(wish)
        if world.bounds.get(name) and world.admitted(name).within(versions):
            yield _said(world, name, versions)


def locked(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """The lock installs a package in such a version."""
    for wish in wishes:
        name, versions = _read(wish)
        if _locked(world, name, versions):
            yield _of_lock(world, name)


def brought(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """The image brings a package in such a version."""
    for wish in wishes:
        name, versions = _read(wish)
        version = world.brought.get(name)
        if version is not None and (versions == ANY or (version and versions.holds(version))):
            text = f"{name}=={version}" if version else name
            yield Found(values={"package": name, "requirement": text}, at=("base", "image"))


def overridden(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """The profile overrides a package with such versions."""
    for wish in wishes:
        name, versions = _read(wish)
        bounds = world.bounds.get(name, ())
        set_aside = bool(bounds) and bounds[0].kind == "override"
        if set_aside and world.admitted(name).within(versions):
            yield _found(bounds[0], name)


def without_extra(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """The profile wants a package without one of these extras of it."""
    for wish in wishes:
        extras = wanted(wish).extras
        name, _ = _read(wish)
        bounds = world.asked(name)
        having = {extra for bound in bounds for extra in bound.wanted.extras}
        if bounds and not having.issuperset(extras):
            yield _found(bounds[0], name)


def placeholder(world: World, _asked: str) -> Iterator[Found]:
    """A package of which the public index has but a placeholder, and no index is named for it."""
    for name in facts.placeholder_names():
        bounds = world.asked(name)
        version = (world.locked or {}).get(name) or _first(world.admitted(name))
        if not bounds or not version or indexed(name, world):
            continue
        row = facts.is_placeholder(name, version)
        if row:
            found = _found(bounds[0], name)
            yield found.joined(Found(values={"index": row.index}))


def _first(versions: Range) -> str | None:
    """The lowest version, of a range that has an upper end too: it is all one release."""
    return str(versions.low) if versions.low is not None and versions.high is not None else None


def bundled(world: World, asked: str) -> Iterator[Found]:
    """A package that the image brings is installed again, or asked for in another version."""
    for name, version in world.brought.items():
        values = {"package": name, "requirement": name, "bundled-version": version or "unknown"}
        if asked == "locked-again":
            again = (world.locked or {}).get(name)
            if again is not None:
                yield Found(values={**values, "requirement": f"{name}=={again}"}, at=_PACKAGES)
        elif version and world.bounds.get(name) and not world.admitted(name).holds(version):
            yield _said(world, name, None, version).joined(Found(values=values))


def bundle(world: World, _asked: str) -> Iterator[Found]:
    """The profile does not say what its image brings."""
    yield from yes(not world.environment.base.provides)


def barred(world: World, asked: Barred) -> Iterator[Found]:
    """What the profile leaves to a package does not hold a version, or holds more than it."""
    name = canonical_name(asked.package)
    version = asked.version if asked.version[0].isdigit() else terms.value(asked.version, world)
    if not isinstance(version, str) or not version[0].isdigit() or not world.bounds.get(name):
        return
    versions = world.admitted(name)
    right = (
        versions.holds(version) and versions.exact is None
        if asked.more
        else not versions.holds(version)
    )
    if right:
        found = _said(world, name, None, None if asked.more else version)
        yield found.joined(Found(values={"version": version}))


def companion(world: World, _asked: str) -> Iterator[Found]:
    """A package that is compiled against torch, in a version that this torch does not go with."""
    torch = world.version("torch")
    for row in facts.companions(torch.partition("+")[0]) if torch else ():
        name, versions = _read(row.requirement)
        version = (world.locked or {}).get(name)
        if version is not None:
            if not versions.holds(version):
                yield _of_lock(world, name).joined(Found(values={"companion": row.requirement}))
        elif world.bounds.get(name) and world.admitted(name).both(versions).empty:
            found = _said(world, name, None)
            yield found.joined(Found(values={"companion": row.requirement}))


def excluded(world: World, names: tuple[str, ...]) -> Iterator[Found]:
    """The profile leaves a package out, or says itself what it asks for."""
    out = {canonical_name(row.package) for row in world.environment.python.exclude}
    for name in map(canonical_name, names):
        if name in out:
            yield Found(values={"package": name})


def built_from_source(world: World, names: tuple[str, ...]) -> Iterator[Found]:
    """The profile builds a package from its source distribution."""
    for index, row in enumerate(world.environment.python.build_from_source):
        name = canonical_name(row.package)
        if name in map(canonical_name, names):
            at = ("python", "build-from-source", index, "package")
            yield Found(values={"package": name}, at=at)


def built_with(world: World, names: tuple[str, ...]) -> Iterator[Found]:
    """Some build from source has such a variable."""
    for row in world.environment.python.build_from_source:
        for name in names:
            if row.environment.get(name):
                yield Found(values={"variable": name})


def build_constraint(world: World, wishes: tuple[str, ...]) -> Iterator[Found]:
    """Builds are kept to such versions of a package."""
    for wish in wishes:
        name, versions = _read(wish)
        found = ANY
        for text in world.environment.python.build_constraints:
            one = wanted(text)
            found = found.both(one.versions) if one.name == name else found
        if found != ANY and found.within(versions):
            yield Found(values={"package": name, "requirement": wish})


# --- What the answers have in common -------------------------------------------------------------


def _read(wish: str) -> tuple[str, Range]:
    one = wanted(wish)
    return one.name, one.versions


def _locked(world: World, name: str, versions: Range) -> bool:
    version = (world.locked or {}).get(name)
    return version is not None and versions.holds(version)


def _of_lock(world: World, name: str) -> Found:
    text = f"{name}=={(world.locked or {})[name]}"
    bounds = world.asked(name)
    at = bounds[0].path if bounds else _PACKAGES
    return Found(values={"package": name, "requirement": text}, at=at)


def _said(world: World, name: str, versions: Range | None, without: str | None = None) -> Found:
    """The line that alone says it: that lies within ``versions``, or does not hold ``without``;
    else the first line that says anything."""
    bounds = world.bounds[name]
    for bound in bounds:
        own = bound.wanted.versions
        if versions is not None and own.within(versions):
            return _found(bound, name)
        if without is not None and not own.holds(without):
            return _found(bound, name)
    speaking = (bound for bound in bounds if bound.wanted.versions != ANY)
    return _found(next(speaking, bounds[0]), name)


def _found(bound: Bound, name: str) -> Found:
    return Found(values={"package": name, "requirement": bound.text}, at=bound.path)
