"""A variant built twice from nothing by one engine, and the two images held against each other."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.build import doing, layout, normalising, planning, records
from envbuild.build.layout import Comparison
from envbuild.cli import build_progress, build_supply, verifying
from envbuild.engines import building, images
from envbuild.errors import EnvbuildError

if TYPE_CHECKING:
    from envbuild.cli.build_targets import Target
    from envbuild.cli.building import Run
    from envbuild.engines.model import BuildRequest

_TIMES = 2


class Rebuilt(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Two builds of one variant. ``normalised``: the engine cannot set times, and what is compared
    went through the normaliser. ``seconds`` is how long each build took, ``log`` the full log of
    the second one, relative to the workspace."""

    profile: str
    variant: str
    engine: str
    normalised: bool
    seconds: tuple[float, ...]
    comparison: Comparison
    log: str

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.profile}/{self.variant}"


def rebuilt(target: Target, run: Run) -> Rebuilt:
    """Build a variant twice, and compare. ``run`` is one whose options use no cache.

    Both images are removed by their ids, unless one is the image that was built before; nothing
    is tagged or recorded.

    Raises:
        InputError: something that the build needs is the user's to give.
        ToolError: the engine, or a place that something is fetched from, failed.
    """
    with (
        build_supply.turn(target, run.session),
        verifying.work(run.session.root) as scratch,
        build_supply.prepared(target, run) as prepared,
    ):
        return _Twice(target, run, prepared.request).compared(scratch)


class _Twice:
    """The two builds of one request."""

    def __init__(self, target: Target, run: Run, request: BuildRequest) -> None:
        self._target = target
        self._run = run
        self._bench = run.bench
        self._request = request
        record = records.read(run.session.root, target.profile, target.variant.name)
        names = (*target.names, *(record.tags if record else ()))
        known = (doing.image(name, self._bench) for name in dict.fromkeys(names))
        self._kept = {one.identity for one in known if one}
        self._kept |= {record.identity} if record else set()
        self._log = doing.log_path(run.session.root, target.profile, target.variant.name)

    def compared(self, scratch: str) -> Rebuilt:
        target, engine = self._target, self._bench.engine
        folders = [f"{scratch}/{number}" for number in range(1, _TIMES + 1)]
        seconds = tuple(self._built(folder) for folder in folders)
        normalise = engine.capabilities.clamp == "none"
        if normalise:
            folders = [self._normalised(folder) for folder in folders]
        self._run.tell(f"{target.name}: comparing ...")
        return Rebuilt(
            profile=target.profile,
            variant=target.variant.name,
            engine=planning.engine_name(engine),
            normalised=normalise,
            seconds=seconds,
            comparison=layout.compare(*folders, scratch=scratch),
            log=os.path.relpath(self._log, self._run.session.root),
        )

    def _built(self, folder: str) -> float:
        """Build the image and write it to a folder; the seconds that the engine built."""
        bench, target, session = self._bench, self._target, self._run.session
        number = os.path.basename(folder)
        session.console.say(f"{target.name}: build {number} of {_TIMES}, nothing from a cache")
        line = build_progress.progress(session.console, target.name, self._run.environ)
        watch = building.Watch(log=self._log, line=line, follow=bench.follow)
        built = building.build(bench.engine, self._request, environ=bench.environ, watch=watch)
        try:
            images.save(
                bench.engine,
                built.identity,
                folder=folder,
                runner=bench.runner,
                environ=bench.environ,
            )
        finally:
            if built.identity not in self._kept:
                with contextlib.suppress(EnvbuildError):
                    images.remove(
                        bench.engine, built.identity, runner=bench.clean, environ=bench.environ
                    )
        return round(built.seconds, 3)

    def _normalised(self, folder: str) -> str:
        base = doing.contents(dict(self._target.images)["BASE_IMAGE"], self._bench)
        epoch = self._request.epoch
        assert epoch is not None  # every build of a lock has one
        into = f"{folder}-normalised"
        self._run.tell(f"{self._target.name}: normalising build {os.path.basename(folder)} ...")
        normalising.normalise(folder, into, base_layers=len(base), epoch=epoch, packed="none")
        return into
