"""The pins of what is no Python package: which of a lock stand, and what is said of the rest. Pure.

A pin stands while what it was asked for does: the reference of an image, the name of a Debian
package, the branch or tag of a repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.lock.model import AptPins, GitPin, ImagePin, Unpinned
from envbuild.lock.system import NeededImage, Role, apt_names, images

if TYPE_CHECKING:
    from envbuild.lock.model import LockedPackage, VariantLock
    from envbuild.profile.model import Environment, GitSource
    from envbuild.profile.resolved import Variant

NOT_ASKED = "not asked yet"
OFFLINE = "not asked, locked offline"

_APT = "apt packages"
_INSTALLERS: Mapping[Role, str] = {"uv": "uv's own image", "micromamba": "micromamba's image"}
"""What the images that bring a program are called in a lock."""


class Pins(Struct, frozen=True, kw_only=True):
    """What is pinned of a variant, and why the rest is not: ``image_why`` by role, ``apt_why`` by
    the name of a package. ``git`` is whole, or the variant cannot be locked."""

    images: tuple[ImagePin, ...] = ()
    apt: AptPins | None = None
    git: tuple[GitPin, ...] = ()
    image_why: Mapping[Role, str] = {}
    apt_why: Mapping[str, str] = {}

    def versions(self) -> dict[str, str]:
        """The versions of the Debian packages, by name."""
        return versions(self.apt)


class Pinned(Struct, frozen=True, kw_only=True):
    """The pins of a variant. ``kept`` are pins of before that stand because asking again failed,
    ``asked`` says that what is not pinned was asked for; ``details`` name hosts, for people."""

    pins: Pins
    kept: tuple[str, ...] = ()
    asked: bool = True
    details: tuple[str, ...] = ()


def versions(apt: AptPins | None) -> dict[str, str]:
    """The versions of Debian packages that are pinned, by name."""
    return dict(text.split("=", 1) for text in apt.packages) if apt else {}


def exact(apt: AptPins | None, name: str) -> str:
    """A Debian package as apt takes it: ``name=version`` where it is pinned, else ``name``."""
    version = versions(apt).get(name, "")
    return f"{name}={version}" if version else name


def wanted_apt(environment: Environment, packages: Iterable[LockedPackage]) -> tuple[str, ...]:
    """Every Debian package that some stage of a build installs, sorted."""
    stages = apt_names(environment, packages).values()
    return tuple(sorted({name for names in stages for name in names}))


def standing(
    variant: Variant,
    previous: VariantLock | None,
    packages: Iterable[LockedPackage],
    *,
    uv: str = "",
    as_of: str = "",
) -> Pins:
    """The pins of a lock that stand for a variant; of all else, why the lock says that it is not
    pinned, or that it was not asked yet.

    ``packages`` are the Python packages as they are now. ``uv`` is the version that the lock is
    made with; empty: whichever image of uv is pinned stands. ``as_of`` is the moment of the lock;
    empty: the profile's, else that of before.
    """
    environment = variant.environment
    said = {row.what: row.why for row in previous.unpinned} if previous else {}
    kept, image_why = _images(variant, previous, said, uv=uv)
    names = wanted_apt(environment, packages)
    base = previous.image("base") if previous else None
    stands = (
        previous is not None
        and base in kept
        and _same_moment(previous, as_of or variant.environment.as_of)
    )
    apt = previous.apt if previous and stands else None
    pinned = versions(apt)
    missing = [name for name in names if name not in pinned]
    by_name = dict(_apt_said(said))
    every = by_name.get("")
    return Pins(
        images=kept,
        apt=narrowed(apt, names),
        git=tuple(_git(environment.git, previous)),
        image_why=image_why,
        apt_why={name: by_name.get(name) or every or NOT_ASKED for name in missing},
    )


def _same_moment(previous: VariantLock, moment: str | None) -> bool:
    """Whether an old state of an archive is still that of the moment of the lock."""
    old = previous.apt is not None and bool(previous.apt.snapshot)
    return not old or not moment or moment == previous.input.as_of


def needed(variant: Variant, previous: VariantLock | None, uv: str) -> tuple[NeededImage, ...]:
    """The images of a variant. Without a version of ``uv`` its image is the one that is pinned,
    or one without a tag."""
    found = images(variant.environment, uv or "-")
    if uv:
        return found
    pinned = previous.image("uv") if previous else None
    return tuple(
        NeededImage(role="uv", reference=pinned.reference) if pinned and one.role == "uv" else one
        for one in found
    )


def _images(
    variant: Variant, previous: VariantLock | None, said: Mapping[str, str], *, uv: str
) -> tuple[tuple[ImagePin, ...], dict[Role, str]]:
    kept: list[ImagePin] = []
    why: dict[Role, str] = {}
    for one in needed(variant, previous, uv):
        pin = previous.image(one.role) if previous else None
        if one.digest:
            kept.append(ImagePin(role=one.role, reference=one.reference, digest=one.digest))
        elif pin and pin.reference == one.reference and not _was_given(previous, pin):
            kept.append(pin)
        else:
            why[one.role] = said.get(called(one), "").removeprefix(_TAG) or NOT_ASKED
    return tuple(kept), why


def _was_given(previous: VariantLock | None, pin: ImagePin) -> bool:
    """Whether a digest was the profile's own: it goes when the profile no longer gives it."""
    return previous is not None and previous.input.image == f"{pin.reference}@{pin.digest}"


def _git(sources: Iterable[GitSource], previous: VariantLock | None) -> Iterator[GitPin]:
    before = {pin.name: pin for pin in previous.git} if previous else {}
    for source in sources:
        pin = before.get(source.name)
        if source.commit:
            yield GitPin(name=source.name, commit=source.commit)
        elif pin and (pin.url, pin.ref) == (source.url, source.ref):
            yield pin


def narrowed(apt: AptPins | None, names: Iterable[str]) -> AptPins | None:
    """The pins of some packages alone; None where none of them is pinned."""
    if apt is None:
        return None
    wanted = set(names)
    packages = tuple(text for text in apt.packages if text.partition("=")[0] in wanted)
    if not packages:
        return None
    return AptPins(archive=apt.archive, as_of=apt.as_of, snapshot=apt.snapshot, packages=packages)


def open_questions(variant: Variant, previous: VariantLock) -> tuple[str, ...]:
    """What a variant needs and its lock knows nothing of, in a few words each; empty when the lock
    pins it all or says why it does not."""
    now = standing(variant, previous, previous.packages)
    lines = [f"{one.reference} is not asked yet" for one in _not_asked(variant, now)]
    names = sorted(name for name, why in now.apt_why.items() if why == NOT_ASKED)
    if names:
        lines.append(f"apt packages not asked yet: {', '.join(names)}")
    pinned = {pin.name for pin in now.git}
    lines += [
        f"git {one.name}: {one.ref} is not asked yet"
        for one in variant.environment.git
        if one.name not in pinned
    ]
    return tuple(lines)


def _not_asked(variant: Variant, now: Pins) -> Iterator[NeededImage]:
    for one in needed(variant, None, ""):
        if now.image_why.get(one.role) == NOT_ASKED:
            yield NeededImage(role=one.role, reference=one.reference.removesuffix(":-"))


# --- What a lock says of what is not pinned ------------------------------------------------------

_TAG = "a tag: "


def called(image: NeededImage) -> str:
    """What an image is called in a lock that does not pin it."""
    return _INSTALLERS.get(image.role, image.reference)


def image_rows(variant: Variant, pins: Pins, *roles: Role) -> Iterator[Unpinned]:
    """The images of some roles that are not pinned, and why."""
    for one in needed(variant, None, ""):
        if one.role in roles and one.role in pins.image_why:
            yield Unpinned(what=called(one), why=f"{_TAG}{pins.image_why[one.role]}")


def apt_rows(pins: Pins) -> Iterator[Unpinned]:
    """The Debian packages that are not pinned, and why: those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for name, why in sorted(pins.apt_why.items()):
        reasons.setdefault(why, []).append(name)
    alone = len(reasons) == 1 and pins.apt is None
    for why, names in sorted(reasons.items()):
        yield Unpinned(what=_APT if alone else f"apt {', '.join(names)}", why=why)


def missing(locked: VariantLock) -> tuple[Unpinned, ...]:
    """The images and Debian packages that a lock does not pin: what asking again may help."""
    return tuple(
        row for row in locked.unpinned if row.why.startswith(_TAG) or row.what.startswith("apt ")
    )


def _apt_said(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What such rows say, by the name of a package; the empty name is for all."""
    for what, why in said.items():
        if what == _APT:
            yield "", why
        elif what.startswith("apt "):
            for name in what.removeprefix("apt ").split(", "):
                yield name, why


def offline(pins: Pins) -> Pins:
    """The same pins, where nobody is asked: what was said before of what is missing stands too."""

    def said(why: str) -> str:
        return OFFLINE if why == NOT_ASKED else why

    return msgspec.structs.replace(
        pins,
        image_why={role: said(why) for role, why in pins.image_why.items()},
        apt_why={name: said(why) for name, why in pins.apt_why.items()},
    )
