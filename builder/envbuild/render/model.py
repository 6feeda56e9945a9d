"""What rendering makes: texts at paths, and a Dockerfile read back as instructions."""

from __future__ import annotations

from msgspec import Struct


class RenderedFile(Struct, frozen=True, kw_only=True):
    """One text; ``path`` is relative to ``Dockerfiles/<profile>/``."""

    path: str
    text: str


class RenderedTree(Struct, frozen=True, kw_only=True):
    """Everything that ``envbuild render`` writes for one profile, sorted by path."""

    profile: str
    files: tuple[RenderedFile, ...]


class Instruction(Struct, frozen=True, kw_only=True):
    """One Dockerfile instruction: keyword in capitals, flags (``--mount=…``), the rest, its line.

    Line continuations are joined and comments dropped, as a builder does it.
    """

    keyword: str
    arguments: str
    line: int
    flags: tuple[str, ...] = ()
