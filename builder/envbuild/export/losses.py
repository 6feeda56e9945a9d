"""What each format cannot carry of a variant and its lock, one line each. Pure.

A line is there only for what the variant has. The formats stand in one table at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from envbuild.export import aspects

if TYPE_CHECKING:
    from envbuild.export.model import Subject

Aspect = Callable[["Subject"], "tuple[str, ...]"]

_IMAGE: tuple[Aspect, ...] = (
    aspects.base_image,
    aspects.provided,
    aspects.apt,
    aspects.git,
    aspects.files,
    aspects.licence,
    aspects.user,
    aspects.working_folder,
    aspects.start,
)
"""What only an image has."""

_ABOUT: tuple[Aspect, ...] = (
    aspects.gpus,
    aspects.driver,
    aspects.bundled_sites,
    aspects.smoke,
    aspects.contracts,
    aspects.waivers,
)
"""What is said of the environment, and is not part of it."""

_BUILDS: tuple[Aspect, ...] = (
    aspects.builds,
    aspects.build_constraints,
    aspects.placeholders,
    aspects.vendor_indexes,
)
"""How source distributions become what is installed."""

_LOST: dict[str, tuple[Aspect, ...]] = {
    "requirements": (
        aspects.conda_packages,
        aspects.interpreter,
        aspects.wheels_only,
        *_BUILDS,
        aspects.prefix,
        aspects.variables,
        *_IMAGE,
        *_ABOUT,
    ),
    "pylock": (
        aspects.conda_packages,
        aspects.interpreter,
        *_BUILDS,
        aspects.prefix,
        aspects.variables,
        *_IMAGE,
        *_ABOUT,
    ),
    "explicit": (
        aspects.python_half,
        aspects.other_platforms,
        aspects.machine,
        aspects.prefix,
        aspects.variables,
        *_IMAGE,
        *_ABOUT,
    ),
    "environment": (
        aspects.conda_hashes,
        aspects.other_platforms,
        aspects.machine,
        aspects.no_deps,
        aspects.set_aside,
        aspects.wheels_only,
        *_BUILDS,
        aspects.prefix,
        *_IMAGE,
        *_ABOUT,
    ),
    "pixi": (
        aspects.python_hashes,
        aspects.other_platforms,
        aspects.machine_for_pixi,
        aspects.interpreter_source,
        aspects.no_deps,
        aspects.set_aside,
        aspects.wheels_only,
        *_BUILDS,
        aspects.prefix,
        aspects.dollars,
        *_IMAGE,
        *_ABOUT,
    ),
    "devcontainer": (aspects.hidden_folder, aspects.start, *_ABOUT),
}


def lost(subject: Subject, form: str) -> tuple[str, ...]:
    """What a format does not carry of a variant."""
    return tuple(line for aspect in _LOST[form] for line in aspect(subject))
