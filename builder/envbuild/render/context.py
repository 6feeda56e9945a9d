"""Everything that a template may say about one variant, as frozen values.

The lock is a file that people can edit, so its strings are held against patterns here just as a
profile's are: nothing reaches a template that could begin a new instruction.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from envbuild.profile.words import (
    AbsolutePath,
    CmakeOption,
    Commit,
    GitRef,
    GitUrl,
    Line,
    Mode,
    Name,
    PythonVersion,
    RelativePath,
    Requirement,
    SiteGlob,
    Text,
    Uid,
    UserName,
    VariantName,
)
from envbuild.render.model import Argument

# \Z, not $: the latter allows a line break at the end.
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
DigestOrNone = Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]
Platform = Annotated[str, Meta(pattern=r"^linux/(amd64|arm64)\Z")]
Pin = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*==[A-Za-z0-9][A-Za-z0-9.!+_-]*\Z")]
Reference = Annotated[str, Meta(pattern=r"^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?\Z")]
Snapshot = Annotated[str, Meta(pattern=r"^([0-9]{8}T[0-9]{6}Z)?\Z")]


class Pair(Struct, frozen=True):
    """A variable or label and its value."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*\Z")]
    value: Line


class Note(Struct, frozen=True, kw_only=True):
    """Something that the lock does not pin, and why."""

    what: Line
    why: Line


class Image(Struct, frozen=True, kw_only=True):
    """A build argument that names an image, and its default."""

    argument: Argument
    default: Reference


class Input(Struct, frozen=True, kw_only=True):
    """An input folder of the context: its path there, the name of its list file, and the sha256
    of that file."""

    path: RelativePath
    file: RelativePath
    sha256: Digest


class Apt(Struct, frozen=True, kw_only=True):
    """The Debian packages of a stage.

    ``pinned``: the list names versions, and they are verified. ``snapshot`` is the state of the
    archive that is asked (``20260212T000000Z``); empty: the newest.
    """

    input: Input
    pinned: bool
    snapshot: Snapshot


class Checkout(Struct, frozen=True, kw_only=True):
    """A git repository at a commit, fetched to ``/src/<name>`` and copied to ``path``.

    ``project`` is the folder to install from, as it stands in the image; ``install`` is false when
    the checkout is only left there. ``input`` says what is fetched; ``url``, ``commit`` and
    ``ref`` are for people.
    """

    name: Name
    input: Input
    url: GitUrl
    commit: Commit
    path: AbsolutePath
    project: AbsolutePath
    ref: GitRef | None = None
    install: bool = False

    @property
    def ssh(self) -> bool:
        """Whether fetching needs the user's ssh agent."""
        return self.url.startswith("ssh://")


class Library(Struct, frozen=True, kw_only=True):
    """A git repository that cmake builds in a stage of its own and installs to ``path``."""

    checkout: Checkout
    path: AbsolutePath
    apt: Apt
    options: tuple[CmakeOption, ...]


class Python(Struct, frozen=True, kw_only=True):
    """The interpreter. ``executable`` is the one that packages are installed for.

    ``prefix`` is the environment that is made; None: packages go into the image's interpreter
    itself (``in_place``). ``input`` is what an interpreter that the image lacks is installed from:
    by uv its version, by conda the file that names each package by its address and hash.
    """

    source: Literal["image", "uv", "conda"]
    version: PythonVersion
    executable: AbsolutePath
    interpreter: AbsolutePath | None = None
    prefix: AbsolutePath | None = None
    input: Input | None = None

    @property
    def in_place(self) -> bool:
        """Whether packages go into an interpreter that the base image has."""
        return self.prefix is None


class Piece(Struct, frozen=True, kw_only=True):
    """Locked wheels that are installed in one layer; ``heavy``: before all that moves."""

    input: Input
    heavy: bool


class Build(Struct, frozen=True, kw_only=True):
    """One step of the wheels stage: the packages built together, and how.

    ``packages`` empty: every entry of the file.
    """

    packages: tuple[Name, ...]
    isolation: bool = True
    environment: tuple[Pair, ...] = ()


class Wheels(Struct, frozen=True, kw_only=True):
    """The stage that builds wheels of what the index has only as source.

    ``image`` is None when it stands on the stage ``base``; else the argument of the image that has
    the compilers, where ``libraries`` and the Python have to be made again. ``isolated`` are the
    pins that are there before the first build without isolation, ``pins`` all of them, ``stubs``
    those whose content is a vendor's and not pinned. ``recipe`` is a digest of all that the stage
    is made of: podman's cache does not see what a mount of it holds.
    """

    input: Input
    recipe: DigestOrNone
    builds: tuple[Build, ...]
    pins: tuple[Pin, ...]
    isolated: tuple[Pin, ...]
    stubs: tuple[Pin, ...]
    apt: Apt | None = None
    image: Argument | None = None
    libraries: tuple[Library, ...] = ()

    @property
    def unisolated(self) -> bool:
        """Whether a build needs the locked packages in its environment."""
        return any(not build.isolation for build in self.builds)


class Guard(Struct, frozen=True, kw_only=True):
    """What the base image bundles, and must still hold at the end.

    ``interpreter`` runs the script of ``input``; ``sites`` are the bundled folders (none: the
    interpreter's own). ``recipe`` is a digest of all that the image is made of, see
    :class:`Wheels`.
    """

    input: Input
    interpreter: AbsolutePath
    sites: tuple[SiteGlob, ...]
    recipe: DigestOrNone = ""


class Copied(Struct, frozen=True, kw_only=True):
    """A file of the context and where it goes."""

    source: RelativePath
    path: AbsolutePath
    mode: Mode


class RunAs(Struct, frozen=True, kw_only=True):
    """Who the image runs as."""

    name: UserName
    uid: Uid
    create: bool


class Context(Struct, frozen=True, kw_only=True):
    """What ``Dockerfile.j2`` and ``dockerignore.j2`` are given; each field is one variable.

    ``dockerfile`` is the file's own name; ``images`` are the build arguments that name images,
    ``build_image`` the one where native code is compiled. ``apt`` are the packages of the image.
    ``locked`` are the pieces of the locked wheels, ``wheels`` the stage for the rest. ``context``
    is what a build reads: input folders and copied files. ``variables`` become ENV;
    ``inherited_path`` is put before the image's PATH.
    """

    profile: Name
    summary: Text
    variant: VariantName
    platform: Platform
    dockerfile: RelativePath
    accept_eula: bool | None
    unpinned: tuple[Note, ...]
    images: tuple[Image, ...]
    build_image: Argument
    sources_apt: Apt | None
    apt: Apt | None
    checkouts: tuple[Checkout, ...]
    libraries: tuple[Library, ...]
    python: Python
    build_constraints: tuple[Requirement, ...]
    locked: tuple[Piece, ...]
    wheels: Wheels | None
    guard: Guard | None
    files: tuple[Copied, ...]
    context: tuple[RelativePath, ...]
    variables: tuple[Pair, ...]
    inherited_path: AbsolutePath | None
    labels: tuple[Pair, ...]
    user: RunAs | None
    workdir: AbsolutePath
    entrypoint: tuple[Line, ...]
    command: tuple[Line, ...]

    @property
    def fetched(self) -> tuple[Checkout, ...]:
        """Every repository that the stage ``sources`` fetches."""
        return (*(library.checkout for library in self.libraries), *self.checkouts)

    @property
    def installs(self) -> bool:
        """Whether any Python package is installed."""
        return bool(self.locked or self.wheels or any(c.install for c in self.checkouts))

    @property
    def locked_in_base(self) -> bool:
        """Whether the wheels stage stands on the locked packages, so that they go in first."""
        stage = self.wheels
        return stage is not None and stage.image is None and stage.unisolated
