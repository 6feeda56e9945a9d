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


_ENTRY = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+) *\\?"
)
_HASH = "--hash="


def parse(text: str) -> tuple[Pin, ...]:
    """The pins of a hashed requirement file, in its order.

    Line by line: a file has ten times as many hashes as packages, and one expression for whole
    entries takes twice as long.

    Raises:
        ValueError: a line that is neither an entry, a hash, nor a comment.
    """
    pins: list[Pin] = []
    hashes: list[str] = []
    via: list[str] = []
    entry: re.Match[str] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        words = line.lstrip(" ")
        if entry and words.startswith(_HASH) and words is not line:
            hashes.append(words[len(_HASH) :].rstrip("\\ "))
        elif entry and words.startswith("#") and words is not line:
            via.append(words.lstrip("#").strip().removeprefix("via").strip())
        elif words and not line.startswith("#"):
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
        entry = [f"{pin.name}=={pin.version}"]
        entry += [f"    --hash={digest}" for digest in sorted(pin.hashes)]
        lines.append(" \\\n".join(entry))
        if len(pin.via) == 1:
            lines.append(f"    # via {pin.via[0]}")
        elif pin.via:
            lines.append("    # via")
            lines += [f"    #   {asked}" for asked in pin.via]
    return "\n".join(lines) + "\n"
