"""What rendering makes: files at paths, and a Dockerfile read back as instructions."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

InputKind = Literal["wheels", "sources", "git", "apt", "conda", "python"]
"""What a step of a build takes from outside."""

Argument = Literal["BASE_IMAGE", "BUILD_IMAGE", "UV_IMAGE", "MICROMAMBA_IMAGE"]
"""A build argument that names an image."""

LISTS: dict[InputKind, str] = {
    "wheels": "requirements.txt",
    "sources": "requirements.txt",
    "git": "source.txt",
    "apt": "packages.txt",
    "conda": "explicit.txt",
    "python": "python.txt",
}
"""The name of the list file in an input folder."""


class RenderedFile(Struct, frozen=True, kw_only=True):
    """One file; ``path`` is relative to ``Dockerfiles/<profile>/``."""

    path: str
    data: bytes

    @property
    def text(self) -> str:
        """The file as text; what is no UTF-8 is replaced: a copied file may be anything."""
        return self.data.decode(errors="replace")


class RenderedTree(Struct, frozen=True, kw_only=True):
    """Everything that ``envbuild render`` writes for one profile, sorted by path."""

    profile: str
    files: tuple[RenderedFile, ...]


class StepInput(Struct, frozen=True, kw_only=True):
    """A folder of the build context from which one step takes what comes from outside.

    ``path`` is the folder in the context (``linux-amd64-cu128/wheels-1``), ``text`` what its list
    file says. ``name``: for ``apt`` the stage, for ``git`` the source, else the folder's own name.
    ``image`` is the build argument (``BASE_IMAGE``, ``BUILD_IMAGE``) of the image whose archive or
    interpreter the step uses. Beside the list file ``envbuild build`` puts the files themselves:
    then the step needs no network.
    """

    path: str
    kind: InputKind
    name: str
    text: str
    image: Argument

    @property
    def file(self) -> str:
        """The path of the list file in the context."""
        return f"{self.path}/{LISTS[self.kind]}"


class StageImage(Struct, frozen=True, kw_only=True):
    """An image that a stage stands on: the build argument that names it, its reference with the
    tag, and its digest (``sha256:…``; empty where nothing pins it)."""

    argument: Argument
    reference: str
    digest: str

    @property
    def pinned(self) -> str:
        """The reference, by its digest where there is one: the argument's default."""
        return f"{self.reference}@{self.digest}" if self.digest else self.reference


class Instruction(Struct, frozen=True, kw_only=True):
    """One Dockerfile instruction: keyword in capitals, flags (``--mount=…``), the rest, its line.

    Line continuations are joined and comments dropped, as a builder does it.
    """

    keyword: str
    arguments: str
    line: int
    flags: tuple[str, ...] = ()
