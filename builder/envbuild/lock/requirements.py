"""Requirement files with hashes: read what uv wrote, write our own. Pure.

Only the form that ``uv pip compile --generate-hashes`` writes is read: one ``name==version`` an
entry, its ``--hash`` options on continued lines, then comment lines that say who asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from envbuild.names import canonical_name


class Pin(Struct, frozen=True, kw_only=True):
    """One resolved package: ``hashes`` as ``sha256:…``, ``via`` as uv names who asked."""

    name: str
    version: str
    hashes: tuple[str, ...]
    via: tuple[str, ...]


def parse(text: str) -> tuple[Pin, ...]:
    """The pins of a hashed requirement file, in its order.

    Raises:
        ValueError: a line that is neither an entry, a hash, nor a comment.
    """
    pins: list[Pin] = []
    head: tuple[str, str] | None = None
    hashes: list[str] = []
    via: list[str] = []

    def close() -> None:
        if head:
            pins.append(Pin(name=head[0], version=head[1], hashes=tuple(hashes), via=tuple(via)))
        hashes.clear()
        via.clear()

    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().removesuffix("\\").strip()
        if not line:
            continue
        if line.startswith("#"):
            asked = line.removeprefix("#").strip().removeprefix("via").strip()
            if asked and head:
                via.append(asked)
        elif line.startswith("--hash="):
            hashes.append(line.removeprefix("--hash="))
        else:
            close()
            head = _head(line, number)
    close()
    return tuple(pins)


def _head(line: str, number: int) -> tuple[str, str]:
    name, separator, version = line.partition("==")
    if not separator or not name or " " in version:
        raise ValueError(f"line {number}: expected name==version, found {line!r}")
    return canonical_name(name.partition("[")[0]), version


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
