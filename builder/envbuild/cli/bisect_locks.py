"""The locks between a good and a bad one, made by the resolver in a scratch workspace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envbuild.cli import bisect_words, locking, pintool
from envbuild.cli.condatool import CondaTool, read_lock
from envbuild.cli.uvtool import Tool
from envbuild.errors import InputError, ToolError
from envbuild.lock import bounds, folder, freshness, working
from envbuild.lock.folder import LockFolder
from envbuild.lock.resolving import OUTSIDE
from envbuild.lock.working import Refusal
from envbuild.nightly import scratch
from envbuild.nightly.bisecting import mixing
from envbuild.nightly.bisecting.differing import Side
from envbuild.nightly.bisecting.mixing import Mixture
from envbuild.nightly.bisecting.model import Moved
from envbuild.nightly.bisecting.stating import PROFILE
from envbuild.nightly.bisecting.trying import Refused
from envbuild.profile.resolve import resolve
from envbuild.tools import condaversions, files, references
from envbuild.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.bisect_sources import Sources
    from envbuild.knowledge.rulebook import Rulebook
    from envbuild.lock.working import Done
    from envbuild.nightly.scratch import Scratch


def fits(ecosystem: str, asked: str, version: str) -> bool:
    """Whether a version is within bounds; what cannot be read refuses nothing."""
    if ecosystem == "conda":
        return condaversions.within(asked, version)
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(asked).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return True


def side(lock: LockFolder, tool: Tool) -> Side:
    """A lock with what its conda lock says of dependencies, and what uv's cache knows of the Python
    packages that conda may bring.

    Raises:
        InputError: its conda lock cannot be read.
    """
    assert lock.header is not None  # an end has a lock
    depends: dict[str, dict[str, Mapping[str, str]]] = {}
    for name, variant in lock.header.variants.items():
        if variant.conda and variant.input.conda:
            from envbuild.lock.conda import specs

            platform = variant.input.conda.targets[0].platform
            records = read_lock(lock.texts[variant.conda.lock.path]).get(platform, ())
            depends[name] = {one.name: specs.dependencies(one.depends) for one in records}
    first = next(iter(lock.header.variants.values()))
    machine = first.input.platform.partition("-")[0]
    target = bounds.Target(python=first.input.python, machine=machine)

    def needs(name: str, version: str) -> dict[str, str]:
        known = bounds.requires(name, version, tool.metadata())
        if not depends or known is None:
            return {}
        asked = {one: known.bounds(one, target) for one in known.lines if not known.optional(one)}
        return {one: text for one, text in asked.items() if text}

    return Side(folder=lock, depends=depends, needs=needs)


class Locks:
    """Makes the locks between two sides, one at a time, in the scratch workspace ``root``."""

    def __init__(
        self, ends: tuple[Side, Side], nodes: Moved, sources: Sources, *, root: str, only: str
    ) -> None:
        self._old, self._new = ends
        self._nodes = nodes
        self._sources = sources
        self._root = root
        self._only = only
        self._offline = False
        self._shop: working.Workshop | None = None
        self.tool = Tool(offline=False, refresh=False)

    def offline(self) -> None:
        """Ask nobody: what is cached alone is used."""
        self._offline = True
        self.tool = Tool(offline=True, refresh=False)

    def made(self, moved: Moved) -> LockFolder | Refused:
        """The lock of a mixture as the resolver gives it; it stands in the scratch workspace, where
        the profile is the one that it is of.

        Raises:
            ToolError: the resolver could not be asked.
        """
        if not moved or moved == self._nodes:
            return self._end(bad=bool(moved))
        mixture = Mixture(
            old=self._old, new=self._new, nodes=self._nodes, moved=moved, only=self._only
        )
        place = self._scratch(moved, mixture.as_of)
        workspace = Workspace(root=place.root)
        found = workspace.profiles()
        try:
            profile = resolve(place.profile, found.sources)
            target = locking.Target(
                profile=profile,
                path=place.lock,
                folder=LockFolder(label="", header=None, texts=mixture.side(PROFILE).folder.texts),
                copied=locking.copied_files(found, profile),
                jobs=mixing.jobs(mixture, profile),
            )
        except InputError as error:
            return Refused(why=bisect_words.line(error.message))
        files.write_tree(place.lock, {}, remove=files.names(place.lock, label=place.lock))
        follower = _Follower()
        locking.run([target], self._workshop(workspace), workers=2, follower=follower)
        if follower.refusals:
            return self._refused(follower.refusals)
        lock = folder.read(place.lock, f"lockfiles/{place.profile}")
        return self._held(mixture, lock) or self._fresh(workspace, lock) or lock

    def _end(self, *, bad: bool) -> LockFolder:
        """One of the two locks itself."""
        lock = self._new.folder if bad else self._old.folder
        assert lock.header is not None  # an end has a lock
        moments = (one.input.as_of for one in lock.header.variants.values())
        place = self._scratch(self._nodes if bad else frozenset(), max(moments))
        scratch.put_lock(place, lock)
        return lock

    def _scratch(self, moved: Moved, moment: str) -> Scratch:
        before = PROFILE in self._nodes and PROFILE not in moved
        snapshot = (self._sources.then if before else None) or self._sources.now
        return scratch.sync(snapshot, self._root, moment=moment)

    def _workshop(self, workspace: Workspace) -> working.Workshop:
        if self._shop is None:

            def book() -> Rulebook:
                from envbuild.knowledge import rulebook

                return rulebook.with_own(workspace.knowledge("rules"))

            mirrors = references.mirrors((), os.environ)
            pinner = pintool.pinner(offline=self._offline, anew=False, mirrors=mirrors)
            conda = CondaTool(offline=self._offline, refresh=False)
            self._shop = locking.workshop(self.tool, conda, pinner, book=book)
        return self._shop

    def _refused(self, refusals: list[Done]) -> Refused:
        for one in refusals:
            assert isinstance(one.result, Refusal)  # that is what was kept
            if one.result.kind in OUTSIDE:
                raise ToolError(
                    f"the resolver could not be asked: {bisect_words.refusal(one)}",
                    hint="nothing is lost: the same command goes on from here",
                )
        return Refused(why=bisect_words.refusal(refusals[0]))

    def _held(self, mixture: Mixture, lock: LockFolder) -> Refused | None:
        """Why a lock is not the mixture that was wanted."""
        given = mixing.given(mixture, lock)
        if not given.differs:
            return None
        more = f" and {len(given.differs) - 2} more" if len(given.differs) > 2 else ""
        why = f"{'; '.join(given.differs[:2])}{more}"
        return Refused(why=bisect_words.line(why), instead=given.instead or frozenset())

    def _fresh(self, workspace: Workspace, lock: LockFolder) -> Refused | None:
        """Why ``envbuild lock --check`` would not take a lock; it must take every one."""
        found = workspace.profiles()
        profile = resolve(self._sources.now.profile, found.sources)
        copied = locking.copied_files(found, profile)
        digests = {f"files/{name}": folder.sha256(data) for name, data in copied.items()}
        state = freshness.state(profile, lock, copied=digests)
        return None if state.fresh else Refused(why=f"lock is {state.status}: {state.reasons[0]}")


class _Follower:
    """Keeps the refusals of one lock."""

    def __init__(self) -> None:
        self.refusals: list[Done] = []

    def refuses(self, profile: str) -> bool:
        return False

    def done(self, one: Done, left: int) -> None:
        if isinstance(one.result, Refusal):
            self.refusals.append(one)

    def accepts(self, target: locking.Target, files: Mapping[str, bytes]) -> bool:
        return True

    def written(self, target: locking.Target, held: frozenset[str]) -> None:
        """A lock between is stamped by nobody."""
