"""The form of a fact. ``facts/*.yaml`` are read into these."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A statement with its evidence.

    ``source`` is where it was read, ``date`` when (ISO), ``confidence``: ``read`` at first hand,
    ``derived`` from such rows, ``claimed`` by somebody without evidence.
    """

    source: str
    date: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    confidence: Literal["read", "derived", "claimed"]


class Fact(Row, frozen=True, kw_only=True):
    """One property of one release: ``isaac-sim 5.1.0``, ``python``, ``3.11``.

    ``kind`` is ``isaac-sim``, ``isaac-lab`` or ``gr00t``. ``value`` is a text, a list or a mapping;
    the text ``unknown`` says that nobody has established it.
    """

    kind: str
    release: str
    name: str
    value: str | tuple[str, ...] | dict[str, str]


class Bundle(Row, frozen=True, kw_only=True):
    """What an image brings: its Python, the versions of its packages, and what it satisfies.

    ``packages`` maps a normalised name to the exact version, or to ``unknown``: the package is
    there, its version is not established. ``satisfies`` are requirements whose whole closure the
    image holds (``isaaclab==2.3.0``). ``torch_build`` is the local version of its torch
    (``cu128``), None when not known. ``notes`` is for people.
    """

    name: str
    python: str
    packages: dict[str, str]
    satisfies: tuple[str, ...] = ()
    torch_build: str | None = None
    needs_eula: bool = False
    notes: str = ""


class TorchBuild(Row, frozen=True, kw_only=True):
    """What a torch release from the public index holds on one architecture.

    ``cuda`` is ``12.6``, or None for a build without CUDA; ``gpus`` are the architectures it has
    code for, empty when not established.
    """

    version: str
    architecture: Literal["amd64", "arm64"]
    cuda: str | None = None
    gpus: tuple[str, ...] = ()


class Companion(Row, frozen=True, kw_only=True):
    """A package compiled against torch: the requirement that works with one torch minor."""

    torch: str
    requirement: str


class Placeholder(Row, frozen=True, kw_only=True):
    """Packages that the public index holds only as a stub; ``versions`` a specifier set."""

    packages: tuple[str, ...]
    versions: str
    index: str


class Distribution(Row, frozen=True, kw_only=True):
    """A base distribution and its glibc."""

    name: str
    glibc: str


class CondaName(Row, frozen=True, kw_only=True):
    """A conda package, and the Python package that it is (empty: none)."""

    conda: str
    python: str


class Library(Row, frozen=True, kw_only=True):
    """A shared library by the name that modules ask for, and the packages that have it.

    ``apt`` is the package of Ubuntu 22.04, 24.04 and Debian 12 (empty: only the distributions of
    ``renamed`` have it, by their names: ``ubuntu-24.04``), ``conda`` that of conda-forge,
    ``python`` the requirement of a wheel that brings it; empty: none.
    """

    library: str
    apt: str = ""
    renamed: dict[str, str] = {}
    conda: str = ""
    python: str = ""


class GpuFloor(Row, frozen=True, kw_only=True):
    """The CUDA version that can first compile for a GPU architecture.

    ``called`` is what people call it, ``remark`` what the number alone does not say.
    """

    architecture: str
    cuda: str
    called: str = ""
    remark: str = ""


class Layer(Row, frozen=True, kw_only=True):
    """Packages whose wheels stand in one piece of an image's layers, and why.

    ``piece`` 1 stands below 2; a name in ``packages`` may end in ``*``.
    """

    piece: int
    packages: tuple[str, ...]
    reason: str


class Subject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The facts that a correction is about: a property of a release, or of every release."""

    kind: str
    name: str
    release: str = ""


class Correction(Row, frozen=True, kw_only=True):
    """A statement that goes around, held against what was found.

    ``claim`` is said without its author, ``truth`` is what stands instead (for a claim that is
    ``true``: what it rests on). ``about`` are the facts that it belongs to.
    """

    id: str
    claim: str
    verdict: Literal["true", "half true", "false", "not established"]
    truth: str
    about: tuple[Subject, ...] = ()


class NumpyPair(Row, frozen=True, kw_only=True):
    """Two versions of NumPy in one process: ``site`` is imported first, and an import hook like
    Kit's takes every further submodule from ``bundle``.

    ``fails`` are the modules that do not import, each with the last line of its traceback (several
    where PYTHONHASHSEED chooses). Where it is empty, the two are mixed silently: ``foreign``
    modules of the bundle then run under the site's NumPy.
    """

    site: str
    bundle: str
    fails: dict[str, tuple[str, ...]] = {}
    foreign: int = 0
