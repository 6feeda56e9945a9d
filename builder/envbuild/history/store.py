"""What every history can do, whether it is a folder or a branch of git; and what it answers.

A history holds nights and what they name by digest: lock folders and logs. A night is written
once; a history grows, is pruned from its old end, and takes in others. Nothing is rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from envbuild.errors import EnvbuildError
from envbuild.history.model import Night


class Kept(Struct, frozen=True, kw_only=True):
    """What a history holds: nights, the oldest first, and the files that could not be read, each
    with the reason."""

    nights: tuple[Night, ...]
    broken: tuple[str, ...] = ()


class Pruned(Struct, frozen=True, kw_only=True):
    """What went: names of nights, the files of nights with them, locks and logs that nothing names
    any more, and the bytes that all that took."""

    names: tuple[str, ...] = ()
    nights: int = 0
    blobs: int = 0
    size: int = 0


class Merged(Struct, frozen=True, kw_only=True):
    """What came from another history: ids of nights, and how many locks and logs.

    ``conflicts`` are ids that both have with different content: ours stays. ``broken`` is what of
    the other could not be read.
    """

    nights: tuple[str, ...] = ()
    blobs: int = 0
    conflicts: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


class Read(Struct, frozen=True, kw_only=True):
    """The files of nights by id, and those that could not be read."""

    files: Mapping[str, bytes]
    broken: tuple[str, ...] = ()


class OtherNightError(EnvbuildError):
    """A night of this id is there already, and says something else."""


class History(Protocol):
    """Nights, and the locks and logs that they name."""

    @property
    def place(self) -> str:
        """The history as the user named it."""

    def nights(self, newest: int | None = None) -> Kept:
        """The nights, by when they began; ``newest``: of so many newest files alone.

        Raises:
            InputError: it is no history, or cannot be read at all.
        """

    def add(self, night: Night, blobs: Mapping[str, bytes]) -> None:
        """Keep a night and what it names by digest (``sha256:…``).

        It is there whole, or not at all, whatever ends this process. A night that is there already
        is left.

        Raises:
            OtherNightError: another night of this id is there.
            InputError: this is no history, or the id is none.
            ToolError: it cannot be written: no space, no permission.
        """

    def blob(self, digest: str) -> bytes | None:
        """A lock or a log by its digest, verified; None where it is not kept or is damaged."""

    def blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Those of several digests that :meth:`blob` would give."""

    def prune(self, keep: int) -> Pruned:
        """Remove all but the newest ``keep`` nights by name, and what only those named.

        Raises:
            InputError: fewer than one is to be kept.
            ToolError: it cannot be written.
        """

    def merge(self, other: History) -> Merged:
        """Take in what another history has.

        Raises:
            InputError: the other is no history.
            ToolError: this one cannot be written.
        """

    def read(self, newest: int | None = None) -> Read:
        """The files of nights as they are kept."""
