"""The facts, read once from ``facts/*.yaml``, and the questions that other rooms ask of them.

A file is a list of groups. What stands in a group beside ``rows`` (its evidence, and whatever else
its rows have in common) belongs to each row of it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import yaml

from envbuild.knowledge.model import (
    Bundle,
    Companion,
    Distribution,
    GpuFloor,
    Placeholder,
    Row,
    TorchBuild,
)
from envbuild.names import canonical_name
from envbuild.tools import files

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "facts")
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""A loader that takes every scalar as text: ``python: 3.10`` and a date stay as written."""

_Kind = TypeVar("_Kind", bound=Row)

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_UV_GLIBC_MINORS = (17, 28, *range(31, 41))
"""The N of each ``manylinux_2_N`` that uv 0.13.8 takes (``uv pip compile --help``)."""

_UNKNOWN_GLIBC_MINOR = 28
"""For a distribution that is not known: what torch's wheels are built for, so nothing is lost that
a GPU image needs, and every distribution since 2018 can run it."""


@functools.cache
def _rows(name: str, kind: type[_Kind]) -> tuple[_Kind, ...]:
    groups = yaml.load(files.read_text(f"{_FOLDER}/{name}.yaml"), Loader=_LOADER)  # noqa: S506
    return tuple(msgspec.convert(row, kind, strict=False) for row in _flat(groups))


def _flat(groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every row with what its group shares, and with the packages of a bundle it includes."""
    named: dict[str, dict[str, Any]] = {}
    for group in groups:
        shared = {key: value for key, value in group.items() if key != "rows"}
        for row in group["rows"]:
            whole = {**shared, **row}
            included = whole.pop("includes", None)
            if included:
                whole["packages"] = named[included]["packages"] | whole.get("packages", {})
            if "name" in whole:
                named[whole["name"]] = whole
            yield whole


def bundle(name: str) -> Bundle | None:
    """What an image brings, by the bundle's name; None when there is no such bundle."""
    return next((row for row in _rows("bundles", Bundle) if row.name == name), None)


def bundle_names() -> tuple[str, ...]:
    """Every bundle that is known, oldest product first."""
    return tuple(row.name for row in _rows("bundles", Bundle))


def torch_build(version: str, architecture: str) -> TorchBuild | None:
    """What a torch release of the public index holds on ``amd64`` or ``arm64``.

    None when nothing is known of it.
    """
    wanted = (version, architecture)
    rows = _rows("torch", TorchBuild)
    return next((row for row in rows if (row.version, row.architecture) == wanted), None)


def first_cuda_torch(architecture: str) -> TorchBuild | None:
    """The oldest known torch of the public index with CUDA on an architecture."""
    rows = (row for row in _rows("torch", TorchBuild) if row.architecture == architecture)
    return next((row for row in rows if row.cuda), None)


def companions(torch_version: str) -> tuple[Companion, ...]:
    """What must hold of the packages compiled against a torch version, by its minor version."""
    minor = ".".join(torch_version.split(".")[:2])
    return tuple(row for row in _rows("companions", Companion) if row.torch == minor)


def placeholder_names() -> tuple[str, ...]:
    """Every package that the public index has, in some version, only as a placeholder; sorted."""
    return tuple(sorted({n for row in _rows("placeholders", Placeholder) for n in row.packages}))


def is_placeholder(package: str, version: str) -> Placeholder | None:
    """Whether the public index holds this version only as a placeholder, and whose it is."""
    name = canonical_name(package)
    rows = [row for row in _rows("placeholders", Placeholder) if name in row.packages]
    return next((row for row in rows if _allows(row.versions, version)), None)


def _allows(specifiers: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifiers).contains(version, prereleases=True)


def glibc(distribution: str) -> str | None:
    """The glibc of a base distribution; None when it is not known."""
    rows = _rows("distributions", Distribution)
    return next((row.glibc for row in rows if row.name == distribution), None)


def uv_platform(architecture: str, distribution: str) -> str:
    """The platform that uv resolves for: the newest manylinux that the distribution can run.

    Raises:
        KeyError: the architecture is neither ``amd64`` nor ``arm64``.
    """
    version = glibc(distribution)
    minor = int(version.partition(".")[2]) if version else _UNKNOWN_GLIBC_MINOR
    newest = max(known for known in _UV_GLIBC_MINORS if known <= minor)
    return f"{_MACHINES[architecture]}-manylinux_2_{newest}"


def gpu_floor(architecture: str) -> GpuFloor | None:
    """The first CUDA that can compile for a GPU architecture (``sm_121``); None: not known."""
    rows = _rows("gpus", GpuFloor)
    return next((row for row in rows if row.architecture == architecture), None)


def facts_files() -> tuple[str, ...]:
    """The paths of all fact files, sorted, for whoever must know that they have not changed."""
    names = sorted(entry.name for entry in os.scandir(_FOLDER) if entry.name.endswith(".yaml"))
    return tuple(f"{_FOLDER}/{name}" for name in names)
