"""What an image already has, and what a lock adds to it. Pure.

A resolution over an image that carries a bundle finds the bundle's own packages again. They, and
everything that only they could have brought, are in the image: the lock holds the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from envbuild.lock.model import Provided
from envbuild.lock.requirements import Pin


class Split(Struct, frozen=True, kw_only=True):
    """``added`` is locked and installed; ``provided`` is left to the image."""

    added: tuple[Pin, ...]
    provided: tuple[Provided, ...]


def split(pins: Iterable[Pin], *, bundle: dict[str, str], roots: Iterable[str]) -> Split:
    """Divide a resolution into what is added and what the image provides.

    ``bundle`` maps each package of the image to its version (empty: not known); ``roots`` are
    packages that the image holds with all that they need. A package that a provided one asks for
    is provided too: the image could not work without it.
    """
    found = {pin.name: pin for pin in pins}
    asks: dict[str, list[str]] = {}
    for pin in found.values():
        for asker in pin.via:
            asks.setdefault(asker, []).append(pin.name)
    because = {name: "bundle" for name in bundle if name in found}
    because |= {name: "bundle" for name in roots if name in found}
    waiting = list(because)
    while waiting:
        asker = waiting.pop()
        for name in asks.get(asker, ()):
            if name not in because:
                because[name] = asker
                waiting.append(name)
    provided = tuple(
        Provided(
            name=name, by=because[name], version=_version(name, found, bundle=bundle, roots=roots)
        )
        for name in sorted(because)
    )
    return Split(
        added=tuple(pin for name, pin in sorted(found.items()) if name not in because),
        provided=provided,
    )


def _version(
    name: str, found: dict[str, Pin], *, bundle: dict[str, str], roots: Iterable[str]
) -> str:
    if name in bundle:
        return bundle[name]
    return found[name].version if name in roots else ""
