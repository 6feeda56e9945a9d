"""A profile with everything applied: a variant for each platform and accelerator."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from envbuild.errors import Mark
from envbuild.profile.model import Environment

KeyPath = tuple[str | int, ...]
"""Where a value stands in a profile: ``("python", "requirements", 3)``."""


class Variant(Struct, frozen=True, kw_only=True):
    """One environment of a profile: a platform with an accelerator.

    ``name`` is ``linux-amd64-cu128``; ``accelerator`` is ``cu128`` or ``cpu``. ``marks`` has the
    place of every key and list item, whichever file of the ``extends`` chain it came from.
    """

    name: str
    environment: Environment
    marks: Mapping[KeyPath, Mark]

    @property
    def architecture(self) -> str:
        """``amd64`` or ``arm64``, as Docker names it."""
        return self.name.split("-")[1]

    @property
    def platform(self) -> str:
        """``linux/amd64`` or ``linux/arm64``, as Docker names it."""
        return f"linux/{self.architecture}"

    @property
    def accelerator(self) -> str:
        """``cpu``, or ``cu`` with the CUDA version without its dot: ``cu128``."""
        return self.name.split("-")[2]

    @property
    def cuda(self) -> tuple[int, int] | None:
        """The CUDA version as ``(12, 8)``; None for ``cpu``."""
        digits = self.accelerator.removeprefix("cu")
        return None if digits == "cpu" else (int(digits[:2]), int(digits[2:]))


class ResolvedProfile(Struct, frozen=True, kw_only=True):
    """A profile with ``extends`` applied and defaults filled.

    ``files`` are all YAML files that were read for it, the profile's own file first, as paths
    relative to the workspace (or absolute where they stand outside it). The first variant is the
    profile's default.
    """

    name: str
    summary: str
    files: tuple[str, ...]
    variants: tuple[Variant, ...]
