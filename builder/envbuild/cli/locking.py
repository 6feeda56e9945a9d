"""Locking a whole workspace: what is read, what is asked, what is written."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

import envbuild
from envbuild import stamps
from envbuild.cli import common
from envbuild.cli.condatool import read_lock
from envbuild.errors import InputError, Mark, Problem
from envbuild.knowledge import facts
from envbuild.lock import folder, freshness, planning, working
from envbuild.lock.checks import Checks
from envbuild.lock.model import HEADER, VariantLock
from envbuild.tools import files, proc

if TYPE_CHECKING:
    from envbuild.cli.condatool import CondaTool
    from envbuild.cli.lock_follower import Follower
    from envbuild.cli.uvtool import Tool
    from envbuild.knowledge.rulebook import Rulebook
    from envbuild.lock.pinning import Pinner
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles, Workspace


class Target(Struct, frozen=True, kw_only=True):
    """One profile to lock: its folder as it is, the files it copies, its jobs."""

    profile: ResolvedProfile
    path: str
    folder: folder.LockFolder
    copied: Mapping[str, bytes]
    jobs: tuple[planning.Job, ...]


Status = Literal["written", "unchanged", "failed"]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one target, and what was done for it, by the target of its step."""

    target: Target
    status: Status
    done: Mapping[str, working.Done]


def workspace_path(workspace: Workspace, profile: str) -> tuple[str, str]:
    """The lock folder of a profile: its path, and its name for people."""
    return f"{workspace.root}/lockfiles/{profile}", f"lockfiles/{profile}"


def copied_files(found: Profiles, profile: ResolvedProfile) -> dict[str, bytes]:
    """The files that a profile copies into its image, by their path in ``files/``.

    Raises:
        InputError: one cannot be read, or two are copied under one name.
    """
    read: dict[str, bytes] = {}
    problems: list[Problem] = []
    for name, one in _copied(found, profile).items():
        try:
            read[name] = files.read_bytes(one.path, label=one.label)
        except InputError as error:
            hint = "its path is relative to the file of the profile"
            problems.append(Problem(message=error.message, mark=one.mark, hint=hint))
    if problems:
        raise InputError("a file to copy cannot be read", problems=tuple(problems))
    return read


def copied_paths(found: Profiles, profile: ResolvedProfile) -> dict[str, str]:
    """Where the copied files lie: beside the YAML file that names them.

    Raises:
        InputError: two files are copied under one name.
    """
    return {name: one.path for name, one in _copied(found, profile).items()}


class _Copied(Struct, frozen=True):
    """A file to copy: where it lies, its name for people, and who asks for it."""

    path: str
    label: str
    mark: Mark


def _copied(found: Profiles, profile: ResolvedProfile) -> dict[str, _Copied]:
    copied: dict[str, _Copied] = {}
    for variant in profile.variants:
        for index, file in enumerate(variant.environment.files):
            mark = variant.marks[("files", index, "source")]
            path = f"{os.path.dirname(found.paths[mark.file])}/{file.source}"
            label = f"{os.path.dirname(mark.file)}/{file.source}"
            before = copied.setdefault(file.source, _Copied(path, label, mark))
            if before.path != path:
                said = f"{file.source} is also copied from {before.label}"
                hint = "give one of the two another name"
                problem = Problem(message=said, mark=mark, hint=hint)
                raise InputError("two files have one name", problems=(problem,))
    return dict(sorted(copied.items()))


def freshness_of(
    workspace: Workspace, found: Profiles, profile: ResolvedProfile
) -> freshness.Freshness:
    """Whether the lock of a profile is true to it."""
    path, label = workspace_path(workspace, profile.name)
    copied = copied_files(found, profile)
    digests = {f"files/{name}": folder.sha256(data) for name, data in copied.items()}
    return freshness.state(profile, folder.read(path, label), copied=digests)


def refuse_stale(workspace: Workspace, found: Profiles, profile: ResolvedProfile) -> None:
    """Refuse a lock that is not true to its profile.

    Raises:
        InputError: with what moved.
    """
    state = freshness_of(workspace, found, profile)
    if not state.fresh:
        said = "\n  ".join((f"{profile.name}: lock is {state.status}", *state.reasons))
        raise InputError(said, hint=f"envbuild lock {profile.name}")


def depends_on(
    workspace: Workspace, found: Profiles, profile: ResolvedProfile, *, locked: Iterable[str] = ()
) -> tuple[str, ...]:
    """Every file that the freshness of a profile's lock depends on; ``locked`` are the files that
    its header names, where they are known."""
    path, label = workspace_path(workspace, profile.name)
    if not locked:
        header = folder.read(path, label).header
        locked = folder.named_files(header) if header else ()
    copied = copied_paths(found, profile).values()
    return (
        *common.input_files(workspace, found, profile),
        *(f"{label}/{name}" for name in (HEADER, *locked)),
        *(os.path.relpath(path, workspace.root) for path in copied),
    )


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
    except folder.NewerFormatError:
        raise
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


def workshop(
    tool: Tool, conda: CondaTool, pinner: Pinner, *, book: Callable[[], Rulebook]
) -> working.Workshop:
    """What jobs are done with here; ``book`` reads the rules that a resolution must pass."""
    return working.Workshop(
        tool=tool,
        version=tool.version,
        runner=proc.run,
        finder=tool.metadata,
        clock=time.monotonic,
        conda=conda,
        checks=Checks(functools.cache(book)),
        pinner=pinner,
    )


def run(
    targets: Iterable[Target],
    shop: working.Workshop,
    *,
    workers: int,
    follower: Follower,
) -> list[Outcome]:
    """Lock the targets: each is written as soon as its last job is done, while others still run."""
    open_targets: dict[str, Target] = {}
    done: dict[str, working.Done] = {}
    outcomes: dict[str, Outcome] = {}

    def jobs() -> Iterator[planning.Job]:
        for target in targets:
            open_targets[target.profile.name] = target
            yield from target.jobs

    def finish(target: Target) -> None:
        own = {
            job.step.target: done[job.step.target] for job in target.jobs if job.step.target in done
        }
        status, held = write(target, own, shop.version, accepts=follower.accepts)
        outcomes[target.profile.name] = Outcome(target=target, status=status, done=own)
        if status != "failed":
            follower.written(target, held - {HEADER})

    def one_done(one: working.Done, left: int) -> None:
        name = one.job.step.target
        if follower.refuses(name.partition("/")[0]):
            return
        follower.done(one, left)
        done[name] = one
        target = open_targets[name.partition("/")[0]]
        if all(job.step.target in done for job in target.jobs if job.step.action == "run"):
            finish(target)

    working.run(jobs(), shop, workers=workers, on_done=one_done)
    wanted = [name for name in open_targets if not follower.refuses(name)]
    for name in wanted:
        if name not in outcomes:
            finish(open_targets[name])
    return [outcomes[name] for name in wanted]


def write(
    chosen: Target,
    done: Mapping[str, working.Done],
    version: Callable[[], str],
    *,
    accepts: Callable[[Target, Mapping[str, bytes]], bool],
) -> tuple[Status, frozenset[str]]:
    """Write the lock folder of one profile, unless one of its variants was refused, or the whole is
    not accepted; and the names of what it then holds."""
    from envbuild.lock import assemble  # not needed before the first answer

    answers: dict[str, assemble.Answer | VariantLock] = {}
    for job in chosen.jobs:
        name = job.question.variant.name
        finished = done.get(job.step.target)
        if finished is None:
            assert job.previous is not None  # a job is only skipped when its lock stands
            answers[name] = assemble.refreshed(job.question.variant, job.previous)
        elif isinstance(finished.result, working.Refusal):
            return "failed", frozenset()
        else:
            answers[name] = finished.result
    written = assemble.folder_files(
        chosen.profile.name,
        answers,
        kept=chosen.folder,
        copied=chosen.copied,
        sources=assemble.Sources(tools=lambda: _tools(chosen, done, version), read=read_lock),
    )
    if not accepts(chosen, written):
        return "failed", frozenset()
    header = chosen.folder.header
    gone = set(folder.named_files(header)) - written.keys() if header else set()
    changed = files.write_tree(chosen.path, written, remove=sorted(gone))
    return "written" if changed else "unchanged", frozenset(written)


def _tools(
    chosen: Target, done: Mapping[str, working.Done], version: Callable[[], str]
) -> Mapping[str, str]:
    """The versions of what made the lock: those of before where no solver was asked."""
    header = chosen.folder.header
    if header and not any(job.step.target in done for job in chosen.jobs):
        return header.tools
    return {"envbuild": envbuild.__version__, "uv": version()}


def remember(
    workspace: Workspace, found: Profiles, profile: ResolvedProfile, *, locked: Iterable[str] = ()
) -> None:
    """Stamp that the lock of a profile is fresh; ``locked`` as for :func:`depends_on`."""
    paths = (*depends_on(workspace, found, profile, locked=locked), *facts.facts_files())
    stamps.write(workspace.root, "lock", profile.name, paths=paths)
