"""The files of a lock folder from what the solvers answered. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.lock import requirements
from envbuild.lock.bounds import specifiers
from envbuild.lock.conda import files as conda_files
from envbuild.lock.conda.files import Member, ReadLock
from envbuild.lock.folder import encode, input_digest, sha256
from envbuild.lock.model import (
    HEADER,
    LOCK_FORMAT,
    FileDigest,
    Lock,
    LockedPackage,
    Relaxation,
    Unpinned,
    VariantLock,
)
from envbuild.lock.pins import Pins, apt_rows, image_rows, offline, standing
from envbuild.names import canonical_name, requirement_name

if TYPE_CHECKING:
    from envbuild.lock.conda.packages import Half
    from envbuild.lock.folder import LockFolder
    from envbuild.lock.model import CondaHalf, Provided, SolverInput, Unknown
    from envbuild.lock.pins import Pinned
    from envbuild.lock.requirements import Pin
    from envbuild.profile.resolved import Variant

HEADING = """\
Locked by envbuild for the profile {profile}: do not edit, change the profile and lock again.
{what}"""
_WHEELS = "Everything here installs from wheels: pip install --no-deps --require-hashes -r FILE"
_SOURCES = "Everything here is built from source, or is a placeholder that fetches a wheel."


class Answer(Struct, frozen=True, kw_only=True):
    """What is to be written for one variant; ``steps`` led to its two halves, for people.

    ``pinned`` None: nobody was asked for pins.
    """

    variant: Variant
    asked: SolverInput
    pins: tuple[Pin, ...]
    packages: tuple[LockedPackage, ...]
    provided: tuple[Provided, ...]
    unknown: tuple[Unknown, ...] = ()
    conda: Half | CondaHalf | None = None
    pinned: Pinned | None = None
    steps: tuple[str, ...] = ()

    def other_pins(self) -> Pins:
        """What else is pinned; what is known without asking where nobody was asked."""
        if self.pinned is not None:
            return self.pinned.pins
        return offline(standing(self.variant, None, self.packages))


class Sources(Struct, frozen=True, kw_only=True):
    """What is asked only when it is needed: ``tools`` for their versions, when something moved;
    ``read`` for the packages of a conda lock that is written anew though one of its halves
    stands."""

    tools: Callable[[], Mapping[str, str]]
    read: ReadLock


def folder_files(
    profile: str,
    answers: Mapping[str, Answer | VariantLock],
    *,
    kept: LockFolder,
    copied: Mapping[str, bytes],
    sources: Sources,
) -> dict[str, bytes]:
    """Every file of ``lockfiles/<profile>/`` by path.

    ``answers`` holds, in the profile's order, a new answer or the lock that stays; ``kept`` is the
    folder as it is, ``copied`` the profile's own files by path. Equal requirement files are kept
    once, under the name of the first variant that has them. Tool versions stay as they were when
    nothing else moves.
    """
    tree = _Tree(profile)
    variants = {
        name: tree.kept(answer, kept)
        if isinstance(answer, VariantLock)
        else tree.locked(name, answer)
        for name, answer in answers.items()
    }
    variants = tree.with_conda(variants, answers, kept, read=sources.read)
    digests = tuple(
        FileDigest(path=f"files/{path}", sha256=sha256(data))
        for path, data in sorted(copied.items())
    )
    lock = kept.header
    if lock is None or (lock.variants, lock.files) != (variants, digests):
        lock = Lock(
            format=LOCK_FORMAT,
            profile=profile,
            tools=dict(sources.tools()),
            variants=variants,
            files=digests,
        )
    own = {f"files/{path}": data for path, data in copied.items()}
    return {**own, **tree.written, HEADER: encode(lock)}


class _Tree:
    """The requirement files of a folder as they come: equal ones stand there once."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.written: dict[str, bytes] = {}
        self._places: dict[str, str] = {}

    def kept(self, lock: VariantLock, folder: LockFolder) -> VariantLock:
        """A lock that stands, with its files."""
        for file in (lock.wheels, lock.sources):
            if file:
                self.written[file.path] = folder.texts[file.path]
                self._places.setdefault(file.sha256, file.path)
        return lock

    def locked(self, name: str, answer: Answer) -> VariantLock:
        """The lock of a new answer, with its files."""
        integrity = {package.name: package.integrity for package in answer.packages}
        wheels = [pin for pin in answer.pins if integrity[pin.name] == "wheel"]
        sources = [pin for pin in answer.pins if integrity[pin.name] != "wheel"]
        variant, asked, pins = answer.variant, answer.asked, answer.other_pins()
        return VariantLock(
            digest=input_digest(asked),
            input=asked,
            wheels=self._place(f"{name}.txt", wheels, _WHEELS),
            sources=self._place(f"{name}.sdist.txt", sources, _SOURCES) if sources else None,
            packages=answer.packages,
            provided=answer.provided,
            images=pins.images,
            apt=pins.apt,
            git=pins.git,
            relaxations=relaxations(variant),
            unpinned=unpinned(
                variant, asked, packages=answer.packages, provided=answer.provided, pins=pins
            ),
            unknown=answer.unknown,
        )

    def with_conda(
        self,
        variants: dict[str, VariantLock],
        answers: Mapping[str, Answer | VariantLock],
        kept: LockFolder,
        *,
        read: ReadLock,
    ) -> dict[str, VariantLock]:
        """The locks with their conda halves, whose files many variants share."""
        members = [
            Member(
                variant=name,
                asked=locked.input.conda,
                as_of=locked.input.as_of,
                half=half,
                wheels=locked.wheels.path,
            )
            for name, locked in variants.items()
            if locked.input.conda and (half := answers[name].conda)
        ]
        halves, texts = conda_files.halves(self.profile, members, kept=kept.texts, read=read)
        self.written |= texts
        return {
            name: msgspec.structs.replace(locked, conda=halves.get(name))
            for name, locked in variants.items()
        }

    def _place(self, path: str, pins: Iterable[Pin], what: str) -> FileDigest:
        heading = HEADING.format(profile=self.profile, what=what)
        data = requirements.render(pins, heading=heading).encode()
        digest = sha256(data)
        place = self._places.setdefault(digest, path)
        self.written[place] = data
        return FileDigest(path=place, sha256=digest)


def relaxations(variant: Variant) -> tuple[Relaxation, ...]:
    """Every bound that the profile sets aside, with its reason."""
    python = variant.environment.python
    rows = [
        Relaxation(kind="override", requirement=row.requirement, reason=row.reason)
        for row in python.overrides
    ]
    rows += [
        Relaxation(kind="exclude", requirement=row.package, reason=row.reason)
        for row in python.exclude
    ]
    rows += [
        Relaxation(kind="no-deps", requirement=row.package, reason=row.reason)
        for row in python.no_deps
    ]
    rows += [
        Relaxation(
            kind="metadata",
            requirement=f"{row.name}=={row.version}" if row.version else row.name,
            reason=row.source,
        )
        for row in python.metadata
    ]
    return tuple(sorted(rows, key=lambda row: (row.kind, row.requirement)))


def refreshed(variant: Variant, locked: VariantLock) -> VariantLock:
    """A lock that stands, with what it says from the profile alone said as the profile says now."""
    system = {
        canonical_name(row.package): row.apt for row in variant.environment.python.build_from_source
    }
    packages = tuple(
        msgspec.structs.replace(package, system=system.get(package.name, ()))
        for package in locked.packages
    )
    pins = standing(variant, locked, packages)
    return msgspec.structs.replace(
        locked,
        packages=packages,
        images=pins.images,
        apt=pins.apt,
        git=pins.git,
        relaxations=relaxations(variant),
        unpinned=unpinned(
            variant, locked.input, packages=packages, provided=locked.provided, pins=pins
        ),
    )


def unpinned(
    variant: Variant,
    asked: SolverInput,
    *,
    packages: Iterable[LockedPackage],
    provided: Iterable[Provided],
    pins: Pins,
) -> tuple[Unpinned, ...]:
    """What the image needs and this lock does not pin, and why."""
    python = variant.environment.python
    rows = [*image_rows(variant, pins, "base", "build")]
    if python.source == "uv":
        why = "the patch release that the locked version of uv brings"
        rows.append(Unpinned(what=f"Python {python.version}", why=why))
    rows += [*image_rows(variant, pins, "uv", "micromamba"), *apt_rows(pins)]
    rows += _of_packages({package.integrity for package in packages})
    unknown = {row.name for row in provided if not row.version}
    rows += [
        Unpinned(what=text, why="the image has it, in a version that is not known")
        for text in (*asked.requirements, *asked.constraints)
        if requirement_name(text) in unknown and specifiers(text)
    ]
    return tuple(rows)


def _of_packages(integrities: Container[str]) -> list[Unpinned]:
    """What the hashes of Python packages do not cover."""
    said = (
        (
            "stub" in integrities,
            "placeholder packages",
            "their hash covers the placeholder; the wheel comes from the vendor's index",
        ),
        (
            "vendor" in integrities,
            "placeholder packages, where the public index answers",
            "both hashes are locked; that of the placeholder does not cover what it fetches",
        ),
        (
            "source" in integrities,
            "build requirements",
            "of packages built from source: constrained, not hashed",
        ),
    )
    return [Unpinned(what=what, why=why) for holds, what, why in said if holds]
