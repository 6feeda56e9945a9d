"""The facts, read once from ``facts/*.yaml``, and the questions that other rooms ask of them.

A file is a list of groups. What stands in a group beside ``rows`` (its evidence, and whatever else
its rows have in common) belongs to each row of it. In the files of a product (``isaac-sim``,
``isaac-lab``, ``gr00t``) a row says several properties of one release, and so does a group of each
of its rows; the first group lists the releases in order:

    - source: IsaacSim v5.1.0, deps/pip.toml
      date: 2026-11-21
      confidence: read
      rows:
        - {release: 5.1.0, says: {python: 3.11, numpy: 1.26.0}}

A file is read when it is first asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from envbuild.knowledge import tables
from envbuild.knowledge.model import (
    Bundle,
    Companion,
    CondaName,
    Correction,
    Distribution,
    Fact,
    GpuFloor,
    Layer,
    Library,
    NumpyPair,
    Placeholder,
    TorchBuild,
)
from envbuild.names import canonical_name
from envbuild.tools import typed

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_UV_GLIBC_MINORS = (17, 28, *range(31, 41))
"""The N of each ``manylinux_2_N`` that uv 0.13.8 takes (``uv pip compile --help``)."""

_UNKNOWN_GLIBC_MINOR = 28
"""For a distribution that is not known: what torch's wheels are built for, so nothing is lost that
a GPU image needs, and every distribution since 2018 can run it."""


def bundle(name: str) -> Bundle | None:
    """What an image brings, by the bundle's name; None when there is no such bundle."""
    return next((row for row in _bundles() if row.name == name), None)


def bundle_names() -> tuple[str, ...]:
    """Every bundle that is known, oldest product first."""
    return tuple(row.name for row in _bundles())


def _bundles() -> Iterator[Bundle]:
    yield from tables.rows("bundles", Bundle)
    yield from tables.rows("bundles-6", Bundle)


def torch_build(version: str, architecture: str) -> TorchBuild | None:
    """What a torch release of the public index holds on ``amd64`` or ``arm64``.

    None when nothing is known of it.
    """
    wanted = (version, architecture)
    rows = tables.rows("torch", TorchBuild)
    return next((row for row in rows if (row.version, row.architecture) == wanted), None)


def companions(torch_version: str) -> tuple[Companion, ...]:
    """What must hold of the packages compiled against a torch version, by its minor version."""
    minor = ".".join(torch_version.split(".")[:2])
    return tuple(row for row in tables.rows("companions", Companion) if row.torch == minor)


def placeholder_names() -> tuple[str, ...]:
    """Every package that the public index has, in some version, only as a placeholder; sorted."""
    return tuple(
        sorted({n for row in tables.rows("placeholders", Placeholder) for n in row.packages})
    )


def is_placeholder(package: str, version: str) -> Placeholder | None:
    """Whether the public index holds this version only as a placeholder, and whose it is."""
    name = canonical_name(package)
    rows = [row for row in tables.rows("placeholders", Placeholder) if name in row.packages]
    return next((row for row in rows if _allows(row.versions, version)), None)


def _allows(specifiers: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifiers).contains(version, prereleases=True)


def glibc(distribution: str) -> str | None:
    """The glibc of a base distribution; None when it is not known."""
    rows = tables.rows("distributions", Distribution)
    return next((row.glibc for row in rows if row.name == distribution), None)


@functools.cache
def conda_names() -> Mapping[str, str]:
    """Conda packages whose Python package has another name, or that are none (empty)."""
    return {row.conda: row.python for row in tables.rows("conda-names", CondaName)}


def uv_platform(architecture: str, distribution: str) -> str:
    """The platform that uv resolves for: the newest manylinux that the distribution can run.

    Raises:
        KeyError: the architecture is neither ``amd64`` nor ``arm64``.
    """
    return uv_machine(_MACHINES[architecture], glibc(distribution) or "")


def uv_machine(machine: str, version: str) -> str:
    """The platform that uv resolves for on a machine (``x86_64``) with a glibc (``2.35``; empty:
    not known): the newest manylinux that it can run."""
    number = version.partition(".")[2].partition(".")[0]
    minor = int(number) if number.isdigit() else _UNKNOWN_GLIBC_MINOR
    newest = max((known for known in _UV_GLIBC_MINORS if known <= minor), default=minor)
    return f"{machine}-manylinux_2_{newest}"


def library(soname: str) -> Library | None:
    """The packages that have a shared library (``libGL.so.1``); None: not known."""
    return next((row for row in libraries() if row.library == soname), None)


def gpu_floor(architecture: str) -> GpuFloor | None:
    """The first CUDA that can compile for a GPU architecture (``sm_121``); None: not known."""
    rows = tables.rows("gpus", GpuFloor)
    return next((row for row in rows if row.architecture == architecture), None)


_FILES = {
    "isaac-sim": ("isaac-sim", "isaac-sim-parts"),
    "isaac-lab": ("isaac-lab",),
    "gr00t": ("gr00t",),
}
"""The files of each product: the first lists its releases; the rest is read when it is needed."""

KINDS = tuple(_FILES)
"""The products whose releases have facts."""

UNKNOWN = "unknown"
"""The value of what nobody has established."""


@functools.cache
def _said(kind: str, file: str) -> dict[str, dict[str, Fact]]:
    """What one file says of each release of a product: its facts, by name."""
    said: dict[str, dict[str, Fact]] = {}
    for row in tables.flat(tables.groups(file)):
        whole = {"kind": kind, **row}
        release = said.setdefault(whole["release"], {})
        for name, value in whole.pop("says", {}).items():
            release[name] = typed.convert({**whole, "name": name, "value": value}, Fact)
    return said


def _files(kind: str) -> tuple[str, ...]:
    if kind not in _FILES:
        raise ValueError(f"no facts of a kind {kind!r}")
    return _FILES[kind]


def releases(kind: str) -> tuple[str, ...]:
    """The releases of ``isaac-sim``, ``isaac-lab`` or ``gr00t``, oldest first.

    Raises:
        ValueError: there are no facts of that kind.
    """
    return tuple(_said(kind, _files(kind)[0]))


def release_of(kind: str, version: str) -> str | None:
    """The release that a version belongs to: ``5.1.0`` for ``5.1`` and for the wheel ``5.1.0.0``.

    None when it is no known release.
    """
    wanted = _significant(kind, version)
    return next((known for known in releases(kind) if _significant(kind, known) == wanted), None)


def _significant(kind: str, version: str) -> str:
    """A version without what does not tell releases apart: NVIDIA's fourth number, ending zeros."""
    parts = version.split(".")
    if kind == "isaac-sim":
        parts = parts[:3]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def fact_names(kind: str) -> frozenset[str]:
    """Every property that some release of a product has.

    Raises:
        ValueError: there are no facts of that kind.
    """
    said = (release for file in _files(kind) for release in _said(kind, file).values())
    return frozenset(name for release in said for name in release)


def fact(kind: str, release: str, name: str) -> Fact | None:
    """One property of one release, named as ``release_of`` reads it.

    None when it is no known release, or nothing is said of that property. The value ``unknown``
    says that it was looked for and not established.

    Raises:
        ValueError: there are no facts of that kind.
    """
    known = release_of(kind, release)
    if known is None:
        return None
    found = (_said(kind, file).get(known, {}).get(name) for file in _files(kind))
    return next((fact for fact in found if fact), None)


def facts_of(kind: str, release: str) -> tuple[Fact, ...]:
    """Everything that is said of a release; empty when it is not known."""
    known = release_of(kind, release)
    if known is None:
        return ()
    found = (_said(kind, file).get(known, {}) for file in _files(kind))
    return tuple(fact for said in found for fact in said.values())


def corrections() -> tuple[Correction, ...]:
    """The statements that go around, each with its verdict."""
    return tables.rows("corrections", Correction)


def gpus() -> tuple[GpuFloor, ...]:
    """The GPU architectures that are known, oldest first."""
    return tuple(sorted(tables.rows("gpus", GpuFloor), key=lambda row: int(row.architecture[3:])))


def torch_builds() -> tuple[TorchBuild, ...]:
    """The torch releases of the public index that are known."""
    return tables.rows("torch", TorchBuild)


def all_companions() -> tuple[Companion, ...]:
    """What works with each torch minor version."""
    return tables.rows("companions", Companion)


def placeholders() -> tuple[Placeholder, ...]:
    """What the public index holds only as placeholders."""
    return tables.rows("placeholders", Placeholder)


def distributions() -> tuple[Distribution, ...]:
    """The base distributions that are known."""
    return tables.rows("distributions", Distribution)


def libraries() -> tuple[Library, ...]:
    """The shared libraries whose packages are known."""
    return tables.rows("libraries", Library)


def layers() -> tuple[Layer, ...]:
    """Which packages stand in which piece of an image's wheels."""
    return tables.rows("layers", Layer)


def numpy_pairs() -> tuple[NumpyPair, ...]:
    """The pairs of NumPy that were tried in one process."""
    return tables.rows("numpy-pairs", NumpyPair)


def numpy_pair(site: str, bundle: str) -> NumpyPair | None:
    """What becomes of two versions of NumPy in one process: of these very ones, or else of their
    neighbours of the same minor versions. None: nothing is known of such a pair.
    """
    rows = numpy_pairs()
    same = next((row for row in rows if (row.site, row.bundle) == (site, bundle)), None)
    wanted = (_series(site), _series(bundle))
    return same or next(
        (row for row in rows if (_series(row.site), _series(row.bundle)) == wanted), None
    )


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])


def facts_files() -> tuple[str, ...]:
    """The paths of all fact files, sorted, for whoever must know that they have not changed."""
    return tables.paths()
