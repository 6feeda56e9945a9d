"""What a forge is told: its machines, what it builds on them, and the files that say so."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Architecture = Literal["amd64", "arm64"]
ARCHITECTURES: tuple[Architecture, ...] = ("amd64", "arm64")


class Machine(Struct, frozen=True, kw_only=True):
    """One kind of machine: GitHub's runner with these ``labels``, GitLab's with these tags."""

    architecture: Architecture
    gpu: bool
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """``amd64`` or ``amd64-gpu``."""
        return f"{self.architecture}-gpu" if self.gpu else self.architecture


class Machines(Struct, frozen=True, kw_only=True):
    """The machines of a forge: ``plain`` ones, and those with a ``gpu``; at most one of a name."""

    plain: tuple[Machine, ...] = ()
    gpu: tuple[Machine, ...] = ()

    @property
    def all(self) -> tuple[Machine, ...]:
        """Every machine."""
        return (*self.plain, *self.gpu)

    def of(self, architecture: Architecture, *, gpu: bool) -> Machine | None:
        """The machine of an architecture: with a GPU where that is asked for, without one else;
        the other kind where there is none."""
        wanted = (*self.gpu, *self.plain) if gpu else (*self.plain, *self.gpu)
        return next((one for one in wanted if one.architecture == architecture), None)


class Target(Struct, frozen=True, kw_only=True):
    """A variant that is to be built. ``why`` is what has changed, where that was asked."""

    profile: str
    variant: str
    architecture: Architecture
    gpu: bool
    why: str = ""

    @property
    def name(self) -> str:
        """As people call it: ``isaac-g1/linux-amd64-cu128``."""
        return f"{self.profile}/{self.variant}"


class Written(Struct, frozen=True, kw_only=True):
    """A file: its path relative to the workspace, and its text. ``program``: it is executable."""

    path: str
    text: str
    program: bool = False
