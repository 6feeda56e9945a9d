"""What moved among the pins of what is no Python package: digests, versions, commits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from envbuild.lock.moves import Move, Risk, version_move
from envbuild.lock.pins import versions
from envbuild.tools.references import parse

if TYPE_CHECKING:
    from envbuild.lock.model import AptPins, GitPin, ImagePin, VariantLock
    from envbuild.lock.system import Role

_CALLED: Mapping[Role, str] = {
    "base": "base image",
    "build": "build image",
    "uv": "uv's image",
    "micromamba": "micromamba's image",
}
_SHOWN = 12
"""Hex digits of a digest that are shown, those that differ in all but one of 10^14 cases."""


def moved(old: VariantLock, new: VariantLock) -> Iterator[Move]:
    """What differs between the pins of two locks of a variant."""
    said = (
        old.input.image != new.input.image
    )  # the profile names another: that is told of the input
    yield from _images(old.images, new.images, told="base" if said else None)
    yield from _apt(old.apt, new.apt)
    yield from _git(old.git, new.git)


def _images(
    old: Iterable[ImagePin], new: Iterable[ImagePin], *, told: Role | None
) -> Iterator[Move]:
    before, after = ({pin.role: pin for pin in pins} for pins in (old, new))
    for role in sorted((before.keys() | after.keys()) - {told}):
        was, now = before.get(role), after.get(role)
        if was == now:
            continue
        what = _CALLED[role]
        shown = [_shown(pin) for pin in (was, now)]
        risk: Risk = "input"
        if was is None:
            why = "is pinned by its digest now"
        elif now is None:
            risk, why = "security", "no longer pinned by its digest"
        elif was.reference == now.reference:
            risk, why = "security", "the same tag holds other content"
        elif parse(was.reference).registry != parse(now.reference).registry:
            risk, why = "security", "comes from another registry"
        else:
            why = "another image"
        yield Move(risk=risk, what=what, old=shown[0], new=shown[1], why=why)


def _shown(pin: ImagePin | None) -> str:
    return f"{pin.reference}@{pin.digest[: len('sha256:') + _SHOWN]}" if pin else ""


def _apt(old: AptPins | None, new: AptPins | None) -> Iterator[Move]:
    """Versions that moved; what came or went is told with the names that the profile has."""
    if old and new and old.archive != new.archive:
        yield Move(risk="input", what="apt archive", old=old.archive, new=new.archive)
    before, after = versions(old), versions(new)
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            risk, why = version_move(name, before[name], after[name])
            yield Move(risk=risk, what=f"apt {name}", old=before[name], new=after[name], why=why)


def _git(old: Iterable[GitPin], new: Iterable[GitPin]) -> Iterator[Move]:
    """Commits of a branch or a tag that moved; a commit that the profile gives is an input."""
    before, after = ({pin.name: pin for pin in pins if pin.ref} for pins in (old, new))
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        if (was.url, was.ref) == (now.url, now.ref) and was.commit != now.commit:
            why = f"{now.ref} is at another commit"
            yield Move(risk="input", what=f"git {name}", old=was.commit, new=now.commit, why=why)
