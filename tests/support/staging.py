"""A locked profile of a workspace, staged for a build in this very process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from envbuild.build import fetching
from envbuild.build.fetching import Fetched, FetchTools, Subject
from envbuild.engines.model import Engine
from envbuild.lock import folder, indexes
from envbuild.lock.conda import channels
from envbuild.lock.uv import Uv
from envbuild.profile.resolve import resolve
from envbuild.render.inputs import inputs
from envbuild.tools import env, proc
from envbuild.workspace import Workspace
from tests.support.workspace import Folder


def _read(path: str) -> str | None:
    return Path(path).read_text() if os.path.isfile(path) else None


class Staging:
    """The variant of one profile, and what its build would be handed.

    The lock is made by envbuild where there is none; what ``render`` would write stands in ``context``.
    """

    def __init__(self, workspace: Folder, profile: str = "one", **environment: str) -> None:
        if not (workspace.root / "lockfiles" / profile).exists():
            done = workspace.run("lock", profile)
            assert done.returncode == 0, done.stderr
        self.workspace = workspace
        self.environ = {**workspace.environment, **environment}
        self.cache = str(workspace.root / "envbuild-cache")
        self.said: list[str] = []
        self.asked_uv = 0
        found = Workspace(root=str(workspace.root)).profiles()
        variant = resolve(profile, found.sources).variants[0]
        locked = folder.read(str(workspace.root / "lockfiles" / profile), profile)
        assert locked.header is not None
        every = inputs(variant, locked.header, locked.texts)
        self.subject = Subject(variant=variant, folder=locked, inputs=every)
        self.context = workspace.root / "Dockerfiles" / profile
        for one in every:
            (self.context / one.path).mkdir(parents=True)
            (self.context / one.file).write_text(one.text)
        (self.context / "Dockerfile").write_text("FROM scratch\n")

    def uv(self, *, offline: bool) -> Uv:
        """uv with this environment's settings, as the command line makes it."""
        self.asked_uv += 1
        settings = indexes.user_indexes(self.environ, _read)
        own = env.solver_environment(self.environ, offline=offline)
        return Uv(
            executable=str(Path(sys.executable).parent / "uv"),
            python=sys.executable,
            environment=tuple({**own, **settings.environment}.items()),
            configuration=settings.configuration,
            offline=offline,
        )

    def stage(
        self,
        name: str = "into",
        *,
        offline: bool = False,
        engine: Engine | None = None,
        images: Mapping[str, str] = {},
    ) -> Fetched:
        """Stage it at ``<workspace>/<name>``."""
        tools = FetchTools(
            environ=self.environ,
            runner=proc.run,
            uv=lambda: self.uv(offline=offline),
            conda=lambda: channels.user_settings(self.environ, _read),
            engine=engine,
            images=images,
            cache=self.cache,
            offline=offline,
            say=self.said.append,
            live=lambda _: None,
        )
        into = str(self.workspace.root / name)
        return fetching.stage(self.subject, context=str(self.context), into=into, tools=tools)

    def files(self, path: str, name: str = "into") -> list[str]:
        """The files below an input folder of the variant."""
        place = self.workspace.root / name / self.subject.variant.name / path
        return sorted(str(one.relative_to(place)) for one in place.rglob("*") if one.is_file())

    def store(self) -> list[Path]:
        """The files of the store."""
        return [path for path in sorted(Path(self.cache, "files").rglob("*")) if path.is_file()]
