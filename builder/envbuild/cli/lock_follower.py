"""Who is told how locking goes, and asked whether a lock may be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from envbuild.cli.locking import Target
    from envbuild.lock.working import Done


class Follower(Protocol):
    """Who is told how locking goes."""

    def refuses(self, profile: str) -> bool:
        """Whether a profile is not to be locked after all; asked when all targets are taken."""

    def done(self, one: Done, left: int) -> None:
        """A job is finished, and so many are left."""

    def accepts(self, target: Target, files: Mapping[str, bytes]) -> bool:
        """Whether a lock may be written that consists of these files, by name."""

    def written(self, target: Target, held: frozenset[str]) -> None:
        """The lock of a target stands, changed or not; beside the header its folder holds these."""
