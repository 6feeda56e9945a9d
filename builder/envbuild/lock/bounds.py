"""With which bounds one package asks for another, as the package's own metadata says.

uv keeps the metadata of every package it resolved in its cache: as MessagePack arrays that begin
``[name, version, requires-dist, …]``, or as the ``PKG-INFO`` of a source distribution. The first
is uv's own form and may change: whatever cannot be read is *not known* (None), never guessed, and
nothing but the ``bounds`` of a lock depends on it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import msgpack
from msgspec import Struct

from envbuild.names import canonical_name, requirement_name

Find = Callable[[str, str], Iterable[bytes]]
"""The cached metadata files of a package (name, version), as bytes."""


class Target(Struct, frozen=True, kw_only=True):
    """The machine that markers are read for: Python as ``3.11``, and ``x86_64`` or ``aarch64``."""

    python: str
    machine: str


class Requires(Struct, frozen=True, kw_only=True):
    """What one package asks for, as its metadata says."""

    lines: dict[str, tuple[str, ...]]
    """By canonical name: every line about it."""

    def bounds(self, name: str, target: Target) -> str:
        """The bounds on ``name``: those that hold on the target without any extra; where there
        are none, those of extras."""
        plain, of_extras = [], []
        for line in self.lines.get(name, ()):
            head, _, marker = line.partition(";")
            if "extra" in marker:
                of_extras.append(specifiers(head))
            elif not marker or _holds(marker.strip(), target):
                plain.append(specifiers(head))
        found = {part for text in plain or of_extras for part in text.split(",") if part}
        return ",".join(sorted(found))

    def optional(self, name: str) -> bool:
        """Whether only extras ask for ``name``."""
        lines = self.lines.get(name, ())
        return bool(lines) and all("extra" in line.partition(";")[2] for line in lines)


def requires(name: str, version: str, find: Find) -> Requires | None:
    """What a package asks for; None when its metadata is not in the cache."""
    for data in find(name, version):
        listed = _requires_dist(data, name)
        if listed is not None:
            lines: dict[str, tuple[str, ...]] = {}
            for line in listed:
                about = requirement_name(line)
                lines[about] = (*lines.get(about, ()), line)
            return Requires(lines=lines)
    return None


def _requires_dist(data: bytes, name: str) -> list[str] | None:
    if data.startswith(b"Metadata-Version:"):
        head = data.decode("utf-8", "replace").partition("\n\n")[0]
        fields = [line.partition(": ") for line in head.splitlines()]
        stated = [value for key, _, value in fields if key == "Requires-Dist"]
        return stated if stated or _is_static(fields) else None
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(data), 1))
    unpacker.feed(data)
    try:
        value = unpacker.unpack()
    except (msgpack.UnpackException, ValueError):
        return None
    match value:
        case [str(found), str(), [*listed], *_] if canonical_name(found) == name:
            return [text for text in listed if isinstance(text, str)]
    return None


def _is_static(fields: list[tuple[str, str, str]]) -> bool:
    """Whether a source distribution's own metadata is that of its wheel (PEP 643): without that,
    to name no requirement says nothing."""
    said = {(key, value.lower()) for key, _, value in fields}
    old = any(
        ("Metadata-Version", version) in said for version in ("1.0", "1.1", "1.2", "2.0", "2.1")
    )
    return not old and ("Dynamic", "requires-dist") not in said


@functools.cache
def specifiers(requirement: str) -> str:
    """The bounds of a requirement, without its name, extras and marker."""
    head = requirement.partition(";")[0]
    end = next((i for i, c in enumerate(head) if not (c.isalnum() or c in "-_.")), len(head))
    rest = head[end:].strip()
    if rest.startswith("["):
        rest = rest.partition("]")[2].strip()
    return "".join(rest.strip("() ").split())


@functools.cache
def _holds(marker: str, target: Target) -> bool:
    from packaging.markers import InvalidMarker, Marker

    environment = {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "platform_machine": target.machine,
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    try:
        return Marker(marker).evaluate(environment)
    except InvalidMarker:
        return True
