"""What is asked of the world, and what it says, as frozen values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

State = Literal["here", "gone", "moved", "unknown"]
"""``moved``: something is at its place, with other bytes; ``unknown``: nobody answered."""

Kind = Literal["wheel", "sdist", "conda", "deb", "python", "git", "image", "blob"]


class Answer(Struct, frozen=True, kw_only=True):
    """What came back for one artifact; ``detail`` says why, ``warning`` what is wrong with it
    although it is here."""

    state: State
    detail: str = ""
    warning: str = ""


HERE = Answer(state="here")


class Asked(Struct, frozen=True, kw_only=True):
    """One artifact of one or several locks, and how to ask for it.

    ``hashes`` (sha256, 64 hex digits) are what its file may have; none are known of a Debian
    package, and of a commit that is its ``version``. ``file`` is a name for people.
    """

    kind: Kind
    name: str
    version: str
    ask: Callable[[], Answer]
    file: str = ""
    hashes: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str, tuple[str, ...]]:
        """What makes it the same artifact in two locks."""
        return (self.kind, self.name, self.version, self.file, self.hashes)


class Finding(Struct, frozen=True, kw_only=True):
    """What is known of an artifact now; ``targets`` are the variants whose locks name it,
    ``vendored``: a vendored folder has it."""

    kind: Kind
    name: str
    version: str
    file: str
    state: State
    detail: str
    warning: str
    targets: tuple[str, ...]
    vendored: bool = False

    @property
    def lost(self) -> bool:
        """Whether a build could not have it any more."""
        return self.state in ("gone", "moved") and not self.vendored
