"""The shared libraries of this machine, as its loader knows them. Nothing is run."""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Iterable, Iterator

from msgspec import Struct

from envbuild.scan.compiled import binaries
from envbuild.scan.sources.content import Held

_CACHE = "/etc/ld.so.cache"
_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = struct.Struct("<20sII")
"""Of dl-cache.h: ``struct cache_file_new`` up to its numbers of entries and of bytes of names."""

_ENTRIES = 48
"""Bytes from the magic to the first entry."""

_ENTRY = struct.Struct("<iIIIQ")
"""``struct file_entry_new``: flags, name, path, version of the system, needed hardware."""

_LARGEST = 64 << 20
"""Bytes of a cache that are read; that of a full desktop has 200 KB."""

_KINDS = {"x86_64": 0x0303, "aarch64": 0x0A03}
"""The flags of a library for a machine (dl-cache.h), without the version of the system."""

_FOLDERS = (
    "/lib/{machine}-linux-gnu",
    "/usr/lib/{machine}-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
)
_LOOKED_INTO = ("libc.so.6", "libstdc++.so.6")


class Host(Struct, frozen=True, kw_only=True):
    """This machine. ``libraries`` are the names that its loader finds, ``offers`` the newest
    version of each family that its C and C++ libraries define (``("GLIBCXX", "3.4.30")``),
    ``glibc`` is that of the C library; empty: not known."""

    machine: str
    glibc: str = ""
    libraries: frozenset[str] = frozenset()
    offers: tuple[tuple[str, str], ...] = ()


def read() -> Host:
    """Look at this machine: the loader's cache, and its default folders, which it may lack."""
    machine = platform.machine()
    found = dict(_default(machine))
    found.update(cached(_bytes(_CACHE, _LARGEST), machine))
    offers: dict[str, str] = {}
    for name in _LOOKED_INTO:
        data = _bytes(found.get(name, ""), _LARGEST)
        offers.update(binaries.read(Held(data)).offers)
    return Host(
        machine=machine,
        glibc=offers.get("GLIBC", ""),
        libraries=frozenset(found),
        offers=tuple(sorted(offers.items())),
    )


def cached(data: bytes, machine: str) -> Iterator[tuple[str, str]]:
    """The libraries of a machine that an ``ld.so.cache`` lists: name and path. A cache in the old
    form has the new one behind it; what is damaged ends it."""
    start = data.find(_MAGIC)
    if start < 0 or len(data) < start + _ENTRIES:
        return
    _, count, _ = _HEADER.unpack_from(data, start)
    end = min(start + _ENTRIES + count * _ENTRY.size, len(data))
    for place in range(start + _ENTRIES, end - _ENTRY.size + 1, _ENTRY.size):
        kind, name, path, _, _ = _ENTRY.unpack_from(data, place)
        if kind == _KINDS.get(machine):
            yield _text(data, start + name), _text(data, start + path)


def _text(data: bytes, start: int) -> str:
    end = data.find(b"\0", start)
    return data[start:end].decode("utf-8", "replace") if end >= 0 else ""


def _default(machine: str) -> Iterator[tuple[str, str]]:
    for folder in _present(one.format(machine=machine) for one in reversed(_FOLDERS)):
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if ".so" in entry.name)
        yield from ((name, os.path.join(folder, name)) for name in names)


def _present(folders: Iterable[str]) -> Iterator[str]:
    return (folder for folder in folders if os.access(folder, os.R_OK | os.X_OK))


def _bytes(path: str, limit: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError:
        return b""
