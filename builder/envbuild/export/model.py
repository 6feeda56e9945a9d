"""What is exported, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.lock import requirements

if TYPE_CHECKING:
    from envbuild.lock.folder import LockFolder
    from envbuild.lock.model import VariantLock
    from envbuild.lock.requirements import Pin
    from envbuild.profile.resolved import Variant

FORMATS = ("requirements", "pylock", "explicit", "environment", "pixi", "devcontainer")
"""The formats by name."""

NEED_CONDA = ("explicit", "environment")
"""The formats of conda's own tools: nothing but a conda half can be said in them."""


class Subject(Struct, frozen=True, kw_only=True):
    """One variant of a profile and its lock.

    ``pins`` are its Python packages, wheels and sources together, sorted by name; ``explicit`` is
    the file for ``@EXPLICIT`` installs on the variant's platform (empty without a conda half);
    ``dockerfile`` is the name of what is rendered from it.
    """

    profile: str
    variant: Variant
    locked: VariantLock
    pins: tuple[Pin, ...]
    dockerfile: str
    explicit: str = ""


def subject(variant: Variant, folder: LockFolder, *, dockerfile: str) -> Subject:
    """The variant with what its lock folder holds; the lock is one that is fresh."""
    assert folder.header is not None  # a fresh lock has a header and all files that it names
    locked = folder.header.variants[variant.name]
    texts = [folder.texts[file.path] for file in (locked.wheels, locked.sources) if file]
    pins = [pin for text in texts for pin in requirements.parse(text.decode())]
    return Subject(
        profile=folder.header.profile,
        variant=variant,
        locked=locked,
        pins=tuple(sorted(pins, key=lambda pin: pin.name)),
        dockerfile=dockerfile,
        explicit=folder.texts[locked.conda.explicit[0].path].decode() if locked.conda else "",
    )
