"""What an image is made of beside packages of an index: images, and Debian packages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from envbuild.lock.model import LockedPackage, VariantLock
from envbuild.names import canonical_name

if TYPE_CHECKING:
    from envbuild.profile.model import Environment, SourceBuild

MICROMAMBA = "docker.io/mambaorg/micromamba:2.3.2"
"""The image that micromamba is taken from."""

UV = "ghcr.io/astral-sh/uv"
"""The repository of uv's own images; their tags are its versions."""

STAGES = ("base", "sources", "wheels")
"""Stages that install Debian packages; beside them each native library has one of its own name."""

Role = Literal["base", "build", "uv", "micromamba"]
"""What an image is for: see :class:`envbuild.lock.model.ImagePin`."""

ROLES: tuple[Role, ...] = ("base", "build", "uv", "micromamba")


class NeededImage(Struct, frozen=True, kw_only=True):
    """An image of a build; ``digest`` where the profile itself gives one."""

    role: Role
    reference: str
    digest: str = ""


def images(environment: Environment, uv: str) -> tuple[NeededImage, ...]:
    """The images that a variant's build stands on or takes a program from.

    ``uv`` is the version of uv that the lock is made with; empty leaves uv's image out.
    """
    base = environment.base
    found = [NeededImage(role="base", reference=base.image, digest=base.digest or "")]
    if base.build_image:
        found.append(NeededImage(role="build", reference=base.build_image))
    if environment.python.source == "uv" and uv:
        found.append(NeededImage(role="uv", reference=f"{UV}:{uv}"))
    if environment.python.source == "conda":
        found.append(NeededImage(role="micromamba", reference=MICROMAMBA))
    return tuple(found)


def apt_names(
    environment: Environment, locked: VariantLock | Iterable[LockedPackage]
) -> Mapping[str, tuple[str, ...]]:
    """The Debian packages that each stage of a variant's build installs, sorted, by stage.

    ``locked`` is the variant's lock, or its Python packages: which of them are built from source
    decides what the stage ``wheels`` needs. A stage that installs nothing is left out.
    """
    packages = locked.packages if isinstance(locked, VariantLock) else tuple(locked)
    base = _runtime(environment)
    found: dict[str, Iterable[str]] = {"base": base, "sources": _sources(environment)}
    for git in environment.git:
        if git.install == "cmake":
            found[git.name] = {"build-essential", "cmake", *git.apt}
    found["wheels"] = _wheels(environment, packages, base)
    return {stage: tuple(sorted(names)) for stage, names in found.items() if names}


def stage_role(
    environment: Environment, locked: VariantLock | Iterable[LockedPackage], stage: str
) -> Literal["base", "build"]:
    """Whether a stage stands on the base image or on the one that native code is compiled in."""
    if environment.base.build_image is None or stage == "base":
        return "base"
    packages = locked.packages if isinstance(locked, VariantLock) else tuple(locked)
    if stage == "wheels" and not stated_builds(environment, packages):
        return "base"
    return "build"


def stated_builds(
    environment: Environment, packages: Iterable[LockedPackage]
) -> tuple[SourceBuild, ...]:
    """The entries of ``build-from-source`` for packages that are not installed from a wheel."""
    names = {canonical_name(one.name) for one in packages if one.integrity != "wheel"}
    return tuple(
        build
        for build in environment.python.build_from_source
        if canonical_name(build.package) in names
    )


def _runtime(environment: Environment) -> frozenset[str]:
    """The profile's packages, and those of repositories that are used from their checkout.

    micromamba trusts the certificates of the system and refuses to work without any.
    """
    names = {*environment.apt, *(("ca-certificates",) if environment.conda else ())}
    for git in environment.git:
        if git.install != "cmake":
            names.update(git.apt)
    return frozenset(names)


def _sources(environment: Environment) -> frozenset[str]:
    """What fetches the repositories: all of them are fetched in one stage."""
    if not environment.git:
        return frozenset()
    ssh = any(git.url.startswith("ssh://") for git in environment.git)
    return frozenset({"ca-certificates", "git", *(("openssh-client",) if ssh else ())})


def _wheels(
    environment: Environment, packages: tuple[LockedPackage, ...], base: frozenset[str]
) -> frozenset[str]:
    """What compiles; on an image of its own also what the base has."""
    if all(one.integrity == "wheel" for one in packages):
        return frozenset()
    stated = stated_builds(environment, packages)
    system = {name for build in stated for name in build.apt}
    for one in packages:
        if one.integrity != "wheel":
            system.update(one.system)
    elsewhere = environment.base.build_image if stated else None
    return frozenset(system | base if elsewhere else system - base)
