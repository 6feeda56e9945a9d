"""What locking would do, as data: a job for each variant, run or skipped, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.lock import freshness
from envbuild.lock.inputs import solver_input
from envbuild.lock.pypi import Question
from envbuild.names import canonical_name, requirement_name
from envbuild.plan import Step

if TYPE_CHECKING:
    from envbuild.lock.folder import LockFolder
    from envbuild.lock.model import VariantLock
    from envbuild.profile.resolved import ResolvedProfile, Variant


class Options(Struct, frozen=True, kw_only=True):
    """What the user asked of ``envbuild lock``.

    ``upgrade_packages`` are canonical names that may move; ``upgrade`` lets everything move.
    ``as_of`` stands above the profile's moment; ``indexes`` None keeps those of the old lock,
    and each variant asks those of them that it declares; ``force`` resolves what is fresh too.
    """

    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    as_of: str | None = None
    indexes: tuple[str, ...] | None = None
    force: bool = False


class Job(Struct, frozen=True, kw_only=True):
    """One variant to lock. ``previous`` is its lock now, if it has one that is whole."""

    question: Question
    step: Step
    previous: VariantLock | None = None


def plan(
    profile: ResolvedProfile, folder: LockFolder, options: Options, *, now: str
) -> tuple[Job, ...]:
    """A job for each variant of a profile.

    ``now`` is the moment taken when neither the user, the profile nor the old lock names one.

    Raises:
        InputError: a requirement cannot be read.
    """
    return tuple(_job(profile.name, variant, folder, options, now) for variant in profile.variants)


def _job(profile: str, variant: Variant, folder: LockFolder, options: Options, now: str) -> Job:
    previous = folder.header.variants.get(variant.name) if folder.header else None
    moving = _moving(options, previous)
    kept = previous.input.as_of if previous and not options.upgrade and not moving else None
    moment = options.as_of or variant.environment.as_of or kept or now
    indexes = previous.input.indexes if previous else ()
    if options.indexes is not None:
        declared = _declared(variant)
        indexes = tuple(name for name in options.indexes if name in declared)
    asked, origins = solver_input(variant, as_of=moment, indexes=indexes)
    reason = _reason(
        asked_moved=freshness.moved(asked, previous) if previous else None,
        damage=_damage(folder, previous),
        options=options,
        previous=previous,
    )
    return Job(
        question=Question(
            variant=variant,
            asked=asked,
            origins=origins,
            pins="" if options.upgrade else _pins(folder, previous),
            upgrade=None if options.upgrade else options.upgrade_packages,
        ),
        step=Step(
            kind="lock",
            target=f"{profile}/{variant.name}",
            action="run" if reason else "skip",
            reason=reason or "unchanged",
        ),
        previous=previous,
    )


def _reason(
    *,
    asked_moved: tuple[str, ...] | None,
    damage: str,
    options: Options,
    previous: VariantLock | None,
) -> str:
    """Why a variant must be resolved; empty when it need not be."""
    if asked_moved is None:
        return "not locked yet"
    if damage:
        return damage
    if asked_moved:
        return "; ".join(asked_moved)
    if options.upgrade:
        return "everything may move"
    moving = _moving(options, previous)
    if moving:
        return f"{', '.join(moving)} may move"
    return "forced" if options.force else ""


def _moving(options: Options, previous: VariantLock | None) -> list[str]:
    """The packages of a lock that may move."""
    held = {package.name for package in previous.packages} if previous else set()
    return sorted(held & set(options.upgrade_packages))


def _damage(folder: LockFolder, previous: VariantLock | None) -> str:
    for file in (previous.wheels, previous.sources) if previous else ():
        if file and folder.digest(file.path) != file.sha256:
            return f"{file.path} is not what was locked"
    return ""


def _pins(folder: LockFolder, previous: VariantLock | None) -> str:
    """The requirement text of the old lock: the versions in it are kept."""
    if previous is None:
        return ""
    paths = (previous.wheels, previous.sources)
    texts = (folder.texts.get(file.path, b"") for file in paths if file)
    return "".join(text.decode("utf-8", "replace") for text in texts)


def refuse_unknown_indexes(names: Iterable[str], jobs: Iterable[Job]) -> None:
    """Refuse to ask an index that no profile declares.

    Raises:
        InputError: with the names of those that are declared.
    """
    declared = {name for job in jobs for name in _declared(job.question.variant)}
    for name in names:
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise InputError(
                f"no chosen profile declares an index {name!r}", hint=f"declared: {known}"
            )


def _declared(variant: Variant) -> tuple[str, ...]:
    return tuple(index.name for index in variant.environment.python.indexes)


def refuse_unknown_packages(names: Iterable[str], jobs: Iterable[Job]) -> None:
    """Refuse to upgrade what no profile locks or requires.

    Raises:
        InputError: with the names that are near.
    """
    known: set[str] = set()
    for job in jobs:
        known |= {requirement_name(text) for text in job.question.asked.requirements}
        known |= {package.name for package in job.previous.packages} if job.previous else set()
    for name in names:
        if canonical_name(name) not in known:
            import difflib

            near = difflib.get_close_matches(canonical_name(name), sorted(known), n=3)
            raise InputError(
                f"no chosen profile locks {name!r}",
                hint=f"did you mean {' or '.join(near)}?" if near else None,
            )
