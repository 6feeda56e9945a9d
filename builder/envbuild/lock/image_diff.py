"""What moved between two images, or between a lock and an image; risk first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from envbuild.lock.diff import LockSide
from envbuild.lock.folder import lock_digest
from envbuild.lock.model import VariantLock
from envbuild.lock.moves import Move, Risk, grouped, newer, touches_cuda, version_move
from envbuild.tools.images import Image
from envbuild.tools.layers import ImagePackage

_PYTHON = re.compile(r"(?P<prefix>.*)/lib(?:64)?/python(?P<version>\d+\.\d+)(?=/|$)")
_DIGEST = "io.envbuild.lock-digest"
_VARIANT = "io.envbuild.variant"

_Copies = Mapping[str, ImagePackage]
"""The copies of one package by their place, whichever Python the place belongs to."""


def between_images(old: Iterable[Image], new: Iterable[Image]) -> tuple[Move, ...]:
    """Everything that moved from an image to another, for each platform that both have."""
    before = {image.platform: image for image in old}
    after = {image.platform: image for image in new}
    found: dict[str, list[Move]] = {"": []}
    if len(before) == len(after) == 1 and before.keys() != after.keys():
        (was,), (now,) = before, after
        why = "made for another machine"
        found[""].append(Move(risk="abi", what="platform", old=was, new=now, why=why))
        found[now] = [*_images(before[was], after[now])]
        return grouped(found)
    for platform in sorted(before.keys() | after.keys()):
        if platform in before and platform in after:
            found[platform] = [*_images(before[platform], after[platform])]
        else:
            here = ("", platform) if platform in after else (platform, "")
            found[""].append(Move(risk="input", what="platform", old=here[0], new=here[1]))
    return grouped(found)


def _images(old: Image, new: Image) -> Iterator[Move]:
    for key in sorted(old.labels.keys() | new.labels.keys()):
        before, after = old.labels.get(key, ""), new.labels.get(key, "")
        if before != after:
            yield Move(risk="input", what=f"label {key}", old=before, new=after)
    yield from _interpreters(old, new)
    copies_old, copies_new = _by_name(old), _by_name(new)
    for named in sorted(copies_old.keys() | copies_new.keys()):
        yield from _copies(named, copies_old.get(named, {}), copies_new.get(named, {}))


def _by_name(image: Image) -> dict[tuple[str, str], dict[str, ImagePackage]]:
    found: dict[tuple[str, str], dict[str, ImagePackage]] = {}
    for package in image.packages:
        place = _PYTHON.sub(r"\g<prefix>/lib/python", package.place)
        found.setdefault((package.kind, package.name), {})[place] = package
    return found


def _interpreters(old: Image, new: Image) -> Iterator[Move]:
    before, after = _pythons(old), _pythons(new)
    for prefix in sorted(before.keys() & after.keys()):
        was, now = (", ".join(sorted(found[prefix])) for found in (before, after))
        if was != now:
            risk, why = version_move("python", was, now)
            yield Move(risk=risk, what=f"Python of {prefix or '/'}", old=was, new=now, why=why)


def _pythons(image: Image) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package in image.packages:
        site = _PYTHON.match(package.place)
        if package.kind == "python" and site:
            found.setdefault(site["prefix"], set()).add(site["version"])
    return found


def _copies(key: tuple[str, str], old: _Copies, new: _Copies) -> Iterator[Move]:
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    several = len(old) > 1 or len(new) > 1
    pairs = [(place, place) for place in sorted(old.keys() & new.keys())]
    if len(gone) == len(come) == 1:
        pairs.append((gone.pop(), come.pop()))
    for before, after in pairs:
        was, now = old[before], new[after]
        what = _what(key, now.place if several else "")
        yield from _versions(what, was, now)
        if before != after and was.version == now.version:
            yield Move(risk="other", what=what, old=was.place, new=now.place, why="another place")
    for place in gone:
        why = "one copy less" if new else ""
        yield _one_sided(key, old[place], several=several, why=why, gone=True)
    for place in come:
        others = ", ".join(f"{one.version} in {one.place}" for one in new.values())
        why = f"one copy more: which is imported depends on the path: {others}" if old else ""
        yield _one_sided(key, new[place], several=several, why=why, gone=False)


def _what(key: tuple[str, str], place: str) -> str:
    kind, name = key
    shown = name if kind == "python" else f"{kind} {name}"
    return f"{shown} in {place}" if place else shown


def _one_sided(
    key: tuple[str, str], package: ImagePackage, *, several: bool, why: str, gone: bool
) -> Move:
    risk: Risk = "removed" if gone else "added"
    if why and not gone and key[0] == "python":
        risk = "bundle"
    elif touches_cuda(key[1]):
        risk = "cuda"
    old, new = (package.version, "") if gone else ("", package.version)
    what = _what(key, package.place if several else "")
    return Move(risk=risk, what=what, old=old, new=new, why=why)


def _versions(what: str, old: ImagePackage, new: ImagePackage) -> Iterator[Move]:
    if old.version != new.version:
        risk, why = version_move(new.name, old.version, new.version)
        yield Move(risk=risk, what=what, old=old.version, new=new.version, why=why)
    elif old.build != new.build:
        why = f"another build of {new.version}"
        yield Move(risk="other", what=what, old=old.build, new=new.build, why=why)
    if old.origin != new.origin:
        why = "comes from another channel"
        yield Move(risk="security", what=what, old=old.origin, new=new.origin, why=why)


# --- A lock and an image -------------------------------------------------------------------------


def between_lock_and_image(
    lock: LockSide, images: Iterable[Image], *, image_is_new: bool
) -> tuple[Move, ...]:
    """Where an image has something else than a lock says, for each variant of its platform."""
    found: dict[str, list[Move]] = {}
    for image in images:
        for name in _variants(lock, image):
            found[name] = [*_against(lock.lock.variants[name], image, image_is_new=image_is_new)]
    return grouped(found)


def variants(lock: LockSide, images: Iterable[Image]) -> tuple[str, ...]:
    """The variants of the lock that are made for a platform of the images."""
    return tuple(dict.fromkeys(name for image in images for name in _variants(lock, image)))


def _variants(lock: LockSide, image: Image) -> tuple[str, ...]:
    named = image.labels.get(_VARIANT, "")
    if named in lock.lock.variants:
        return (named,)
    platform = image.platform.replace("/", "-")
    return tuple(name for name in lock.lock.variants if name.startswith(f"{platform}-"))


def _against(locked: VariantLock, image: Image, *, image_is_new: bool) -> Iterator[Move]:
    made_from = image.labels.get(_DIGEST, "")
    digest = lock_digest(locked)
    if made_from and made_from != digest:
        why = "the image was made from another lock"
        old, new = _ordered(digest, made_from, image_is_new=image_is_new)
        yield Move(risk="input", what=f"label {_DIGEST}", old=old, new=new, why=why)
    wanted = {row.name: row.version for row in locked.provided}
    wanted |= {package.name: package.version for package in locked.packages}
    copies = {name: found for (kind, name), found in _by_name(image).items() if kind == "python"}
    for name in sorted(wanted.keys() | copies.keys()):
        held = [one.version for one in copies.get(name, {}).values()]
        version = wanted.get(name)
        if version is None:
            place = ", ".join(one.place for one in copies[name].values())
            why = f"the lock does not name it; in {place}"
            yield _one_side(name, "", ", ".join(held), why=why, image_is_new=image_is_new)
        elif not held:
            why = "the image does not have it"
            yield _one_side(name, version, "", why=why, image_is_new=image_is_new)
        elif version and set(held) != {version}:
            yield _other_copies(name, version, held, image_is_new=image_is_new)


def _ordered(in_lock: str, in_image: str, *, image_is_new: bool) -> tuple[str, str]:
    return (in_lock, in_image) if image_is_new else (in_image, in_lock)


def _one_side(name: str, in_lock: str, in_image: str, *, why: str, image_is_new: bool) -> Move:
    old, new = _ordered(in_lock, in_image, image_is_new=image_is_new)
    risk: Risk = "added" if bool(in_image) == image_is_new else "removed"
    return Move(risk=risk, what=name, old=old, new=new, why=why)


def _other_copies(name: str, version: str, held: list[str], *, image_is_new: bool) -> Move:
    others = sorted(set(held) - {version})
    shown = ", ".join(sorted(set(held)))
    if version in held:
        risk: Risk = "bundle"
        why = "another copy beside it: which one is imported depends on the path"
    else:
        newest = others[0]
        for other in others[1:]:
            newest = other if newer(newest, other) else newest
        risk, why = version_move(name, *_ordered(version, newest, image_is_new=image_is_new))
    old, new = _ordered(version, shown, image_is_new=image_is_new)
    return Move(risk=risk, what=name, old=old, new=new, why=why)
