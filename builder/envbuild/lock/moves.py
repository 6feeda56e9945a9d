"""What a move of one version means: how risky it is, and why. Pure.

Versions of Python packages are compared as ``packaging`` does; those of apt and conda, and whatever
is no version of either kind, by their leading numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, get_args

from msgspec import Struct

if TYPE_CHECKING:
    from packaging.version import Version

Risk = Literal[
    "security",
    "abi",
    "bundle",
    "cuda",
    "glibc",
    "major",
    "minor",
    "other",
    "added",
    "removed",
    "input",
]
RISKS: tuple[Risk, ...] = get_args(Risk)
"""The riskiest first: the order in which moves are told."""


class Move(Struct, frozen=True, kw_only=True):
    """One thing that moved: ``old`` or ``new`` empty where it is not there.

    ``why`` says in a few words what the risk is; ``variants`` are those that it holds for.
    """

    risk: Risk
    what: str
    old: str = ""
    new: str = ""
    why: str = ""
    variants: tuple[str, ...] = ()


class Number(Struct, frozen=True, kw_only=True):
    """A version by its numbers: ``release`` (1, 26, 4), ``local`` what stands behind a ``+``."""

    release: tuple[int, ...]
    local: str = ""

    def leading(self, count: int) -> tuple[int, ...]:
        """The first numbers, zeros where there are fewer."""
        return (*self.release, 0, 0, 0)[:count]


_LONGEST = 200
"""Characters of a version that are read; Python refuses to make a number of thousands of digits."""

_LOOSE = re.compile(r"(?:\d+:)?v?(\d+(?:\.\d+)*)")
_CUDA = re.compile(
    r"nvidia-.+|cuda(-.+)?|cudatoolkit|cupy-cuda.*|tensorrt.*|nccl|cudnn"
    r"|lib(cudnn|nccl|nvjitlink|nvinfer|cu(blas|dart|fft|rand|solver|sparse|file|tensor)).*"
)
_GLIBC = frozenset(
    {"libc6", "libc-bin", "glibc", "libstdc++6", "libstdcxx", "libstdcxx-ng", "libgcc", "libgcc-ng"}
)

_ABI: Mapping[str, tuple[int, str]] = {
    "numpy": (1, "modules compiled for one major NumPy do not load under another"),
    "python": (2, "compiled modules are for one minor Python"),
    "torch": (2, "extensions are compiled for one minor torch"),
    "pybind11": (2, "modules of two pybind11 minors may not share C++ types"),
    "nanobind": (1, "modules of two nanobind majors do not share C++ types"),
    "protobuf": (1, "generated code and the library must be of one major"),
    "pyarrow": (1, "its C++ ABI holds within one major"),
    "jaxlib": (2, "jax and its plugins are built for one minor jaxlib"),
    "tensorflow": (2, "custom operations are compiled for one minor tensorflow"),
    "usd-core": (2, "C++ plugins are compiled for one OpenUSD release"),
}
"""How many leading numbers must stay for compiled modules to fit, from the ABI statements of each
project: NumPy's C-API (NEP 53), CPython's tags, torch's C++ extensions, pybind11's internals."""


def number(text: str) -> Number | None:
    """A version by its numbers; None when it has none."""
    if len(text) > _LONGEST:
        return None
    version = _version(text)
    if version is not None:
        return Number(release=version.release, local=version.local or "")
    found = _LOOSE.match(text)
    return Number(release=tuple(map(int, found[1].split(".")))) if found else None


def newer(old: str, new: str) -> bool | None:
    """Whether ``new`` is the newer version; None when that cannot be told."""
    was, now = _version(old), _version(new)
    if was is not None and now is not None:
        return now > was
    before, after = number(old), number(new)
    if before is None or after is None or before.release == after.release:
        return None
    return after.release > before.release


def _version(text: str) -> Version | None:
    from packaging.version import InvalidVersion, Version  # 20 ms

    try:
        return Version(text) if len(text) <= _LONGEST else None
    except InvalidVersion:
        return None


def touches_cuda(name: str) -> bool:
    """Whether a package is a part of CUDA, or made for one CUDA."""
    return _CUDA.fullmatch(name) is not None


def touches_glibc(name: str) -> bool:
    """Whether a package is the C or C++ library that everything compiled stands on."""
    return name in _GLIBC


def version_move(name: str, old: str, new: str) -> tuple[Risk, str]:
    """How risky it is that a package moved from one version to another, and why."""
    before, after = number(old), number(new)
    if before is None or after is None:
        return "other", "the versions cannot be compared"
    known = _abi_move(name, before, after) or _system_move(name, before, after)
    if known:
        return known
    down = "a downgrade" if newer(old, new) is False else ""
    if before.leading(1) != after.leading(1):
        return "major", down or "another major: interfaces may be gone"
    if before.leading(2) != after.leading(2):
        young = "before 1.0 a minor may break" if before.leading(1) == (0,) else ""
        return "minor", "; ".join(filter(None, (down, young)))
    return "other", down


def _abi_move(name: str, before: Number, after: Number) -> tuple[Risk, str] | None:
    count, why = _ABI.get(name, (0, ""))
    if before.leading(count) != after.leading(count):
        return "abi", why
    if name == "numpy" and after.leading(2) < before.leading(2):
        return "abi", "modules compiled for a newer C-API refuse an older NumPy"
    return None


def _system_move(name: str, before: Number, after: Number) -> tuple[Risk, str] | None:
    if before.local != after.local and _is_cuda_build(before.local, after.local):
        return "cuda", "built for another CUDA"
    if touches_cuda(name):
        return "cuda", "must fit torch and the driver"
    if touches_glibc(name):
        lower = after.release < before.release
        return "glibc", (
            "programs built for the newer one do not start"
            if lower
            else "what is compiled over it does not run on an older one"
        )
    return None


def _is_cuda_build(*locals_: str) -> bool:
    return any(re.match(r"(cu\d|cpu|rocm|nv)", local) for local in locals_)


def grouped(found: Mapping[str, Iterable[Move]]) -> tuple[Move, ...]:
    """The moves of all variants, equal ones once with their variants, the riskiest first."""
    variants: dict[Move, list[str]] = {}
    for variant, moves in found.items():
        for move in dict.fromkeys(moves):
            variants.setdefault(move, []).append(variant)
    merged = (
        Move(
            risk=move.risk,
            what=move.what,
            old=move.old,
            new=move.new,
            why=move.why,
            variants=tuple(name for name in names if name),
        )
        for move, names in variants.items()
    )
    return tuple(sorted(merged, key=_order))


def _order(move: Move) -> tuple[int, str, str, str, tuple[str, ...]]:
    return (RISKS.index(move.risk), move.what, move.old, move.new, move.variants)


def pairs(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Which variant to hold against which: by name; else the only ones left of a platform; a
    variant without a partner stands with an empty name."""
    found = [(name, name) for name in old if name in new]
    rest_old = [name for name in old if name not in new]
    rest_new = [name for name in new if name not in old]
    for name in list(rest_old):
        platform = name.rpartition("-")[0]
        here = [other for other in rest_old if other.rpartition("-")[0] == platform]
        there = [other for other in rest_new if other.rpartition("-")[0] == platform]
        if len(here) == len(there) == 1:
            found.append((name, there[0]))
            rest_old.remove(name)
            rest_new.remove(there[0])
    return (*found, *((name, "") for name in rest_old), *(("", name) for name in rest_new))


def paired_label(old: str, new: str) -> str:
    """What two variants that are held against each other are called."""
    return old if old == new else f"{old} -> {new}"
