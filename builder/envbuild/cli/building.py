"""The way of one variant after the other from lock and Dockerfile to an image with a name."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from envbuild.build import doing, elsewhere, guarding, planning, records, secrets
from envbuild.build.leaks import Hidden
from envbuild.build.records import BuiltImage, Origin
from envbuild.cli import build_progress, build_supply
from envbuild.engines import finding, images, remotes
from envbuild.engines.model import Engine
from envbuild.errors import EnvbuildError, ToolError
from envbuild.plan import Plan
from envbuild.tools import proc, store

if TYPE_CHECKING:
    from envbuild.cli.build_options import Options
    from envbuild.cli.build_supply import Prepared
    from envbuild.cli.build_targets import Target
    from envbuild.cli.build_vendor import Vendor
    from envbuild.cli.main import Session

Status = Literal["built", "unchanged", "failed", "skipped"]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one variant, and for which ``reason``. ``fetched`` are bytes that came over
    the network beforehand, ``online`` what the steps of the build fetched by themselves; ``log`` is
    the full log of a build that has failed, relative to the workspace."""

    profile: str
    variant: str
    status: Status
    reason: str = ""
    built: BuiltImage | None = None
    error: EnvbuildError | None = None
    log: str = ""
    fetched: int = 0
    online: tuple[str, ...] = ()


class Run:
    """One run of the command. ``tell`` is where the passing of time is told."""

    def __init__(self, session: Session, options: Options, environ: Mapping[str, str]) -> None:
        self.session = session
        self.options = options
        self.environ = dict(environ)
        self.tell: Callable[[str], None] = build_progress.live(session.console, environ)
        self._log = ""

    @functools.cached_property
    def vendor(self) -> Vendor | None:
        """The folder that everything is taken from; None without one."""
        if not self.options.vendor:
            return None
        from envbuild.cli.build_vendor import Vendor

        return Vendor(self.options.vendor)

    @functools.cached_property
    def bench(self) -> doing.Bench:
        """What everything is built with, found and tried once.

        Raises:
            InputError: a secret is too long for it.
            ToolError: no engine works here, or it cannot do what was asked.
        """
        cache = f"{store.cache_folder(self.environ)}/engines"
        self.session.console.live("trying out the engine ...")
        if self.options.builder:
            engine = remotes.find(
                self.options.builder, self.options.engine, self.environ, proc.run, cache=cache
            )
        else:
            engine = finding.find(self.options.engine, self.environ, proc.run, cache=cache)
        _refuse_beyond(engine, self.options)
        return doing.Bench(engine=engine, environ=self.environ)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms of the builder that was asked for; nothing without one.

        Raises:
            InputError: no builder has such a name.
            ToolError: the builder is not there, or does not work.
        """
        remote = self.bench.engine.remote if self.options.builder else None
        return remote.platforms if remote else ()

    def steps(self, target: Target) -> Plan:
        """What building a variant would do."""
        target = self._named(target)
        record, why = self._state(target)
        step = planning.build_step(target.name, why, record=record)
        if self.options.builder:
            by = f"{step.reason} (by the builder {self.options.builder})"
            step = msgspec.structs.replace(step, reason=by)
        return (step, *planning.name_steps(target.names if why else (), target.pushes))

    def build(self, target: Target) -> Outcome:
        """Build a variant, if that is needed, and take it to where it was asked for.

        Raises:
            InputError: something that it needs is the user's to give.
            RefusedError: the image was built, and is not what was meant.
            ToolError: the engine, or a place that something is fetched from, failed.
        """
        self._log = ""
        target = self._named(target)
        with build_supply.turn(target, self.session):
            record, why = self._state(target)
            outcome = self._make(target, why) if why else self._kept(target, record)
            return self._taken_away(target, outcome)

    def failed(self, target: Target, error: EnvbuildError) -> Outcome:
        """The outcome of a variant that could not be built."""
        logged = bool(self._log) and os.path.exists(self._log)
        return Outcome(
            profile=target.profile,
            variant=target.variant.name,
            status="failed",
            error=error,
            log=os.path.relpath(self._log, self.session.root) if logged else "",
        )

    def _named(self, target: Target) -> Target:
        """The variant on images as the engine will call them."""
        return self.vendor.renamed(target, self.bench.engine) if self.vendor else target

    # --- What stands -----------------------------------------------------------------------------

    def _state(self, target: Target) -> tuple[BuiltImage | None, tuple[str, ...]]:
        """What was built of a variant, and why it is built anew; no reason: it stands."""
        record = records.read(self.session.root, target.profile, target.variant.name)
        if self.options.force or not self.options.cache:
            return record, ("--force" if self.options.force else "--no-cache",)
        why = planning.reasons(record, self._origin(target))
        if not self.bench.engine.keeps:
            return record, why or ("no engine here keeps it: the builder's cache does",)
        if record and not why and doing.image(record.identity, self.bench) is None:
            why = (f"its image is not in {record.engine} any more",)
        return record, why

    def _origin(self, target: Target) -> Origin:
        return Origin(
            lock=target.lock_digest,
            rendered=target.rendered,
            images=tuple(self._image(name, reference) for name, reference in target.images),
            engine=planning.engine_name(self.bench.engine),
            network=self.options.network,
        )

    def _image(self, name: str, reference: str) -> str:
        """An image that is built upon; one without a digest by what the engine has under it."""
        asked = "@" not in reference and self.bench.engine.keeps
        known = doing.image(reference, self.bench) if asked else None
        return f"{name}={reference}" + (f" {known.identity}" if known else "")

    def _kept(self, target: Target, record: BuiltImage | None) -> Outcome:
        """The image that stands, under the names that are asked for."""
        assert record is not None  # without one there is a reason to build
        for name in target.names:
            known = doing.image(name, self.bench)
            if known is None or known.identity != record.identity:
                images.tag(
                    self.bench.engine,
                    record.identity,
                    name=name,
                    runner=self.bench.runner,
                    environ=self.bench.environ,
                )
        kept = msgspec.structs.replace(record, reference=target.names[0], tags=target.names)
        records.write(self.session.root, kept)
        step = planning.build_step(target.name, (), record=kept)
        return _outcome(target, "unchanged", reason=step.reason, built=kept)

    # --- What is built ---------------------------------------------------------------------------

    def _make(self, target: Target, why: tuple[str, ...]) -> Outcome:
        engine = planning.engine_name(self.bench.engine)
        reason = "; ".join(why)
        self.session.console.say(f"{target.name}: building with {engine} ({reason})")
        hear = build_progress.progress(self.session.console, target.name, self.environ)
        with build_supply.prepared(target, self) as prepared:
            order = self._order(target, prepared)
            built = self._made(order, target.pushes, hear)
        return msgspec.structs.replace(
            _outcome(target, "built", reason=reason, built=built),
            fetched=prepared.supplied.fetched,
            online=prepared.supplied.online,
        )

    def _made(
        self, order: doing.Order, pushes: tuple[str, ...], hear: Callable[[str], None]
    ) -> BuiltImage:
        root = self.session.root
        if self.bench.engine.keeps:
            return doing.make(order, self.bench, root=root, line=hear)
        return elsewhere.make(order, self.bench, pushes=pushes, root=root, line=hear)

    def _order(self, target: Target, prepared: Prepared) -> doing.Order:
        options, root = self.options, self.session.root
        variant, request = target.variant, prepared.request
        settings = {one.name: one.content.decode() for one in prepared.index}
        logins = {**build_supply.proxies(self), **settings}
        needles = secrets.needles(options.secrets, logins)
        pin = target.locked.image("base")
        held = f"{target.profile}.{variant.name}"
        self._log = doing.log_path(root, target.profile, variant.name)
        return doing.Order(
            profile=target.profile,
            variant=variant.name,
            request=request,
            names=target.names,
            base=dict(target.images)["BASE_IMAGE"],
            base_digest=pin.digest if pin else "",
            lock_digest=target.lock_digest,
            origin=self._origin(target),
            expected=guarding.expected(
                variant, lock_digest=target.lock_digest, labels=request.labels
            ),
            log=self._log,
            scratch=f"{store.cache_folder(self.environ)}/contexts/{held}.image",
            hidden=Hidden(needles=needles, certificates=options.certificates),
            searched=bool(options.secrets or needles),
        )

    # --- Where it goes ---------------------------------------------------------------------------

    def _taken_away(self, target: Target, outcome: Outcome) -> Outcome:
        """The image pushed, and written as a folder, where that was asked for."""
        built = outcome.built
        assert built is not None
        if target.output:
            self.tell(f"{target.name}: writing {target.output} ...")
            images.save(
                self.bench.engine,
                built.identity,
                folder=target.output,
                runner=self.bench.runner,
                environ=self.bench.environ,
            )
        if target.pushes and self.bench.engine.keeps:
            digest = doing.push(target.pushes, self.bench, say=self.tell)
            built = msgspec.structs.replace(built, digest=digest)
            records.write(self.session.root, built)
        return msgspec.structs.replace(outcome, built=built)


def _outcome(target: Target, status: Status, *, reason: str, built: BuiltImage) -> Outcome:
    return Outcome(
        profile=target.profile,
        variant=target.variant.name,
        status=status,
        reason=reason,
        built=built,
    )


def _refuse_beyond(engine: Engine, options: Options) -> None:
    """Refuse what an engine cannot do, before anything long is begun.

    Raises:
        InputError: a secret is too long for it.
        ToolError: it cannot build without network, or reads no layers from a registry.
    """
    name, able = planning.engine_name(engine), engine.capabilities
    if not engine.keeps and not options.push:
        raise ToolError(
            f"no engine here would keep what {name} builds",
            hint="start docker, install podman, or let the builder push it: --push --tag"
            " registry.example/{profile}:{variant}",
        )
    if not engine.keeps and options.output:
        raise ToolError(f"no engine here keeps what {name} builds, and --output asks for it")
    if engine.builder in ("buildx", "buildkit"):
        secrets.refuse_too_long(options.secrets, engine=name)
    if options.network == "none" and not able.no_network:
        raise ToolError(
            f"{name} cannot build without network here",
            hint="--online builds with it; or choose another with --engine",
        )
    if (options.cache_from or options.cache_to) and not able.registry_cache:
        asked = "--cache-from" if options.cache_from else "--cache-to"
        raise ToolError(
            f"{name} keeps no layers in a registry here, as {asked} asks",
            hint="leave it out, or choose another with --engine",
        )
