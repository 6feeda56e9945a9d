"""The way of one variant after the other from its lock into a vendored folder."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from envbuild.build import fetching, planning
from envbuild.build.vendor import checking, collecting, loading, manifest, pulling
from envbuild.build.vendor import planning as vendor_planning
from envbuild.build.vendor.model import FILES, Artifact, Image, Target, Vendored
from envbuild.cli import locking
from envbuild.cli.condatool import user_settings
from envbuild.cli.uvtool import Tool
from envbuild.engines import finding
from envbuild.engines.model import Engine
from envbuild.errors import EnvbuildError, ToolError
from envbuild.lock import folder as lock_folder
from envbuild.lock.folder import lock_digest
from envbuild.render import inputs
from envbuild.tools import files, proc, store, turns
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.build.planning import Left
    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile, Variant
    from envbuild.render.model import StageImage
    from envbuild.tools.references import Mirror
    from envbuild.workspace import Profiles

Status = Literal["vendored", "unchanged", "incomplete", "failed", "skipped"]


class Options(Struct, frozen=True, kw_only=True):
    """How to vendor: into which folder, which variants, with which engine's apt, by which mirrors,
    and how many parts of images at a time."""

    folder: str
    variants: tuple[str, ...]
    engine: str
    mirrors: tuple[Mirror, ...]
    jobs: int


class Wanted(Struct, frozen=True, kw_only=True):
    """A variant that is to be vendored: ``bare`` is its entry before anything is fetched,
    ``images`` are what it stands on."""

    subject: fetching.Subject
    bare: Target
    images: tuple[StageImage, ...]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a variant, and for which ``reason``; ``fetched`` are bytes of files that came
    over the network now (images are not counted)."""

    profile: str
    variant: str
    status: Status
    reason: str = ""
    target: Target | None = None
    artifacts: int = 0
    bytes: int = 0
    fetched: int = 0
    error: EnvbuildError | None = None


def wanted(
    session: Session, found: Profiles, profile: ResolvedProfile, named: tuple[str, ...]
) -> tuple[tuple[Wanted, ...], tuple[Left, ...]]:
    """The variants of a profile to vendor, and those that are left out: without a name, what this
    machine can run.

    Raises:
        InputError: its lock is stale.
    """
    chosen, left = planning.chosen(profile.variants, named, platform.machine())
    if not chosen:
        return (), left
    locking.refuse_stale(session.workspace, found, profile)
    kept = lock_folder.read(*locking.workspace_path(session.workspace, profile.name))
    return tuple(_wanted(one, kept) for one in chosen), left


def _wanted(variant: Variant, kept: lock_folder.LockFolder) -> Wanted:
    assert kept.header is not None  # a fresh lock has one
    every = inputs.inputs(variant, kept.header, kept.texts)
    subject = fetching.Subject(variant=variant, folder=kept, inputs=every)
    bare = vendor_planning.bare(
        variant.environment.name,
        variant.name,
        platform=variant.platform,
        lock=lock_digest(subject.locked),
        inputs=every,
    )
    return Wanted(subject=subject, bare=bare, images=inputs.images(variant, kept.header))


class Run:
    """One run of the command. What is in the folder already is read once, and written after each
    variant."""

    def __init__(self, session: Session, options: Options, environ: Mapping[str, str]) -> None:
        self._console = session.console
        self._options = options
        self._environ = dict(environ)
        self.vendored = manifest.read_or_new(options.folder)

    def why(self, one: Wanted) -> str:
        """Why a variant is to be fetched; empty: what is there stands, as far as it is known
        without a look at its files."""
        return vendor_planning.why(self.vendored, one.bare)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """The time in which nobody else fills the folder.

        Raises:
            ToolError: it cannot be made, or another process does not come to an end with it.
        """
        place = f"{self._options.folder}/{FILES}"
        try:
            os.makedirs(place, exist_ok=True)
            with turns.alone(place):
                self.vendored = manifest.read_or_new(self._options.folder)
                yield
                pulling.sweep(self._options.folder)
        except OSError as error:
            raise cannot_write(place, error) from None

    def vendor(self, one: Wanted) -> Outcome:
        """Fetch what the folder lacks of a variant, and enter it into the manifest.

        Raises:
            InputError: something is the user's to give.
            ToolError: something cannot be had, or is not what the lock says, or the disk is full.
        """
        reason = self.why(one)
        if not reason:
            there = self.vendored.target(one.bare.profile, one.bare.variant)
            assert there is not None  # without it there is a reason
            own = checking.of_target(self.vendored, there)
            faults = checking.faults(
                self._options.folder, own, jobs=self._options.jobs, live=self._console.live
            )
            if not faults:
                return _outcome(there, self.vendored, reason="all of it is there", fetched=None)
            reason = f"{faults[0].artifact.file} is {faults[0].kind}"
        self._console.say(f"{one.bare.name}: fetching ({reason})")
        images, artifacts = self._images(one)
        got = collecting.collect(
            one.subject, folder=self._options.folder, tools=self._tools(one, images)
        )
        target = msgspec.structs.replace(one.bare, images=images, inputs=got.inputs, gaps=got.gaps)
        every = (*artifacts, *got.artifacts)
        self.vendored = manifest.joined(self.vendored, target, every)
        manifest.write(self._options.folder, self.vendored)
        return _outcome(target, self.vendored, reason=reason, fetched=got.fetched)

    def _images(self, one: Wanted) -> tuple[tuple[Image, ...], tuple[Artifact, ...]]:
        found: list[Image] = []
        artifacts: list[Artifact] = []
        for image in one.images:
            wanted = pulling.Wanted(
                image=image,
                reference=planning.read_from(image.reference, image.digest, ()),
                architecture=one.subject.variant.architecture,
            )
            made, own = self._puller.take(wanted)
            found.append(made)
            artifacts += own
        return tuple(found), tuple(artifacts)

    @functools.cached_property
    def _puller(self) -> pulling.Images:
        from envbuild.tools.logins import Logins  # HTTP: 100 ms, where something is fetched
        from envbuild.tools.net import Http
        from envbuild.tools.registry import Registry

        registry = Registry(
            Http(self._environ), Logins(self._environ, _read, proc.run), self._options.mirrors
        )
        return pulling.Images(
            registry, self._options.folder, jobs=self._options.jobs, live=self._console.live
        )

    def _tools(self, one: Wanted, images: tuple[Image, ...]) -> fetching.FetchTools:
        engine, names = None, {}
        if any(each.kind == "apt" for each in one.subject.inputs):
            engine = self._engine
            names = self._loaded(one, images) if engine else {}
        return fetching.FetchTools(
            environ=self._environ,
            runner=proc.run,
            uv=Tool(offline=False, refresh=False),
            conda=user_settings,
            engine=engine,
            images=names,
            cache=store.cache_folder(self._environ),
            offline=False,
            say=self._console.detail,
            live=self._console.live,
            beside=f"{self._options.folder}/{FILES}",
        )

    @functools.cached_property
    def _engine(self) -> Engine | None:
        """Who runs the base image's apt; None where none is there, which is said."""
        cache = f"{store.cache_folder(self._environ)}/engines"
        self._console.live("trying out the engine ...")
        try:
            return finding.find(self._options.engine, self._environ, proc.run, cache=cache)
        except ToolError as error:
            self._console.fail(f"no Debian packages: {error.message}", kind="warning")
            return None

    def _loaded(self, one: Wanted, images: tuple[Image, ...]) -> dict[str, str]:
        """The images that apt runs in, from the folder into the engine, by their argument."""
        needed = {each.image for each in one.subject.inputs if each.kind == "apt"}
        assert self._engine is not None  # who asks has one
        bay = loading.Bay(
            engine=self._engine,
            runner=proc.run,
            environ=self._environ,
            folder=self._options.folder,
            say=self._console.live,
        )
        names: dict[str, str] = {}
        for each in images:
            if each.argument in needed:
                names[each.argument] = loading.name(each, each.reference, bay.engine)
                loading.load(each, names[each.argument], bay)
        return names


def _outcome(target: Target, vendored: Vendored, *, reason: str, fetched: int | None) -> Outcome:
    """``fetched`` None: nothing was to be done."""
    own = checking.of_target(vendored, target)
    status: Status = "unchanged" if fetched is None else "vendored"
    return Outcome(
        profile=target.profile,
        variant=target.variant,
        status="incomplete" if target.gaps else status,
        reason=reason,
        target=target,
        artifacts=len(own),
        bytes=sum(one.size for one in own),
        fetched=fetched or 0,
    )


def _read(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None
