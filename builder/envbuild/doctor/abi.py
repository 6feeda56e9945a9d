"""Compiled modules against the NumPy that they will meet: which fail, and with which words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from envbuild.doctor.model import Certainty
from envbuild.scan.binary import NumpyBuild

_MINOR = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})(?![0-9])")

_FEATURES = (
    ((1, 7), 0x7),
    ((1, 8), 0x8),
    ((1, 9), 0x9),
    ((1, 10), 0xA),
    ((1, 13), 0xB),
    ((1, 14), 0xC),
    ((1, 16), 0xD),
    ((1, 20), 0xE),
    ((1, 22), 0xF),
    ((1, 23), 0x10),
    ((1, 25), 0x11),
    ((2, 0), 0x12),
    ((2, 1), 0x13),
    ((2, 3), 0x14),
    ((2, 4), 0x15),
)
"""The first release of NumPy with each version of its C-API (``numpyconfig.h`` of its headers)."""

DTYPE_CHANGED = (
    "numpy.dtype size changed, may indicate binary incompatibility. "
    "Expected 96 from C header, got 88 from PyObject"
)
"""What Cython's own check says under NumPy 2 of a module that was built for NumPy 1."""

UNREADABLE_DTYPE = "Unable to write from unknown dtype, kind=f, size=0"
"""What a writer of images says that was made with an old pybind11 (IsaacLab#3312)."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What becomes of a module under a NumPy: its import ``fails``, or it imports and then reads
    arrays wrongly (``degraded``). ``texts`` are what is seen of it, the decisive one first."""

    outcome: Literal["fails", "degraded"]
    texts: tuple[str, ...]
    sure: Certainty = "proven"


def verdict(build: NumpyBuild, numpy: str) -> Verdict | None:
    """What becomes of a module that was built so under a NumPy of a version; None: it works.

    A version that cannot be read gets no verdict.
    """
    running = minor(numpy)
    if running is None:
        return None
    if build.generation == 1 and running >= (2, 0):
        return _old(build, numpy)
    wanted = minor(build.since)
    if wanted is None or wanted <= running:
        return None
    return Verdict(outcome="fails", texts=(_newer(build, running),), sure=build.sure)


def optional(build: NumpyBuild, beside: Iterable[NumpyBuild], numpy: str) -> bool:
    """Whether a module that waits for a newer NumPy is one that its package imports under that
    alone: others ``beside`` it use the C-API too, and work (h5py 3.14 has one such module)."""
    if build.generation == 1:
        return False
    return any(
        one.generation == 2 and one.how == "c-api" and one.since and verdict(one, numpy) is None
        for one in beside
    )


def _old(build: NumpyBuild, numpy: str) -> Verdict:
    if build.how == "pybind11":
        return Verdict(outcome="degraded", texts=(UNREADABLE_DTYPE,), sure=build.sure)
    if build.how == "cython":
        return Verdict(outcome="fails", texts=(DTYPE_CHANGED,), sure=build.sure)
    texts = (
        f"A module that was compiled using NumPy 1.x cannot be run in NumPy {numpy}",
        "numpy.core.multiarray failed to import",
    )
    return Verdict(outcome="fails", texts=texts, sure=build.sure)


def _newer(build: NumpyBuild, running: tuple[int, int]) -> str:
    wanted = minor(build.since)
    assert wanted is not None, build
    return (
        f"module was compiled against NumPy C-API version {_feature(wanted):#x} "
        f"(NumPy {build.since}) but the running NumPy has C-API version {_feature(running):#x}."
    )


def _feature(release: tuple[int, int]) -> int:
    return next((number for first, number in reversed(_FEATURES) if first <= release), 0)


def minor(version: str) -> tuple[int, int] | None:
    """The first two numbers of a version; None where it does not begin with two."""
    found = _MINOR.match(version)
    return (int(found[1]), int(found[2])) if found else None
