"""A history as a branch of the workspace's own git repository.

``nights/<id>.json`` is a night, ``locks/<xx>/<sha256>.tar`` a lock folder, and
``logs/<xx>/<sha256>.txt`` a log: unpacked, since git packs, and stores what two of them share once.
Each change is a commit on top.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping

from envbuild.errors import InputError, ToolError
from envbuild.history import blobs as content
from envbuild.history import layout, sealing
from envbuild.history.blobs import DIGEST
from envbuild.history.layout import KINDS, NIGHTS
from envbuild.history.model import Night
from envbuild.history.store import History, Kept, Merged, Pruned, Read
from envbuild.history.union import union
from envbuild.tools.gitobjects import Change, Objects

_TRIES = 60
"""How often a change is made anew because another process was faster; each takes some 50 ms."""


class BranchHistory:
    """The history of a branch: one of this repository, or, to be read, one that was fetched
    (``origin/nightly``)."""

    def __init__(self, objects: Objects, branch: str) -> None:
        self.place = f"git:{branch}"
        self.objects = objects
        self._branch = branch
        self._ref = f"refs/heads/{branch}"

    def nights(self, newest: int | None = None) -> Kept:
        """As :meth:`envbuild.history.store.History.nights`."""
        return layout.kept(self.read(newest))

    def read(self, newest: int | None = None) -> Read:
        """As :meth:`envbuild.history.store.History.read`."""
        return self._read(self.tip(), newest)

    def add(self, night: Night, blobs: Mapping[str, bytes]) -> None:
        """As :meth:`envbuild.history.store.History.add`."""
        data = sealing.sealed(night)
        path = layout.night_path(night.id)
        files = {path: data, **layout.placed(night, blobs)}

        def change(tip: str | None) -> Change | None:
            there = self.objects.read([f"{tip}:{path}"])[0] if tip else None
            if there is not None:
                layout.refuse_other(night.id, there, data)
                return None
            return Change(message=f"Night {night.id}", files=files)

        self._change(change)

    def blob(self, digest: str) -> bytes | None:
        """As :meth:`envbuild.history.store.History.blob`."""
        return self.blobs((digest,)).get(digest)

    def blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        """As :meth:`envbuild.history.store.History.blobs`."""
        tip = self.tip()
        wanted = [one for one in digests if DIGEST.fullmatch(one)]
        if tip is None or not wanted:
            return {}
        pairs = [(one, kind) for one in wanted for kind in KINDS]
        found = self.objects.read(f"{tip}:{layout.blob_path(kind, one)}" for one, kind in pairs)
        return {
            digest: data
            for (digest, _), data in zip(pairs, found, strict=True)
            if data is not None and content.digest(data) == digest
        }

    def prune(self, keep: int) -> Pruned:
        """As :meth:`envbuild.history.store.History.prune`.

        The commits before still hold what went: ``size`` is what the branch's own files took.
        """
        done = Pruned()

        def change(tip: str | None) -> Change | None:
            nonlocal done
            ids, named = layout.doomed(self._read(tip), keep)
            if tip is None or not ids:
                return None
            sizes = {one.path: one.size for one in self.objects.listed(tip, NIGHTS, *KINDS)}
            nights = [layout.night_path(one) for one in sorted(ids)]
            blobs = [path for path in sizes if _is_stale(path, named)]
            done = Pruned(
                names=layout.names_of(ids),
                nights=len(ids),
                blobs=len(blobs),
                size=sum(sizes[path] for path in (*nights, *blobs)),
            )
            message = f"Prune {len(ids)} parts of {len(done.names)} nights"
            return Change(message=message, gone=(*nights, *blobs))

        self._change(change)
        return done

    def merge(self, other: History) -> Merged:
        """As :meth:`envbuild.history.store.History.merge`; of a branch of the same repository the
        commits come too, so that what was fetched can be pushed back."""
        theirs = other.read()
        joined = _commit_of(other) if self._is_near(other) else None
        done = Merged()

        def change(tip: str | None) -> Change | None:
            nonlocal done
            met = union(self._read(tip), theirs)
            have = {one.path for one in self.objects.listed(tip, *KINDS)} if tip else set()
            files = {
                path: data
                for night in (met.new | met.shared).values()
                for one, kind in layout.kinds(night).items()
                if (path := layout.blob_path(kind, one)) not in have
                and (data := other.blob(one)) is not None
            }
            done = met.merged(len(files))
            files |= {layout.night_path(name): theirs.files[name] for name in met.new}
            joins = _joins(self.objects, tip, joined)
            if not files and not joins:
                return None
            said = f"Merge {len(met.new)} nights"
            return Change(message=said, files=files, joins=joins)

        self._change(change)
        return done

    def _is_near(self, other: History) -> bool:
        return isinstance(other, BranchHistory) and other.objects.folder == self.objects.folder

    def tip(self) -> str | None:
        """The commit of the branch; None where it is not there.

        Raises:
            InputError: there is no repository, or this is no name of a branch.
        """
        own = self.objects.tip(self._ref)
        if own is None:
            self.objects.check_name(self._branch)
            return self.objects.tip(f"refs/remotes/{self._branch}")
        return own

    def _read(self, tip: str | None, newest: int | None = None) -> Read:
        if tip is None:
            return Read(files={})
        listed = self.objects.listed(tip, NIGHTS)
        if not listed:
            raise layout.missing(self.place)
        whole: dict[str, str] = {}
        broken = []
        for one in listed:
            name = layout.night_of(one.path.removeprefix(f"{NIGHTS}/"))
            if name is None:
                broken.append(f"{one.path}: its name is no id of a night")
            else:
                whole[name] = one.object
        names = list(whole)[-newest:] if newest else list(whole)
        data = self.objects.read(whole[name] for name in names)
        pairs = zip(names, data, strict=True)
        files = {name: found for name, found in pairs if found is not None}
        return Read(files=files, broken=tuple(broken))

    def _change(self, change: Callable[[str | None], Change | None]) -> None:
        """Make a change on top of the branch, as often as somebody else is faster.

        Raises:
            InputError: the branch cannot take it.
            ToolError: others are faster again and again, or git fails.
        """
        self._check()
        for _ in range(_TRIES):
            tip = self.objects.tip(self._ref)
            if tip is not None and not self.objects.listed(tip, NIGHTS):
                raise layout.missing(self.place)
            wanted = change(tip)
            if wanted is None or self.objects.commit(self._ref, tip, wanted):
                return
            time.sleep(random.uniform(0.0, 0.2))  # noqa: S311 (no secret: who waits how long)
        raise ToolError(
            f"{self.place} is moved by other processes again and again",
            hint="wait until they have ended, then run it again",
        )

    def _check(self) -> None:
        self.objects.check_name(self._branch)
        fetched = self.objects.tip(f"refs/remotes/{self._branch}")
        if fetched is not None and self.objects.tip(self._ref) is None:
            raise InputError(
                f"{self.place} is a branch that was fetched: it is only read",
                hint=f"--history git:NAME --merge {self.place}",
            )
        if self._ref in self.objects.checked_out():
            raise InputError(
                f"{self.place} is checked out, and would change under its work tree",
                hint="name a branch that holds the history alone: git:nightly",
            )


def _is_stale(path: str, named: frozenset[str]) -> bool:
    found = layout.blob_of(path)
    return found is not None and found not in named


def _commit_of(other: History) -> str | None:
    return other.tip() if isinstance(other, BranchHistory) else None


def _joins(objects: Objects, tip: str | None, other: str | None) -> tuple[str, ...]:
    """The commits that are to be joined: none where they are in the branch by now."""
    if other is None or (tip is not None and objects.holds(tip, other)):
        return ()
    return (other,)
