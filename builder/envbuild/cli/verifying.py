"""Whether an image is what a lock says: its labels, and the packages in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from envbuild.build import guarding, planning, records
from envbuild.cli import locking
from envbuild.engines import images as engine_images
from envbuild.engines.model import Engine, ImageFacts
from envbuild.errors import InputError
from envbuild.lock import diff, folder, image_diff
from envbuild.lock.model import VariantLock
from envbuild.lock.moves import Move
from envbuild.tools import images, oci, proc, temporary, turns
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.profile.resolved import ResolvedProfile, Variant
    from envbuild.workspace import Profiles, Workspace

_BASE = "org.opencontainers.image.base.digest"
_SAVED = ("oci:", "tar:")

_NOTED = frozenset({"added", "bundle"})
"""What an image may have more than its lock: what its base brings."""


class Subject(Struct, frozen=True, kw_only=True):
    """A variant with its lock; ``moved`` is what moved since it was locked."""

    variant: Variant
    side: diff.LockSide
    moved: tuple[str, ...]

    @property
    def locked(self) -> VariantLock:
        """The lock of the variant."""
        return self.side.lock.variants[self.variant.name]

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self.side.lock.profile

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.profile}/{self.variant.name}"


Status = Literal["same", "other", "missing"]


class Verdict(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Whether an image is what a lock says.

    ``image`` is the reference that was looked at, ``identity`` what it is known by. ``reasons`` say
    why it is another, ``moves`` where its packages are not the lock's; ``notes`` is what it has
    beside them, which is no fault: a base brings packages of its own. ``as_built``: whether it is
    still as it was built, and ``by``, who says so, or why nobody knows. ``signature``: by whom
    cosign has found it signed, empty where that was not asked.
    """

    profile: str
    variant: str
    status: Status
    image: str
    identity: str = ""
    reasons: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    notes: tuple[Move, ...] = ()
    as_built: Literal["same", "other", "unknown"] = "unknown"
    by: str = ""
    signature: str = ""


def subjects(workspace: Workspace, found: Profiles, profile: ResolvedProfile) -> dict[str, Subject]:
    """The locked variants of a profile, by name.

    Raises:
        InputError: there is no lock, or it cannot be read.
    """
    state = locking.freshness_of(workspace, found, profile)
    kept = folder.read(*locking.workspace_path(workspace, profile.name))
    if kept.header is None or state.status == "broken":
        said = "".join(f"\n  {reason}" for reason in state.reasons)
        raise InputError(
            f"{profile.name}: lock is {state.status}{said}", hint=f"envbuild lock {profile.name}"
        )
    side = diff.side(kept)
    return {
        one.name: Subject(variant=one, side=side, moved=state.reasons)
        for one in profile.variants
        if one.name in kept.header.variants
    }


class Desk(Struct, frozen=True, kw_only=True):
    """What images are looked at with; ``read``: their packages too. ``engine`` is asked for where
    an image is not a saved one."""

    engine: Engine | None
    environ: Mapping[str, str]
    root: str
    read: bool


def saved(reference: str) -> bool:
    """Whether a reference is that of a saved image (``oci:DIR``, ``tar:FILE``)."""
    return reference.startswith(_SAVED)


def reference(root: str, subject: Subject) -> str:
    """The image that was built of a variant: by the identity in its record, else by its name."""
    built = records.read(root, subject.profile, subject.variant.name)
    return built.identity if built else planning.tags(subject.profile, subject.variant.name, ())[0]


def facts(named: str, desk: Desk) -> ImageFacts | None:
    """What an image says of itself; None where the engine has none of that name.

    Raises:
        InputError: a saved image cannot be read.
        ToolError: the engine failed.
    """
    if saved(named):
        with oci.opened(named.partition(":")[2], named) as image:
            return _facts(image)
    assert desk.engine is not None  # the caller found one
    return engine_images.facts(desk.engine, named, runner=proc.run, environ=desk.environ)


def _facts(image: oci.SavedImage) -> ImageFacts:
    said = image.config.get("config")
    return ImageFacts(
        identity=image.identity,
        platform=image.platform,
        size=0,
        labels=tuple(image.labels.items()),
        entrypoint=tuple(map(str, oci.items(said, "Entrypoint"))),
        command=tuple(map(str, oci.items(said, "Cmd"))),
        environment=tuple(
            (name, value)
            for name, _, value in (str(one).partition("=") for one in oci.items(said, "Env"))
        ),
        user=oci.text(said, "User"),
        workdir=oci.text(said, "WorkingDir"),
        layers=tuple(str(one) for one in oci.items(image.config.get("rootfs"), "diff_ids")),
    )


def verdict(subject: Subject, named: str, desk: Desk) -> Verdict:
    """Hold an image against the lock as it stands.

    Raises:
        InputError: the image cannot be read.
        ToolError: the engine failed, or the workspace cannot be written.
    """
    said = facts(named, desk)
    if said is None:
        return Verdict(
            profile=subject.profile,
            variant=subject.variant.name,
            status="missing",
            image=named,
            reasons=subject.moved,
        )
    reasons = (*subject.moved, *_labels(subject, said))
    moves = tuple(_moves(subject, named, desk)) if desk.read else ()
    faults = tuple(move for move in moves if move.risk not in _NOTED)
    return Verdict(
        profile=subject.profile,
        variant=subject.variant.name,
        status="other" if reasons or faults else "same",
        image=named,
        identity=said.identity,
        reasons=reasons,
        moves=faults,
        notes=tuple(move for move in moves if move.risk in _NOTED),
    )


def _labels(subject: Subject, said: ImageFacts) -> tuple[str, ...]:
    digest = folder.lock_digest(subject.locked)
    wanted = guarding.expected(subject.variant, lock_digest=digest, labels=())
    faults = guarding.in_facts(said, wanted)
    pin = subject.locked.image("base")
    stood_on = dict(said.labels).get(_BASE, "")
    if pin and stood_on != pin.digest:
        told = stood_on or "a base of no known digest"
        faults += (f"it stands on {told}, and the lock on {pin.digest} ({pin.reference})",)
    return faults


# --- Packages ------------------------------------------------------------------------------------


def _moves(subject: Subject, named: str, desk: Desk) -> Iterator[Move]:
    """Where the packages of the image are not the lock's."""
    name = subject.variant.name
    lock = msgspec.structs.replace(subject.side.lock, variants={name: subject.locked})
    side = msgspec.structs.replace(subject.side, lock=lock)
    with read(named, desk) as found:
        for move in image_diff.between_lock_and_image(side, found, image_is_new=True):
            if not move.what.startswith("label "):
                yield msgspec.structs.replace(move, variants=())
        for image in found:
            yield from _other_kinds(subject.locked, image)


@contextlib.contextmanager
def read(named: str, desk: Desk) -> Iterator[tuple[images.Image, ...]]:
    """What is in an image, one for each platform.

    Raises:
        InputError: it cannot be read.
        ToolError: the engine failed, or the workspace cannot be written.
    """
    kind, _, place = named.partition(":")
    if saved(named):
        reader = images.from_folder if kind == "oci" else images.from_archive
        yield reader(place, named)
        return
    assert desk.engine is not None  # the caller found one
    with work(desk.root) as scratch:
        path = f"{scratch}/image"
        if desk.engine.name == "buildah":
            engine_images.save(
                desk.engine, named, folder=path, runner=proc.run, environ=desk.environ
            )
            yield images.from_folder(path, named)
        else:
            engine_images.archive(
                desk.engine, named, path=path, runner=proc.run, environ=desk.environ
            )
            yield images.from_archive(path, named)


@contextlib.contextmanager
def work(root: str) -> Iterator[str]:
    """A folder in the workspace's private one, removed at the end.

    Raises:
        ToolError: it cannot be made.
    """
    try:
        place = os.path.abspath(turns.private_folder(root))
        with temporary.beside(f"{place}/verify") as path:
            os.mkdir(path)
            yield path
    except OSError as error:
        raise cannot_write(f"{root}/{turns.PRIVATE}", error) from None


def _other_kinds(locked: VariantLock, image: images.Image) -> Iterator[Move]:
    """apt's and conda's packages, as the lock pins them."""
    pins = (one.partition("=")[::2] for one in (locked.apt.packages if locked.apt else ()))
    wanted = {("apt", name): version for name, version in pins}
    wanted |= {("conda", one.name): one.version for one in locked.conda_packages}
    held: dict[tuple[str, str], set[str]] = {}
    for package in image.packages:
        held.setdefault((package.kind, package.name), set()).add(package.version)
    for (kind, name), version in sorted(wanted.items()):
        versions = held.get((kind, name), set())
        if version not in versions:
            here = ", ".join(sorted(versions))
            why = "the image has another version" if here else "the image does not have it"
            risk: Literal["other", "removed"] = "other" if here else "removed"
            yield Move(risk=risk, what=f"{kind} {name}", old=version, new=here, why=why)
