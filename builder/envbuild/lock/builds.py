"""In which order packages are built from source, in an image and in an environment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.names import canonical_name

if TYPE_CHECKING:
    from envbuild.profile.model import SourceBuild


class BuildStep(Struct, frozen=True, kw_only=True):
    """Packages that are built together, whether in an environment of their own, and the variables
    of the build."""

    packages: tuple[str, ...]
    isolation: bool = True
    environment: Mapping[str, str] = {}


def build_steps(names: AbstractSet[str], stated: Iterable[SourceBuild]) -> tuple[BuildStep, ...]:
    """The steps for these packages: all that need nothing special, then one by one as the profile
    has them.

    What builds against the environment comes last, when everything else stands in it.
    """
    special = {
        name: build
        for build in stated
        if (name := canonical_name(build.package)) in names
        and (build.environment or not build.isolation)
    }
    plain = tuple(sorted(names - special.keys()))
    steps = [BuildStep(packages=plain)] if plain else []
    for isolation in (True, False):
        steps += [
            BuildStep(packages=(name,), isolation=isolation, environment=build.environment)
            for name, build in special.items()
            if build.isolation is isolation
        ]
    return tuple(steps)
