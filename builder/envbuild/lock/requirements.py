"""Requirement files with hashes: read what uv wrote, write our own. Pure.

Only the form that ``uv pip compile --generate-hashes`` writes is read: one ``name==version`` an
entry, its ``--hash`` options on continued lines, then comment lines that say who asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from envbuild.names import canonical_name


class Pin(Struct, frozen=True, kw_only=True):
    """One resolved package: ``hashes`` as ``sha256:…``, ``via`` as uv names who asked."""

    name: str
    version: str
    hashes: tuple[str, ...]
    via: tuple[str, ...]


_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = " \\\n    --hash="
"""What stands before every hash."""


def parse(text: str) -> tuple[Pin, ...]:
    """The pins of a hashed requirement file, in its order.

    Hash by hash: there are ten times as many of them as of all other lines, and line by line
    takes three times as long.

    Raises:
        ValueError: a line that is neither an entry, a hash, nor a comment.
    """
    pins: list[Pin] = []
    hashes: list[str] = []
    via: list[str] = []
    entry: re.Match[str] | None = None
    number = -1
    for piece in f"\n{text}".split(_HASH):
        number += 1
        if "\n" not in piece:
            hashes.append(piece)
            continue
        digest, *lines = piece.split("\n")
        hashes.append(digest)
        for line in lines:
            number += 1
            if line.startswith("    #"):
                via.append(line.lstrip(" #").removeprefix("via").strip())
            elif line and not line.startswith("#"):
                if entry:
                    pins.append(_pin(entry, hashes, via))
                entry, hashes, via = _ENTRY.fullmatch(line), [], []
                if entry is None:
                    raise ValueError(f"line {number}: expected name==version, found {line!r}")
    if entry:
        pins.append(_pin(entry, hashes, via))
    return tuple(pins)


def _pin(entry: re.Match[str], hashes: list[str], via: list[str]) -> Pin:
    return Pin(
        name=canonical_name(entry["name"]),
        version=entry["version"],
        hashes=tuple(hashes),
        via=tuple(filter(None, via)),
    )


def render(pins: Iterable[Pin], *, heading: str) -> str:
    """A requirement file that pip and uv read: sorted by name, every hash, who asked."""
    lines = [f"# {line}" if line else "#" for line in heading.splitlines()]
    for pin in sorted(pins, key=lambda pin: pin.name):
        lines.append(_HASH.join((f"{pin.name}=={pin.version}", *sorted(pin.hashes))))
        if len(pin.via) == 1:
            lines.append(f"    # via {pin.via[0]}")
        elif pin.via:
            lines.append("    # via")
            lines += [f"    #   {asked}" for asked in pin.via]
    return "\n".join(lines) + "\n"
