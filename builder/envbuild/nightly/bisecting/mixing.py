"""A mixture of two locks, as what the resolver is to prefer, and whether it gave that. Pure.

The resolver is not told by constraints, which would stand in the lock's input: it is handed the
mixture as the lock before, whose versions it keeps where it can, and what it gives is held against
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.lock import requirements
from envbuild.lock.conda.packages import Half, Standing, keeps
from envbuild.lock.folder import LockFolder
from envbuild.lock.inputs import solver_input
from envbuild.lock.model import CondaHalf, CondaPackage, LockedPackage, VariantLock
from envbuild.lock.planning import Job
from envbuild.lock.pypi import Question
from envbuild.nightly.bisecting.differing import APT, ROLES, Side
from envbuild.nightly.bisecting.model import Moved
from envbuild.nightly.bisecting.stating import PROFILE, conda_id
from envbuild.plan import Step
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.tools.conda import Keep

_NOT_THE_SAME = ("envbuild-mixture==0",)
"""Stands in the input of the lock before, so that it is never taken for the answer: every mixture
goes through the checks."""


class Mixture(Struct, frozen=True, kw_only=True):
    """Of ``nodes`` those in ``moved`` stand as in ``new``, the others as in ``old``; ``only`` is
    the one variant that this is about (empty: all), the others stand as in the new lock."""

    old: Side
    new: Side
    nodes: Moved
    moved: Moved
    only: str = ""

    def side(self, name: str) -> Side:
        """Where something stands; what is no node, where the profile stands."""
        node = name if name in self.nodes else PROFILE
        moved = node in self.moved if node in self.nodes else True
        return self.new if moved else self.old

    @property
    def as_of(self) -> str:
        """The latest moment of both locks (RFC 3339): what either holds was published by then."""
        sides = (self.old, self.new)
        return max(one.input.as_of for side in sides for one in side.lock.variants.values())


# --- What the resolver is handed -----------------------------------------------------------------


def jobs(mixture: Mixture, profile: ResolvedProfile) -> tuple[Job, ...]:
    """A job for each variant of a profile, which is the one that the mixture is of.

    Raises:
        InputError: a requirement cannot be read.
    """
    return tuple(_job(mixture, profile.name, variant) for variant in profile.variants)


def _job(mixture: Mixture, profile: str, variant: Variant) -> Job:
    name = variant.name
    stands = bool(mixture.only) and name != mixture.only
    half = name in mixture.old.lock.variants and name in mixture.new.lock.variants
    side = mixture.side(PROFILE) if half else mixture.new
    known = side.lock.variants.get(name)
    moment = mixture.as_of if (half and not stands) or not known else known.input.as_of
    indexes = known.input.indexes if known else ()
    asked, origins = solver_input(variant, as_of=moment, indexes=indexes)
    previous = mixed(mixture, name) if half and not stands else known
    question = Question(
        variant=variant,
        asked=asked,
        origins=origins,
        pins=pins(mixture, name) if half else "",
        upgrade=(),
        conda=standing(mixture, name) if half and asked.conda else Standing(),
    )
    step = Step(
        kind="lock",
        target=f"{profile}/{name}",
        action="skip" if stands and known else "run",
        reason="a mixture of two locks",
    )
    return Job(question=question, step=step, previous=previous)


def mixed(mixture: Mixture, name: str) -> VariantLock:
    """A variant's lock as the mixture would have it, for what is kept of a lock before."""
    base = mixture.side(PROFILE).lock.variants[name]
    roles = dict.fromkeys(pin.role for pin in base.images)
    images = (mixture.side(ROLES[role]).lock.variants[name].image(role) for role in roles)
    named = ((pin.name, pin) for pin in base.git)
    commits = {
        pin.name: pin
        for node, _ in named
        for pin in mixture.side(f"git {node}").lock.variants[name].git
        if pin.name == node
    }
    return msgspec.structs.replace(
        base,
        input=msgspec.structs.replace(base.input, as_of=mixture.as_of, installed=_NOT_THE_SAME),
        packages=tuple(_packages(mixture, name)),
        conda=None,
        images=tuple(pin for pin in images if pin) or base.images,
        apt=mixture.side(APT).lock.variants[name].apt,
        git=tuple(commits.get(pin.name, pin) for pin in base.git),
    )


def _packages(mixture: Mixture, name: str) -> Iterator[LockedPackage]:
    was, now = (
        {one.name: one for one in side.lock.variants[name].packages}
        for side in (mixture.old, mixture.new)
    )
    for package in sorted(was.keys() | now.keys()):
        first, second = (now, was) if package in mixture.moved else (was, now)
        yield first.get(package) or second[package]


def pins(mixture: Mixture, name: str) -> str:
    """The requirement text whose versions and hashes are preferred."""
    was, now = (_pinned(side.folder, name) for side in (mixture.old, mixture.new))
    chosen = []
    for package in sorted(was.keys() | now.keys()):
        first, second = (now, was) if package in mixture.moved else (was, now)
        chosen.append(first.get(package) or second[package])
    return requirements.render(chosen, heading="")


def _pinned(folder: LockFolder, name: str) -> dict[str, requirements.Pin]:
    assert folder.header is not None  # a side has a lock
    locked = folder.header.variants[name]
    texts = (folder.texts.get(one.path, b"") for one in (locked.wheels, locked.sources) if one)
    return {pin.name: pin for text in texts for pin in requirements.parse(text.decode())}


def standing(mixture: Mixture, name: str) -> Standing:
    """The conda packages that are preferred, by platform."""
    was, now = (_kept(side.folder, name) for side in (mixture.old, mixture.new))
    keep: dict[str, tuple[Keep, ...]] = {}
    for platform in was.keys() | now.keys():
        before, after = was.get(platform, {}), now.get(platform, {})
        chosen = []
        for package in sorted(before.keys() | after.keys()):
            moved = conda_id(package) in mixture.moved
            first, second = (after, before) if moved else (before, after)
            chosen.append(first.get(package) or second[package])
        keep[platform] = tuple(chosen)
    half = Half(solver="", packages=tuple(_wanted_conda(mixture, name).values()))
    return Standing(half=half, keep=keep)


def _kept(folder: LockFolder, name: str) -> dict[str, dict[str, Keep]]:
    assert folder.header is not None  # a side has a lock
    locked = folder.header.variants[name]
    half: CondaHalf | None = locked.conda
    if half is None or locked.input.conda is None:
        return {}
    texts = (folder.texts.get(file.path, b"").decode() for file in half.explicit)
    pairs = zip(locked.input.conda.targets, texts, strict=True)
    return {target.platform: {one.name: one for one in keeps(text)} for target, text in pairs}


def _wanted_conda(mixture: Mixture, name: str) -> dict[str, CondaPackage]:
    was, now = (
        {one.name: one for one in side.lock.variants[name].conda_packages}
        for side in (mixture.old, mixture.new)
    )
    found = {}
    for package in sorted(was.keys() | now.keys()):
        moved = conda_id(package) in mixture.moved
        first, second = (now, was) if moved else (was, now)
        found[package] = first.get(package) or second[package]
    return found


# --- What the resolver gave ----------------------------------------------------------------------


class Given(Struct, frozen=True, kw_only=True):
    """How a lock differs from the mixture that was wanted: ``differs`` in words, empty where it
    does not. ``instead`` is the mixture that it is; None: it holds what is in neither lock."""

    differs: tuple[str, ...]
    instead: Moved | None = None


def given(mixture: Mixture, made: LockFolder) -> Given:
    """Hold a lock against its mixture. Which packages are there at all is the resolver's to say;
    in which version they stand is the mixture's."""
    assert made.header is not None  # it was written a moment ago
    differs: list[str] = []
    instead = set(mixture.moved)
    foreign = False
    for name, locked in made.header.variants.items():
        if mixture.only and name != mixture.only:
            continue
        if not {name} <= mixture.old.lock.variants.keys() & mixture.new.lock.variants.keys():
            continue
        for one in _different(mixture, name, locked):
            differs.append(one.words)
            node = one.node
            if one.is_new is None or node not in mixture.nodes:
                foreign = True
            elif one.is_new:
                instead.add(node)
            else:
                instead.discard(node)
    return Given(
        differs=tuple(dict.fromkeys(differs)), instead=None if foreign else frozenset(instead)
    )


class _Difference(Struct, frozen=True):
    node: str
    words: str
    is_new: bool | None


def _different(mixture: Mixture, name: str, locked: VariantLock) -> Iterator[_Difference]:
    was, now = (side.lock.variants[name] for side in (mixture.old, mixture.new))
    yield from _held(
        mixture,
        {one.name: one.version for one in locked.packages},
        {one.name: one.version for one in was.packages},
        {one.name: one.version for one in now.packages},
    )
    yield from _held(
        mixture,
        {conda_id(one.name): _build(one) for one in locked.conda_packages},
        {conda_id(one.name): _build(one) for one in was.conda_packages},
        {conda_id(one.name): _build(one) for one in now.conda_packages},
    )


def _build(one: CondaPackage) -> str:
    return f"{one.version} ({one.build})"


def _held(
    mixture: Mixture, made: Mapping[str, str], was: Mapping[str, str], now: Mapping[str, str]
) -> Iterator[_Difference]:
    for node, version in made.items():
        first, second = (now, was) if node in mixture.moved else (was, now)
        wanted = first.get(node) or second.get(node)
        if wanted is None:
            words = f"{node} {version} comes with it, which neither lock has"
            yield _Difference(node, words, None)
        elif version != wanted:
            words = f"the resolver takes {node} {version} instead of {wanted}"
            is_new = (
                True if now.get(node) == version else False if was.get(node) == version else None
            )
            yield _Difference(node, words, is_new)
