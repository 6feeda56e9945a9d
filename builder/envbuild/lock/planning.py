"""What locking would do, as data: a job for each variant, run or skipped, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.lock import freshness
from envbuild.lock.conda.inputs import spec_name
from envbuild.lock.conda.packages import Half, Standing, keeps
from envbuild.lock.folder import files_of
from envbuild.lock.inputs import solver_input
from envbuild.lock.pins import open_questions
from envbuild.lock.pypi import Question
from envbuild.names import canonical_name, requirement_name
from envbuild.plan import Step

if TYPE_CHECKING:
    from envbuild.lock.folder import LockFolder
    from envbuild.lock.model import CondaHalf, CondaInput, FileDigest, SolverInput, VariantLock
    from envbuild.profile.resolved import ResolvedProfile, Variant
    from envbuild.tools.conda import Keep


class Options(Struct, frozen=True, kw_only=True):
    """What the user asked of ``envbuild lock``.

    ``upgrade_packages`` are canonical names that may move; ``upgrade`` lets everything move.
    ``as_of`` stands above the profile's moment; ``indexes`` None keeps those of the old lock,
    and each variant asks those of them that it declares; ``force`` resolves what is fresh too.
    A conda half of unchanged input stands through all of them (each of its packages is pinned by
    its hash), unless ``refresh`` asks the channels again or ``solver`` names another program.
    """

    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    as_of: str | None = None
    indexes: tuple[str, ...] | None = None
    force: bool = False
    refresh: bool = False
    solver: str = ""


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
        asked_moved=_moved(variant, asked, previous),
        damage=_damage(folder, previous),
        options=options,
        previous=previous,
    )
    standing = _standing(folder, previous, asked, options)
    return Job(
        question=Question(
            variant=variant,
            asked=asked,
            origins=origins,
            pins="" if options.upgrade else _pins(folder, previous),
            upgrade=None if options.upgrade else options.upgrade_packages,
            conda=standing,
        ),
        step=Step(
            kind="lock",
            target=f"{profile}/{variant.name}",
            action="run" if reason else "skip",
            reason=reason or "unchanged",
        ),
        previous=previous,
    )


def _moved(
    variant: Variant, asked: SolverInput, previous: VariantLock | None
) -> tuple[str, ...] | None:
    """What moved since a variant was locked; None where it was not."""
    if previous is None:
        return None
    return freshness.moved(asked, previous) or open_questions(variant, previous)


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
    if previous and previous.conda and _other_solver(previous.conda, options):
        return f"conda packages by {options.solver}, were by {previous.conda.solver}"
    if options.refresh:
        return "everything is asked again"
    return "forced" if options.force else ""


def _moving(options: Options, previous: VariantLock | None) -> list[str]:
    """The packages of a lock that may move."""
    return sorted(_held(previous) & set(options.upgrade_packages))


def _held(previous: VariantLock | None) -> set[str]:
    """The canonical names of the packages of a lock, of both its halves."""
    if previous is None:
        return set()
    conda = {canonical_name(one.name) for one in previous.conda_packages}
    return conda | {package.name for package in previous.packages}


def _other_solver(half: CondaHalf, options: Options) -> bool:
    return bool(options.solver) and half.solver.partition(" ")[0] != options.solver


def _standing(
    folder: LockFolder, previous: VariantLock | None, asked: SolverInput, options: Options
) -> Standing:
    """The conda half of a lock, and whether it stands as it is."""
    half = previous.conda if previous else None
    if previous is None or half is None or previous.input.conda is None or asked.conda is None:
        return Standing()
    whole = not _damaged(folder, half.files())
    let_go = set(options.upgrade_packages)
    same = (previous.input.conda, previous.input.as_of) == (asked.conda, asked.as_of)
    of_conda = {canonical_name(one.name) for one in half.packages}
    moves = options.upgrade or bool(of_conda & let_go)
    stands = same and whole and not (moves or options.refresh or _other_solver(half, options))
    known = previous.input == asked and let_go <= of_conda and not options.upgrade
    free = options.upgrade or previous.input.conda.channels != asked.conda.channels
    return Standing(
        half=Half(solver=half.solver, packages=half.packages, demands=half.demands),
        stands=stands,
        keep={} if free or not whole else _kept(folder, previous.input.conda, half, let_go),
        demands=half.demands if known or stands else (),
    )


def _kept(
    folder: LockFolder, before: CondaInput, half: CondaHalf, let_go: set[str]
) -> dict[str, tuple[Keep, ...]]:
    """The conda packages to keep, by platform."""
    texts = (folder.texts[file.path].decode("utf-8", "replace") for file in half.explicit)
    return {
        target.platform: tuple(k for k in keeps(text) if canonical_name(k.name) not in let_go)
        for target, text in zip(before.targets, texts, strict=True)
    }


def _damage(folder: LockFolder, previous: VariantLock | None) -> str:
    return _damaged(folder, files_of(previous) if previous else ())


def _damaged(folder: LockFolder, files: Iterable[FileDigest]) -> str:
    for file in files:
        if folder.digest(file.path) != file.sha256:
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
        known |= _held(job.previous)
        conda = job.question.asked.conda
        known |= {canonical_name(spec_name(text)) for text in conda.packages} if conda else set()
    for name in names:
        if canonical_name(name) not in known:
            import difflib

            near = difflib.get_close_matches(canonical_name(name), sorted(known), n=3)
            raise InputError(
                f"no chosen profile locks {name!r}",
                hint=f"did you mean {' or '.join(near)}?" if near else None,
            )
