"""Locking a whole workspace: what is read, what is asked, what is written."""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

import envbuild
from envbuild import stamps
from envbuild.cli import common
from envbuild.errors import InputError, Problem
from envbuild.knowledge import facts
from envbuild.lock import assemble, folder, freshness, indexes, planning, uv, working
from envbuild.lock.model import HEADER, VariantLock
from envbuild.tools import files, proc, uvcache
from envbuild.tools.env import solver_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles, Workspace


class Target(Struct, frozen=True, kw_only=True):
    """One profile to lock: its folder as it is, the files it copies, its jobs."""

    profile: ResolvedProfile
    path: str
    folder: folder.LockFolder
    copied: Mapping[str, bytes]
    jobs: tuple[planning.Job, ...]


class Result(Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True):
    """What became of one profile: ``written``, ``unchanged`` or ``failed``."""

    profile: str
    status: Literal["written", "unchanged", "failed"]


def workspace_path(workspace: Workspace, profile: str) -> tuple[str, str]:
    """The lock folder of a profile: its path, and its name for people."""
    label = f"lockfiles/{profile}"
    return f"{workspace.root}/{label}", label


def copied_files(found: Profiles, profile: ResolvedProfile) -> dict[str, bytes]:
    """The files that a profile copies into its image, by their path in ``files/``.

    Raises:
        InputError: one does not exist, or two are copied under one name.
    """
    paths = copied_paths(found, profile)
    return {name: files.read_bytes(path) for name, path in paths.items()}


def copied_paths(found: Profiles, profile: ResolvedProfile) -> dict[str, str]:
    """Where the copied files lie: beside the YAML file that names them.

    Raises:
        InputError: two files are copied under one name.
    """
    paths: dict[str, str] = {}
    for variant in profile.variants:
        for index, file in enumerate(variant.environment.files):
            mark = variant.marks[("files", index)]
            path = f"{os.path.dirname(found.paths[mark.file])}/{file.source}"
            if paths.setdefault(file.source, path) != path:
                problem = Problem(
                    message=f"{file.source} is also copied from {paths[file.source]}",
                    mark=mark,
                    hint="give one of the two another name",
                )
                raise InputError("two files have one name", problems=(problem,))
    return dict(sorted(paths.items()))


def freshness_of(
    workspace: Workspace, found: Profiles, profile: ResolvedProfile
) -> freshness.Freshness:
    """Whether the lock of a profile is true to it."""
    path, label = workspace_path(workspace, profile.name)
    digests = {
        f"files/{name}": folder.sha256(data) for name, data in copied_files(found, profile).items()
    }
    return freshness.state(profile, folder.read(path, label), copied=digests)


def prepare_tool(*, offline: bool, refresh: bool, declared: dict[str, str]) -> tuple[uv.Uv, str]:
    """The uv to use with the user's own index settings, and which setting names the index.

    Raises:
        ToolError: uv is missing, too old, or does not answer.
    """
    environ = dict(os.environ)
    settings = indexes.user_indexes(environ, _read_settings)
    environment = tuple({**solver_environment(environ), **settings.environment}.items())
    beside = f"{os.path.dirname(sys.executable)}/uv"
    executable = environ.get("ENVBUILD_UV") or (beside if os.path.exists(beside) else "uv")
    tool = uv.Uv(
        executable=executable,
        version=uv.version(executable, environment, proc.run),
        python=sys.executable,
        environment=environment,
        configuration=settings.configuration,
        indexes=declared,
        offline=offline,
        refresh=refresh,
    )
    return tool, settings.origin


def _read_settings(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None


def depends_on(workspace: Workspace, found: Profiles, profile: ResolvedProfile) -> tuple[str, ...]:
    """Every file that the freshness of a profile's lock depends on."""
    path, label = workspace_path(workspace, profile.name)
    header = folder.read(path, label).header
    locked = (HEADER, *(folder.named_files(header) if header else ()))
    copied = copied_paths(found, profile).values()
    return (
        *common.input_files(workspace, found, profile),
        *(f"{label}/{name}" for name in locked),
        *(os.path.relpath(path, workspace.root) for path in copied),
    )


def declared_indexes(profiles: Iterable[ResolvedProfile]) -> dict[str, str]:
    """The vendor indexes that the profiles declare, by name."""
    return {
        index.name: index.url
        for profile in profiles
        for variant in profile.variants
        for index in variant.environment.python.indexes
    }


def target(
    workspace: Workspace,
    found: Profiles,
    profile: ResolvedProfile,
    *,
    options: planning.Options,
    now: str,
) -> Target:
    """What locking a profile would do.

    Raises:
        InputError: the profile cannot be locked, or its lock cannot be read (and is not forced).
    """
    path, label = workspace_path(workspace, profile.name)
    try:
        current = folder.read(path, label)
    except InputError:
        if not options.force:
            raise
        current = folder.LockFolder(label=label, header=None, texts={})
    return Target(
        profile=profile,
        path=path,
        folder=current,
        copied=copied_files(found, profile),
        jobs=planning.plan(profile, current, options, now=now),
    )


class Tool:
    """uv, looked for when it is first wanted: a lock that stands needs none."""

    def __init__(self, *, offline: bool, refresh: bool, declared: dict[str, str]) -> None:
        self._turn = threading.Lock()
        self._prepare: Callable[[], tuple[uv.Uv, str]] = functools.partial(
            prepare_tool, offline=offline, refresh=refresh, declared=declared
        )
        self._found: tuple[uv.Uv, str] | None = None

    def __call__(self) -> uv.Uv:
        """The uv to use.

        Raises:
            ToolError: it is missing, too old, or does not answer.
        """
        return self._both()[0]

    def index_origin(self) -> str:
        """Which setting names the default index."""
        return self._both()[1]

    def metadata(self) -> uvcache.MetadataFiles:
        """What its cache holds now."""
        tool = self()
        environ = dict(tool.environment)
        cache = uvcache.folder(environ, tool.configuration.get("cache-dir"))
        return uvcache.MetadataFiles(cache)

    def _both(self) -> tuple[uv.Uv, str]:
        with self._turn:
            if self._found is None:
                self._found = self._prepare()
            return self._found


def solve(
    targets: Iterable[Target],
    tool: Tool,
    *,
    workers: int,
    on_done: Callable[[working.Done, int], None],
) -> dict[str, working.Done]:
    """Every job that runs, by its step's target."""
    workshop = working.Workshop(
        tool=tool, runner=proc.run, finder=tool.metadata, clock=time.monotonic
    )
    jobs = (job for chosen in targets for job in chosen.jobs)
    done = working.run(jobs, workshop, workers=workers, on_done=on_done)
    return {one.job.step.target: one for one in done}


def write(chosen: Target, done: Mapping[str, working.Done], tool: Tool) -> Result:
    """Write the lock folder of one profile, unless one of its variants was refused."""
    answers: dict[str, assemble.Answer | VariantLock] = {}
    for job in chosen.jobs:
        name = job.question.variant.name
        finished = done.get(job.step.target)
        if finished is None:
            assert job.previous is not None  # a job is only skipped when its lock stands
            answers[name] = assemble.refreshed(job.question.variant, job.previous)
        elif isinstance(finished.result, working.Refusal):
            return Result(profile=chosen.profile.name, status="failed")
        else:
            answers[name] = finished.result
    written = assemble.folder_files(
        chosen.profile.name,
        answers,
        kept=chosen.folder,
        copied=chosen.copied,
        tools=_tools(chosen, done, tool),
    )
    header = chosen.folder.header
    gone = set(folder.named_files(header)) - written.keys() if header else set()
    changed = files.write_tree(chosen.path, written, remove=sorted(gone))
    return Result(profile=chosen.profile.name, status="written" if changed else "unchanged")


def _tools(chosen: Target, done: Mapping[str, working.Done], tool: Tool) -> Mapping[str, str]:
    """The versions of what made the lock: those of before where no solver was asked."""
    header = chosen.folder.header
    if header and not any(job.step.target in done for job in chosen.jobs):
        return header.tools
    return {"envbuild": envbuild.__version__, "uv": tool().version}


def remember(workspace: Workspace, found: Profiles, profile: ResolvedProfile) -> None:
    """Stamp that the lock of a profile is fresh."""
    paths = (*depends_on(workspace, found, profile), *facts.facts_files())
    stamps.write(workspace.root, "lock", profile.name, stamps.identity(), paths)
