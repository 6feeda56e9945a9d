"""What moved between two locks, risk first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.knowledge import facts
from envbuild.lock import moved_inputs, moved_pins, requirements
from envbuild.lock.conda import moves as conda_moves
from envbuild.lock.folder import LockFolder, files_of
from envbuild.lock.model import FileDigest, Lock, LockedPackage, VariantLock
from envbuild.lock.moves import (
    Move,
    Risk,
    grouped,
    number,
    paired_label,
    pairs,
    touches_cuda,
    version_move,
)
from envbuild.lock.overlay import CONDA
from envbuild.names import canonical_name, requirement_name

_STRENGTH = {"wheel": 0, "vendor": 1, "source": 2, "stub": 3}
"""How much of what is installed a hash covers: all of it, first."""

_SHOWN = 2
"""How many of those who ask for a move are named."""


class LockSide(Struct, frozen=True, kw_only=True):
    """One side of a comparison: a lock, and by variant and package the hashes of its files.

    ``edited`` are files of the folder that are not what the header says.
    """

    label: str
    lock: Lock
    hashes: Mapping[str, Mapping[str, frozenset[str]]]
    edited: tuple[str, ...] = ()


def side(folder: LockFolder) -> LockSide:
    """A lock folder as one side of a comparison.

    Raises:
        InputError: there is no lock, or one of its requirement files is missing or not ours.
    """
    if folder.header is None:
        raise InputError(f"{folder.label} holds no lock", hint="envbuild lock writes it")
    hashes: dict[str, dict[str, frozenset[str]]] = {}
    edited: list[str] = []
    for name, variant in folder.header.variants.items():
        files = (variant.wheels, variant.sources) if variant.sources else (variant.wheels,)
        hashes[name] = {}
        for file in files:
            hashes[name] |= _hashes(folder, file)
        edited += [
            file.path for file in files_of(variant) if folder.digest(file.path) != file.sha256
        ]
    return LockSide(
        label=folder.label, lock=folder.header, hashes=hashes, edited=tuple(sorted(set(edited)))
    )


def _hashes(folder: LockFolder, file: FileDigest) -> dict[str, frozenset[str]]:
    data = folder.texts.get(file.path)
    if data is None:
        raise InputError(
            f"{folder.label}/{file.path} is missing",
            hint="the hashes of the lock stand there: restore it from version control",
        )
    try:
        pins = requirements.parse(data.decode())
    except ValueError as error:
        raise InputError(
            f"{folder.label}/{file.path} cannot be read: {error}",
            hint="restore it from version control, or lock again",
        ) from None
    return {pin.name: frozenset(pin.hashes) for pin in pins}


def moved(old: LockSide, new: LockSide) -> tuple[Move, ...]:
    """Everything that moved from one lock to the other, the riskiest first."""
    found: dict[str, list[Move]] = {"": [*moved_inputs.of_whole_locks(old.lock, new.lock)]}
    for one, where in ((old, "old"), (new, "new")):
        for path in one.edited:
            why = f"the {where} lock's file is not what its header says"
            found[""].append(Move(risk="security", what=path, why=why))
    for before, after in pairs(tuple(old.lock.variants), tuple(new.lock.variants)):
        if before and after:
            label = paired_label(before, after)
            found[label] = [*_variant(_Half.of(old, before), _Half.of(new, after))]
            found[label] += _accelerator(before, after)
        else:
            why = "a new variant" if after else "is no longer locked"
            found[""].append(Move(risk="input", what="variant", old=before, new=after, why=why))
    return grouped(found)


def labels(old: LockSide, new: LockSide) -> tuple[str, ...]:
    """What the variants that are held against each other are called in the moves."""
    matched = pairs(tuple(old.lock.variants), tuple(new.lock.variants))
    return tuple(paired_label(before, after) for before, after in matched if before and after)


def _accelerator(old: str, new: str) -> Iterator[Move]:
    before, after = (name.rpartition("-")[2] for name in (old, new))
    if before != after:
        why = "made for another CUDA: drivers and compiled code must fit"
        yield Move(risk="cuda", what="accelerator", old=before, new=after, why=why)


# --- The packages of one variant -----------------------------------------------------------------


class _Half(Struct, frozen=True, kw_only=True):
    """One variant of one side. ``image`` is what the image brings; an empty version: not known."""

    locked: VariantLock
    packages: Mapping[str, LockedPackage]
    image: Mapping[str, str]
    hashes: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, one: LockSide, variant: str) -> _Half:
        locked = one.lock.variants[variant]
        image = {requirement_name(text): _exact(text) for text in locked.input.bundle}
        for row in locked.provided:
            if row.by != CONDA:
                image[row.name] = row.version or image.get(row.name, "")
        packages = {package.name: package for package in locked.packages}
        hashes = one.hashes[variant]
        return cls(locked=locked, packages=packages, image=image, hashes=hashes)

    def version(self, name: str) -> str:
        package = self.packages.get(name)
        return package.version if package else self.image.get(name, "")


def _exact(requirement: str) -> str:
    return requirement.partition("==")[2]


def _variant(old: _Half, new: _Half) -> Iterator[Move]:
    yield from moved_inputs.moved(old.locked, new.locked)
    yield from moved_pins.moved(old.locked, new.locked)
    yield from conda_moves.moved(old.locked.conda, new.locked.conda)
    names = old.packages.keys() | old.image.keys() | new.packages.keys() | new.image.keys()
    for name in sorted(names):
        yield from _package(name, old, new)


def _package(name: str, old: _Half, new: _Half) -> Iterator[Move]:
    before, after = old.packages.get(name), new.packages.get(name)
    if before and after:
        yield from _locked_twice(before, after, old, new=new)
    elif after:
        yield _come(after, old, new)
    elif before:
        yield _gone(before, new)
    else:
        yield from _in_the_image(name, old, new)


def _locked_twice(
    before: LockedPackage, after: LockedPackage, old: _Half, *, new: _Half
) -> Iterator[Move]:
    name = after.name
    if before.version != after.version:
        risk, why = version_move(name, before.version, after.version)
        risk, why = _with_torch(name, old, new) or (risk, why)
        reasons = (why, _companions_left(name, old, new, risk=risk), _because(before, after))
        why = "; ".join(filter(None, reasons))
        yield Move(risk=risk, what=name, old=before.version, new=after.version, why=why)
    else:
        was, now = old.hashes.get(name, frozenset()), new.hashes.get(name, frozenset())
        yield from _files(name, after.version, was, now=now)
    if before.integrity != after.integrity:
        yield _integrity(name, before.integrity, after.integrity)


def _files(name: str, version: str, was: frozenset[str], *, now: frozenset[str]) -> Iterator[Move]:
    """Hashes that moved under one version: a published file never changes its own."""
    gone, come = was - now, now - was
    risk: Risk = "security" if gone else "other"
    why = f"{len(come)} more of its files are accepted"
    if gone and come and not was & now:
        why = "the same version with other hashes"
    elif gone:
        more = f", {len(come)} new" if come else ""
        why = f"{len(gone)} of {len(was)} hashes of the same version vanished{more}"
    if gone or come:
        yield Move(risk=risk, what=name, old=version, new=version, why=why)


def _integrity(name: str, before: str, after: str) -> Move:
    weaker = _STRENGTH[after] > _STRENGTH[before]
    risk: Risk = "security" if weaker else "other"
    why = {
        "source": "its hash covers the source; what is built from it is not pinned",
        "stub": "its hash covers a placeholder; what that fetches is not pinned",
        "vendor": "pinned only where the vendor's index answers",
        "wheel": "its hash covers what is installed now",
    }[after]
    return Move(risk=risk, what=name, old=before, new=after, why=why)


def _come(package: LockedPackage, old: _Half, new: _Half) -> Move:
    name, version = package.name, package.version
    asked = _askers(package)
    risk: Risk = "cuda" if touches_cuda(name) else "added"
    if name in old.image or name in new.image:
        brought = old.image.get(name) or new.image.get(name) or ""
        why = f"a second copy over the one that the image brings{asked and f'; {asked}'}"
        shown = f"{brought or '?'} (image)"
        return Move(risk="bundle", what=name, old=shown, new=version, why=why)
    return Move(risk=risk, what=name, new=version, why=asked)


def _gone(package: LockedPackage, new: _Half) -> Move:
    name, version = package.name, package.version
    if name in new.image:
        why = "left to the image's own copy now"
        shown = f"{new.image[name] or '?'} (image)"
        return Move(risk="bundle", what=name, old=version, new=shown, why=why)
    risk: Risk = "cuda" if touches_cuda(name) else "removed"
    return Move(risk=risk, what=name, old=version)


def _in_the_image(name: str, old: _Half, new: _Half) -> Iterator[Move]:
    before, after = old.image.get(name), new.image.get(name)
    if before is None:
        yield Move(risk="added", what=name, new=f"{after or '?'} (image)", why="the image's own")
    elif after is None:
        yield Move(risk="removed", what=name, old=f"{before or '?'} (image)", why="the image's own")
    elif before and after and before != after:
        risk, why = version_move(name, before, after)
        why = "; ".join(filter(None, ("the image's own", why)))
        yield Move(risk=risk, what=name, old=f"{before} (image)", new=f"{after} (image)", why=why)


# --- Why it moved, and what it takes with it -----------------------------------------------------


def _because(before: LockedPackage, after: LockedPackage) -> str:
    """Those who ask otherwise than before."""
    known = {(request.by, request.bounds) for request in before.requested}
    asked = [row for row in after.requested if (row.by, row.bounds) not in known and row.bounds]
    return _named(tuple(f"{row.by} ({row.bounds})" for row in asked), "now asked for by")


def _askers(package: LockedPackage) -> str:
    asked = (f"{r.by} ({r.bounds})" if r.bounds else r.by for r in package.requested)
    return _named(tuple(asked), "asked for by")


def _named(askers: tuple[str, ...], words: str) -> str:
    more = f" and {len(askers) - _SHOWN} more" if len(askers) > _SHOWN else ""
    return f"{words} {', '.join(askers[:_SHOWN])}{more}" if askers else ""


def _companion_names(version: str) -> frozenset[str]:
    rows = facts.companions(re.split(r"[+ ]", version)[0])
    return frozenset(canonical_name(requirement_name(row.requirement)) for row in rows)


def _torch_moved(old: _Half, new: _Half) -> frozenset[str]:
    """What is compiled against torch, where its minor version moved; else nothing."""
    before, after = old.version("torch"), new.version("torch")
    was, now = number(before), number(after)
    if was is None or now is None or was.leading(2) == now.leading(2):
        return frozenset()
    return _companion_names(before) | _companion_names(after)


def _with_torch(name: str, old: _Half, new: _Half) -> tuple[Literal["abi"], str] | None:
    if name in _torch_moved(old, new):
        return "abi", "compiled against torch, which moved too"
    return None


def _companions_left(name: str, old: _Half, new: _Half, *, risk: Risk) -> str:
    """Of torch's companions, those that did not move with it."""
    if name != "torch" or risk != "abi":
        return ""
    left = [
        other
        for other in sorted(_torch_moved(old, new))
        if new.version(other) and old.version(other) == new.version(other)
    ]
    return f"not moved with it: {', '.join(left)}" if left else ""
