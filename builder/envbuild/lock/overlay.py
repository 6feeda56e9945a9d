"""What an image already has, and what a lock adds to it. Pure.

A resolution over an image that carries a bundle finds the bundle's own packages again. They, and
everything that only they could have brought, are in the image: the lock holds the rest. Of a conda
half every package is known: what it has is left to it, and what only its packages ask for is their
business; what anything else asks for is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from envbuild.lock.model import Provided
from envbuild.lock.requirements import Pin

Optional = Callable[[Pin, str], bool]
"""Whether a package asks for another by an extra alone."""

PROFILE = "profile"
"""Who asks for what the profile itself requires."""

CONDA = "conda"
"""Who provides what the conda half has."""


class Split(Struct, frozen=True, kw_only=True):
    """``added`` is locked and installed; ``provided`` is left to the image."""

    added: tuple[Pin, ...]
    provided: tuple[Provided, ...]


def split(
    pins: Iterable[Pin],
    *,
    bundle: Mapping[str, str],
    roots: Iterable[str],
    conda: Mapping[str, str] | None = None,
    optional: Optional = lambda _asker, _name: False,
) -> Split:
    """Divide a resolution into what is added and what the image provides.

    ``bundle`` maps each package of the image to its version (empty: not known); ``roots`` are
    packages that the image holds with all that they need. A package that a provided one asks for
    is provided too: the image could not work without it. ``conda`` maps each Python package of a
    conda half to its version; what such a package asks for by an extra alone is ``optional``: conda
    knows no extras and does not bring it.
    """
    brought = {**(conda or {}), **bundle}
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
    because |= _left_to_conda(found, asks, conda or {}, because, optional=optional)
    provided = tuple(
        Provided(
            name=name, by=because[name], version=_version(name, found, bundle=brought, roots=roots)
        )
        for name in sorted(because)
    )
    return Split(
        added=tuple(pin for name, pin in sorted(found.items()) if name not in because),
        provided=provided,
    )


def _left_to_conda(
    found: Mapping[str, Pin],
    asks: Mapping[str, list[str]],
    conda: Mapping[str, str],
    because: Mapping[str, str],
    *,
    optional: Optional,
) -> dict[str, str]:
    """What conda has, and what nothing but that asks for."""
    if not conda:
        return {}
    left = {name: CONDA for name in conda if name in found and name not in because}
    stops = {*left, *because}
    reached = {name for name, pin in found.items() if name not in stops and PROFILE in pin.via}
    waiting = [*reached, *left]
    while waiting:
        asker = waiting.pop()
        for name in asks.get(asker, ()):
            wanted = asker not in left or optional(found[asker], name)
            if wanted and name not in reached and name not in stops:
                reached.add(name)
                waiting.append(name)
    for name, pin in found.items():
        if name not in reached and name not in stops:
            left[name] = next((by for by in pin.via if by in found), CONDA)
    return left


def _version(
    name: str, found: Mapping[str, Pin], *, bundle: Mapping[str, str], roots: Iterable[str]
) -> str:
    if name in bundle:
        return bundle[name]
    return found[name].version if name in roots else ""
