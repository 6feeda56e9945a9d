"""The lock of a night beside those that stand: what moved, and whether it is the same after all."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.history import blobs
from envbuild.lock import diff, folder
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import HEADER
from envbuild.lock.moves import Move
from envbuild.nightly import scratch as scratches
from envbuild.nightly.model import Locked
from envbuild.nightly.scratch import Scratch, Snapshot
from envbuild.speech import counted

_SHOWN = 3
"""Moves that a reason names."""

_MOST = 1000
"""Moves that a night keeps of a profile: the riskiest."""


class Settled(Struct, frozen=True, kw_only=True):
    """The lock that a chain goes on with, its bytes as the history keeps them, and what moved
    against the committed one, in a line."""

    locked: Locked
    data: bytes
    reason: str


def committed(snapshot: Snapshot) -> LockFolder | None:
    """The lock that the workspace has; None where it has none that can be read."""
    label = f"lockfiles/{snapshot.profile}"
    data = snapshot.locks.get(f"{label}/{HEADER}")
    if data is None:
        return None
    try:
        header = folder.decode(data, f"{label}/{HEADER}")
    except InputError:
        return None
    named = ((path, snapshot.locks.get(f"{label}/{path}")) for path in folder.named_files(header))
    texts = {path: text for path, text in named if text is not None}
    return LockFolder(label=label, header=header, texts=texts)


def packed(lock: LockFolder, *, committed: bool) -> Settled:
    """A lock as it is kept; nothing is said of it."""
    digest, data = blobs.lock_blob(lock)
    moment = "" if committed else _moment(lock)
    return Settled(
        locked=Locked(digest=digest, moment=moment, committed=committed), data=data, reason=""
    )


def settle(scratch: Scratch, last: LockFolder | None) -> Settled:
    """The lock that was just made; where nothing moved, the one that it was made from.

    ``last`` is that of the last night. A lock says the moment that it is of, and images are made
    from all that it says: one that differs in the moment alone is no reason to build anything, so
    the older one takes its place in the scratch workspace, byte for byte.

    Raises:
        InputError: the lock that was made cannot be read.
        ToolError: the scratch workspace cannot be written.
    """
    snapshot = scratch.snapshot
    made = folder.read(scratch.lock, f"lockfiles/{snapshot.profile}")
    own = committed(snapshot)
    for older, is_own in ((own, True), (last, False)):
        if older is not None and not moves(older, made):
            settled = packed(older, committed=is_own)
            go_on(scratch, older, settled.locked)
            break
    else:
        settled = packed(made, committed=False)
    return Settled(locked=settled.locked, data=settled.data, reason=_reason(own, made))


def go_on(scratch: Scratch, lock: LockFolder, locked: Locked) -> None:
    """Make a lock that of the scratch workspace, with the moment that it is of.

    Raises:
        ToolError: the scratch workspace cannot be written.
    """
    scratches.sync(scratch.snapshot, scratch.root, moment=locked.moment)
    if not locked.committed:
        scratches.put_lock(scratch, lock)


def moves(old: LockFolder, new: LockFolder) -> tuple[Move, ...]:
    """What moved between two locks, the riskiest first; not the moment that they are of. A lock
    that cannot be compared has moved whole."""
    try:
        found = diff.moved(diff.side(old), diff.side(new))
    except InputError as error:
        return (Move(risk="input", what="lock", why=error.message),)
    return tuple(one for one in found if not _is_moment(one))[:_MOST]


def _is_moment(move: Move) -> bool:
    return move.risk == "input" and move.what == "as-of"


def _moment(lock: LockFolder) -> str:
    assert lock.header is not None  # it was packed
    return max(variant.input.as_of for variant in lock.header.variants.values())


def _reason(own: LockFolder | None, made: LockFolder) -> str:
    if own is None:
        assert made.header is not None  # a moment ago
        many = sum(len(one.packages) for one in made.header.variants.values())
        return f"locked for the first time: {counted(many, 'package')}"
    found = moves(own, made)
    if not found:
        return "nothing moved"
    return f"{len(found)} moved: {named(found)}"


def named(found: Sequence[Move]) -> str:
    """The riskiest moves in a line."""
    shown = ", ".join(_told(one) for one in found[:_SHOWN])
    return shown + (" …" if len(found) > _SHOWN else "")


def _told(move: Move) -> str:
    if move.old and move.new:
        return f"{move.what} {move.old} -> {move.new}"
    if move.new:
        return f"{move.what} {move.new} added"
    return f"{move.what} {move.old} removed" if move.old else move.what


def unpacked(data: bytes, label: str) -> LockFolder:
    """A lock as it is kept.

    Raises:
        InputError: it is damaged.
    """
    return blobs.lock_of(data, label)
