"""Rendering one profile of a workspace: what would be written, what stands there, what differs."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild import stamps
from envbuild.cli import locking
from envbuild.errors import EnvbuildError, InputError, Problem
from envbuild.knowledge import facts
from envbuild.lock import folder
from envbuild.plan import Plan, Step
from envbuild.render import bake
from envbuild.render.model import RenderedTree
from envbuild.render.tree import render
from envbuild.tools import files

if TYPE_CHECKING:
    from envbuild.lock.freshness import Freshness
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles, Workspace

_MARK = b"# Rendered by envbuild"
"""How every file begins that envbuild rendered from its own templates."""

_VARIANT = r"linux-(?:amd64|arm64)-(?:cpu|cu[0-9]{3})"
_LIST = re.compile(
    rf"{_VARIANT}/(?:apt/[^/]+/packages\.txt|git/[^/]+/source\.txt|python/python\.txt"
    r"|conda/explicit\.txt|(?:wheels-[0-9]+|sources)/requirements\.txt|bundle/bundle\.py)"
)
"""The files of a variant's folder that are envbuild's by their place alone."""

_IGNORE = ".dockerignore"

_DIFF_LINES = 24
"""Lines of the difference of one file that are shown."""


class Target(Struct, frozen=True, kw_only=True):
    """One profile: what it renders to, and what stands in its folder.

    ``existing`` has the bytes of each file of the tree, None where there is none; ``leftovers``
    are files that envbuild rendered and no longer does, ``strays`` files of somebody else.
    ``locked`` are the files that its lock names, ``sources`` those of the templates.
    """

    profile: ResolvedProfile
    path: str
    label: str
    tree: RenderedTree
    existing: Mapping[str, bytes | None]
    leftovers: tuple[str, ...]
    strays: tuple[str, ...]
    locked: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def steps(self) -> Plan:
        """What rendering does, file by file."""
        return (
            *(self._rendered(file.path, file.data) for file in self.tree.files),
            *(self._removed(path) for path in self.leftovers),
        )

    @property
    def current(self) -> bool:
        """Whether every file stands there as it is rendered, and none too many."""
        return all(step.action == "skip" for step in self.steps)

    def _rendered(self, path: str, data: bytes) -> Step:
        there = self.existing[path]
        target = f"{self.label}/{path}"
        if there == data:
            return Step(kind="render", target=target, action="skip", reason="up to date")
        reason = "missing" if there is None else "differs"
        return Step(kind="render", target=target, action="run", reason=reason)

    def _removed(self, path: str) -> Step:
        reason = "nothing is rendered to it any more"
        return Step(kind="remove", target=f"{self.label}/{path}", action="run", reason=reason)


class Refusal(Struct, frozen=True, kw_only=True):
    """A profile that cannot be rendered, and why."""

    profile: str
    problems: tuple[Problem, ...]
    reasons: tuple[str, ...] = ()
    hint: str | None = None


class Templates(Struct, frozen=True, kw_only=True):
    """The templates of a workspace by name, and the files that they depend on."""

    texts: Mapping[str, str]
    sources: tuple[str, ...]


def templates(workspace: Workspace) -> Templates:
    """What every profile of a workspace is rendered with.

    Raises:
        InputError: a template cannot be read.
    """
    return Templates(texts=workspace.templates(), sources=workspace.template_files())


def target(
    workspace: Workspace,
    found: Profiles,
    profile: ResolvedProfile,
    *,
    filled: Templates,
    fresh: Freshness | None = None,
) -> Target | Refusal:
    """A profile rendered, and held against its folder. ``fresh`` is the state of its lock, where
    that is known."""
    try:
        fresh = fresh or locking.freshness_of(workspace, found, profile)
        if not fresh.fresh:
            return Refusal(
                profile=profile.name,
                problems=(Problem(message=f"{profile.name}: lock is {fresh.status}"),),
                reasons=fresh.reasons,
                hint=f"envbuild lock {profile.name}",
            )
        path, label = locking.workspace_path(workspace, profile.name)
        held = folder.read(path, label)
        lock = held.header
        assert lock is not None  # a lock that is fresh is there
        tree = render(profile, lock, texts=held.texts, templates=filled.texts)
        return _held(workspace, profile, tree, locked=folder.named_files(lock), filled=filled)
    except InputError as error:
        own = Problem(message=f"{profile.name}: {error.message}", hint=error.hint)
        return Refusal(profile=profile.name, problems=error.problems or (own,))


def _held(
    workspace: Workspace,
    profile: ResolvedProfile,
    tree: RenderedTree,
    *,
    locked: Iterable[str],
    filled: Templates,
) -> Target:
    label = f"Dockerfiles/{profile.name}"
    path = workspace.path(label)
    files.recover(path)
    names = {file.path for file in tree.files}
    others = tuple(name for name in _standing(path, label=label) if name not in names)
    leftovers = _leftovers(path, others)
    return Target(
        profile=profile,
        path=path,
        label=label,
        tree=tree,
        existing={name: files.read_if_exists(f"{path}/{name}") for name in names},
        leftovers=leftovers,
        strays=_strays((name for name in others if name not in leftovers), names),
        locked=tuple(locked),
        sources=filled.sources,
    )


def _standing(path: str, *, label: str, inner: str = "") -> Iterator[str]:
    """Every file below a folder, by its path there, sorted; a link is a file."""
    for name in files.names(f"{path}/{inner}", label=f"{label}/{inner}"):
        below = f"{inner}{name}"
        whole = f"{path}/{below}"
        if os.path.isdir(whole) and not os.path.islink(whole):
            yield from _standing(path, label=label, inner=f"{below}/")
        else:
            yield below


def _leftovers(path: str, others: Iterable[str]) -> tuple[str, ...]:
    """What envbuild rendered and no longer does: by its first words, by its place, or because the
    ignore file beside it, which nobody else writes, lets it in by name."""
    ignores = [name for name in files.names(path, label=path) if name.endswith(_IGNORE)]
    named = {
        line.removeprefix("!")
        for name in ignores
        if _ours(f"{path}/{name}")
        for line in files.read_bytes(f"{path}/{name}").decode(errors="replace").splitlines()
    }
    return tuple(
        name
        for name in others
        if _ours(f"{path}/{name}")
        or ((name in named or _LIST.fullmatch(name)) and _plain(f"{path}/{name}"))
    )


def _strays(others: Iterable[str], rendered: Iterable[str]) -> tuple[str, ...]:
    """Files of somebody else; of a folder that holds nothing of envbuild's, the folder alone."""
    ours = {folder for name in rendered for folder in _above(name)}
    found: dict[str, None] = {}
    for name in others:
        foreign = (f"{folder}/" for folder in _above(name) if folder not in ours)
        found[next(foreign, name)] = None
    return tuple(found)


def _above(name: str) -> Iterator[str]:
    """The folders that a path leads through, the outermost first."""
    parts = name.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _plain(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)


def _ours(path: str) -> bool:
    """Whether a file is one that envbuild rendered: by its first words, and never a link."""
    if not _plain(path):
        return False
    try:
        return files.read_bytes(path).startswith(_MARK)
    except EnvbuildError:
        return False


def write(chosen: Target) -> bool:
    """Write what differs and remove what is no longer rendered; False when nothing was to do."""
    rendered = {file.path: file.data for file in chosen.tree.files}
    return files.write_tree(chosen.path, rendered, remove=chosen.leftovers)


def differences(chosen: Target) -> list[str]:
    """What differs, file by file, with the first lines of each difference."""
    texts = {f"{chosen.label}/{file.path}": file for file in chosen.tree.files}
    lines = []
    for step in chosen.steps:
        if step.action == "skip":
            continue
        lines.append(f"{step.target}: {step.reason}")
        if step.reason == "differs":
            file = texts[step.target]
            there = (chosen.existing[file.path] or b"").decode(errors="replace")
            lines += [f"  {line}" for line in short_diff(there, file.text)]
    return lines


def short_diff(there: str, rendered: str) -> list[str]:
    """The first lines of the difference between a file as it stands and as it is rendered."""
    found = difflib.unified_diff(
        there.splitlines(), rendered.splitlines(), "as it stands", "as rendered", "", "", 1, ""
    )
    lines = list(found)
    if len(lines) <= _DIFF_LINES:
        return lines
    return [*lines[:_DIFF_LINES], f"… {len(lines) - _DIFF_LINES} lines more"]


def as_data(one: Target | Refusal, status: str) -> dict[str, object]:
    """A target or a refusal as JSON data."""
    if isinstance(one, Refusal):
        reasons = (*(str(problem) for problem in one.problems), *one.reasons)
        return {"profile": one.profile, "status": status, "reasons": reasons}
    return {
        "profile": one.profile.name,
        "status": status,
        "files": one.steps,
        "strays": [f"{one.label}/{path}" for path in one.strays],
    }


def remember(workspace: Workspace, found: Profiles, made: Target) -> None:
    """Stamp that the Dockerfiles of a profile stand as rendered."""
    rendered = [f"{made.label}/{file.path}" for file in made.tree.files]
    folders = {folder for file in made.tree.files for folder in _above(file.path)}
    paths = (
        *locking.depends_on(workspace, found, made.profile, locked=made.locked),
        *rendered,
        *(f"{made.label}/{folder}" for folder in sorted(folders)),
        *made.sources,
        *facts.facts_files(),
        bake.NAME,  # where it is envbuild's, it is checked with all profiles
    )
    stamps.write(workspace.root, "render", made.profile.name, paths=paths)
