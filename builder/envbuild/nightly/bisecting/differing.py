"""What differs between two locks, as nodes, and what of it needs what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from envbuild.lock import diff
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import HEADER, Lock, VariantLock
from envbuild.lock.moves import Move
from envbuild.nightly.bisecting.model import Graph, Kind, Node, Tie
from envbuild.nightly.bisecting.stating import (
    PROFILE,
    Fits,
    Needs,
    Statement,
    by_pair,
    conda_id,
    statements,
)

APT = "apt packages"
ROLES = {
    "base": "base image",
    "build": "build image",
    "uv": "uv's image",
    "micromamba": "micromamba's image",
}

Depends = Mapping[str, Mapping[str, Mapping[str, str]]]
"""What each conda package depends on, by variant, name and name, with bounds."""


class Side(Struct, frozen=True, kw_only=True):
    """A lock with all that is known of it: ``depends`` of its conda halves, ``needs`` of its Python
    packages beside what the lock itself says."""

    folder: LockFolder
    depends: Depends = {}
    needs: Needs = lambda _name, _version: {}

    @property
    def lock(self) -> Lock:
        """The header."""
        assert self.folder.header is not None  # who reads a side refuses a folder without
        return self.folder.header


def graph(old: Side, new: Side, fits: Fits, *, only: str = "", profile_first: str = "") -> Graph:
    """The nodes and ties between a good lock and a bad one.

    ``only`` is the one variant that is looked at (empty: all). ``profile_first`` is why nothing
    may move before the profile has (empty: it moves as anything else).
    """
    variants = [name for name in new.lock.variants if name in old.lock.variants]
    chosen = [name for name in variants if not only or name == only]
    nodes: dict[str, Node] = {}
    for name in chosen:
        for node in _of_variant(old, new, name):
            nodes[node.id] = _merged(nodes.get(node.id), node)
    if _profile_moved(old.lock, new.lock):
        nodes[PROFILE] = Node(id=PROFILE, kind="profile", moves=())
    nodes = _told(nodes, old, new, chosen)
    ties = dict.fromkeys(tie for name in chosen for tie in _ties(nodes, old, new, name, fits=fits))
    if profile_first and PROFILE in nodes:
        ties |= dict.fromkeys(
            Tie(node=name, needs=PROFILE, why=profile_first) for name in nodes if name != PROFILE
        )
    asked = _askers(nodes, old, new, chosen)
    return Graph(
        nodes=tuple(
            msgspec.structs.replace(node, askers=tuple(sorted(asked.get(name, ()))))
            for name, node in sorted(nodes.items())
        ),
        ties=tuple(ties),
    )


# --- Nodes ---------------------------------------------------------------------------------------


def _of_variant(old: Side, new: Side, name: str) -> Iterator[Node]:
    before, after = old.lock.variants[name], new.lock.variants[name]
    hashes = (diff.side(old.folder).hashes[name], diff.side(new.folder).hashes[name])
    was, now = ({one.name: one for one in lock.packages} for lock in (before, after))
    for package in sorted(was.keys() | now.keys()):
        one, other = was.get(package), now.get(package)
        if one and other:
            same = (one.version, one.integrity) == (other.version, other.integrity)
            if same and hashes[0].get(package) == hashes[1].get(package):
                continue
        yield _node(package, "python", bool(one), bool(other))
    conda_was, conda_now = (
        {one.name: one for one in lock.conda_packages} for lock in (before, after)
    )
    for package in sorted(conda_was.keys() | conda_now.keys()):
        if conda_was.get(package) != conda_now.get(package):
            yield _node(conda_id(package), "conda", package in conda_was, package in conda_now)
    yield from _pins(before, after)


def _node(name: str, kind: Kind, was: bool, now: bool) -> Node:  # noqa: FBT001 (two ends)
    presence: Literal["both", "added", "removed"] = "both"
    if not (was and now):
        presence = "added" if now else "removed"
    return Node(id=name, kind=kind, moves=(), presence=presence)


def _pins(before: VariantLock, after: VariantLock) -> Iterator[Node]:
    """Images, Debian packages and repositories whose pins moved though the same is asked."""
    for role, called in ROLES.items():
        was, now = before.image(role), after.image(role)
        if was and now and was != now and was.reference == now.reference:
            yield Node(id=called, kind="pin", moves=())
    if before.apt and after.apt and before.apt.packages != after.apt.packages:
        yield Node(id=APT, kind="pin", moves=())
    commits = {pin.name: pin for pin in before.git}
    for pin in after.git:
        one = commits.get(pin.name)
        if one and (one.url, one.ref) == (pin.url, pin.ref) and one.commit != pin.commit:
            yield Node(id=f"git {pin.name}", kind="pin", moves=())


def _merged(before: Node | None, node: Node) -> Node:
    """A node of two variants: what comes in one and moves in the other moves by itself."""
    if before is None or before.presence == node.presence:
        return node
    return msgspec.structs.replace(node, presence="both")


def _profile_moved(old: Lock, new: Lock) -> bool:
    if tuple(old.variants) != tuple(new.variants) or old.files != new.files:
        return True
    pairs = ((old.variants[name], new.variants[name]) for name in new.variants)
    return any(
        (_bare(before), before.relaxations) != (_bare(after), after.relaxations)
        for before, after in pairs
    )


def _bare(locked: VariantLock) -> object:
    """What the solvers saw, but for the moment and what they told each other."""
    return msgspec.structs.replace(locked.input, as_of="", installed=())


def _told(nodes: Mapping[str, Node], old: Side, new: Side, chosen: list[str]) -> dict[str, Node]:
    """The nodes with the moves that ``envbuild diff`` tells of them; those of no node are the
    profile's."""
    moves: dict[str, list[Move]] = {name: [] for name in nodes}
    left = {"as-of", "conda solver", "seal", "not pinned"}
    for move in diff.moved(diff.side(old.folder), diff.side(new.folder)):
        if move.what in left or move.what.startswith("tool ") or move.what.endswith(HEADER):
            continue
        if move.variants and not set(move.variants) & set(chosen):
            continue
        apt = move.what.startswith("apt ") and APT in nodes
        name = APT if apt else move.what if move.what in nodes else PROFILE
        if name in moves:
            moves[name].append(move)
    return {
        name: msgspec.structs.replace(node, moves=tuple(moves[name]))
        for name, node in nodes.items()
    }


# --- Ties ----------------------------------------------------------------------------------------


def _versions(locked: VariantLock) -> dict[str, str]:
    return {one.name: one.version for one in locked.packages} | {
        conda_id(one.name): one.version for one in locked.conda_packages
    }


def _said(side: Side, name: str) -> dict[tuple[str, str], Statement]:
    locked = side.lock.variants[name]
    return by_pair(statements(locked, side.depends.get(name, {}), side.needs))


def _ties(
    nodes: Mapping[str, Node], old: Side, new: Side, name: str, *, fits: Fits
) -> Iterator[Tie]:
    """Why one node cannot be where another is not: the bounds of who moved refuse the version that
    has not, or the bounds of who has not refuse the version that moved."""
    was, now = (_versions(side.lock.variants[name]) for side in (old, new))
    for asker, asked in sorted(_said(new, name).items()):
        if not {asker[0], asker[1]} <= nodes.keys() or asker[0] == asker[1]:
            continue
        who, what = asker
        there = was.get(what)
        if there is None:
            yield Tie(node=who, needs=what, why=f"{_named(who, now)} asks for {what}")
        elif asked.bounds and not fits(asked.ecosystem, asked.bounds, there):
            why = f"{_named(who, now)} asks for {what} {asked.bounds}"
            yield Tie(node=who, needs=what, why=why)
    for (who, what), asked in sorted(_said(old, name).items()):
        if not {who, what} <= nodes.keys() or who == what:
            continue
        there = now.get(what)
        if there is None:
            yield Tie(node=what, needs=who, why=f"{_named(who, was)} asks for {what}")
        elif asked.bounds and not fits(asked.ecosystem, asked.bounds, there):
            why = f"{_named(who, was)} asks for {what} {asked.bounds}"
            yield Tie(node=what, needs=who, why=why)
    yield from _changed_hands(nodes, old, new, name)


def _named(who: str, versions: Mapping[str, str]) -> str:
    return f"{who} {versions[who]}" if who in versions else who


def _changed_hands(nodes: Mapping[str, Node], old: Side, new: Side, name: str) -> Iterator[Tie]:
    """A Python package that one side has from the index and the other from conda."""
    for side in (old, new):
        for one in side.lock.variants[name].conda_packages:
            pair = (one.python, conda_id(one.name))
            presences = {nodes[each].presence for each in pair if each in nodes}
            if presences == {"added", "removed"}:
                why = f"{one.python} changes between the index and conda"
                yield Tie(node=pair[0], needs=pair[1], why=why)
                yield Tie(node=pair[1], needs=pair[0], why=why)


def _askers(
    nodes: Mapping[str, Node], old: Side, new: Side, chosen: Iterable[str]
) -> dict[str, set[str]]:
    """Of what is in one lock alone, the nodes that ask for it there."""
    found: dict[str, set[str]] = {}
    for name in chosen:
        for side, presence in ((old, "removed"), (new, "added")):
            for who, what in _said(side, name):
                if who in nodes and what in nodes and nodes[what].presence == presence:
                    found.setdefault(what, set()).add(who)
    return found
