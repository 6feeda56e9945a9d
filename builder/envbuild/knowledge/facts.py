"""The facts, read once from ``facts/*.yaml``, and the questions that other rooms ask of them."""

from __future__ import annotations

import functools
import os
from typing import TypeVar

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

_FOLDER = os.path.join(os.path.dirname(__file__), "facts")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Kind = TypeVar("_Kind", bound=Row)

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_MANYLINUX = (17, 28, *range(31, 41))
"""The glibc minor versions that uv 0.13.8 takes as ``manylinux_2_N`` (its --help)."""


@functools.cache
def _rows(name: str, kind: type[_Kind]) -> tuple[_Kind, ...]:
    with open(f"{_FOLDER}/{name}.yaml", "rb") as file:
        rows = yaml.load(file, Loader=_LOADER)  # noqa: S506 (a safe loader, our own file)
    return tuple(msgspec.convert(row, kind) for row in rows)


def bundle(name: str) -> Bundle | None:
    """What an image brings, by the bundle's name."""
    return next((row for row in _rows("bundles", Bundle) if row.name == name), None)


def bundle_names() -> tuple[str, ...]:
    """Every bundle that is known."""
    return tuple(row.name for row in _rows("bundles", Bundle))


def torch_build(version: str, architecture: str) -> TorchBuild | None:
    """What a torch release of the public index holds on an architecture."""
    wanted = (version, architecture)
    rows = _rows("torch", TorchBuild)
    return next((row for row in rows if (row.version, row.architecture) == wanted), None)


def first_cuda_torch(architecture: str) -> TorchBuild | None:
    """The oldest known torch of the public index with CUDA on an architecture."""
    rows = _rows("torch", TorchBuild)
    return next((row for row in rows if row.architecture == architecture and row.cuda), None)


def companions(torch: str) -> tuple[Companion, ...]:
    """What must hold of packages compiled against a torch version."""
    minor = ".".join(torch.split(".")[:2])
    return tuple(row for row in _rows("companions", Companion) if row.torch == minor)


def placeholder_names() -> tuple[str, ...]:
    """Every package that the public index has, in some version, only as a placeholder."""
    return tuple(sorted({n for row in _rows("placeholders", Placeholder) for n in row.packages}))


def is_placeholder(package: str, version: str) -> Placeholder | None:
    """Whether the public index holds this version only as a placeholder, and whose it is."""
    from packaging.specifiers import SpecifierSet

    rows: tuple[Placeholder, ...] = _rows("placeholders", Placeholder)
    for row in rows:
        allowed = SpecifierSet(row.versions)
        if package in row.packages and allowed.contains(version, prereleases=True):
            return row
    return None


def glibc(distribution: str) -> str | None:
    """The glibc of a base distribution; None when it is not known."""
    rows = _rows("distributions", Distribution)
    return next((row.glibc for row in rows if row.name == distribution), None)


def uv_platform(architecture: str, distribution: str) -> str:
    """The platform that uv resolves for: the newest manylinux that the distribution's glibc runs.

    An unknown distribution is taken as the oldest that Isaac Sim 5 runs on (glibc 2.35).
    """
    minor = int((glibc(distribution) or "2.35").split(".")[1])
    newest = max(known for known in _MANYLINUX if known <= minor)
    return f"{_ARCHITECTURES[architecture]}-manylinux_2_{newest}"


def gpu_floor(architecture: str) -> GpuFloor | None:
    """The first CUDA that can compile for a GPU architecture."""
    rows = _rows("gpus", GpuFloor)
    return next((row for row in rows if row.architecture == architecture), None)


def facts_files() -> tuple[str, ...]:
    """The paths of all fact files, for whoever must know that they have not changed."""
    return tuple(sorted(entry.path for entry in os.scandir(_FOLDER)))
