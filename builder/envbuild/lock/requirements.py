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
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]\n]*\])?==(?P<version>[^\s;\\]+)[ ]*"
    r"(?P<hashes>(?:\\\n[ ]+--hash=\S+[ ]*)*)\n"
    r"(?P<via>(?:[ ]+#.*\n)*)",
    re.MULTILINE,
)
_HASH = re.compile(r"--hash=(\S+)")
_IGNORED = re.compile(r"^(#.*)?\n", re.MULTILINE)


def parse(text: str) -> tuple[Pin, ...]:
    """The pins of a hashed requirement file, in its order.

    Raises:
        ValueError: a line that is neither an entry, a hash, nor a comment.
    """
    text = text if text.endswith("\n") or not text else f"{text}\n"
    pins: list[Pin] = []
    place = 0
    while place < len(text):
        entry = _ENTRY.match(text, place)
        if entry:
            pins.append(_pin(entry))
            place = entry.end()
            continue
        ignored = _IGNORED.match(text, place)
        if ignored is None:
            number = text.count("\n", 0, place) + 1
            line = text[place:].partition("\n")[0]
            raise ValueError(f"line {number}: expected name==version, found {line!r}")
        place = ignored.end()
    return tuple(pins)


def _pin(entry: re.Match[str]) -> Pin:
    comments = (line.strip().lstrip("#").strip() for line in entry["via"].splitlines())
    asked = (comment.removeprefix("via").strip() for comment in comments)
    return Pin(
        name=canonical_name(entry["name"]),
        version=entry["version"],
        hashes=tuple(_HASH.findall(entry["hashes"])),
        via=tuple(text for text in asked if text),
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
