"""What a stage depends on, as one digest: with the same one it need not be done again. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from envbuild.history.model import Stage
from envbuild.nightly.model import Locked, Wishes
from envbuild.nightly.scratch import Snapshot

_TAG = b"envbuild-nightly-1\n"


def digest(*values: object) -> str:
    """The digest of some values: of equal ones the same, on every machine."""
    data = _TAG + msgspec.json.encode(values, order="deterministic")
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def contents(snapshot: Snapshot) -> tuple[str, str]:
    """The digests of what a profile is read from, and of the locks beside it."""
    return tuple(  # type: ignore[return-value]  # two of them
        digest(sorted((path, hashlib.sha256(data).hexdigest()) for path, data in files.items()))
        for files in (snapshot.texts, snapshot.locks)
    )


class Keys:
    """The keys of one profile's stages. ``program`` is who answers, ``machine`` what tests see."""

    def __init__(self, snapshot: Snapshot, wishes: Wishes, *, program: str, machine: str) -> None:
        self._texts, self._locks = contents(snapshot)
        self._wishes = wishes
        self._program = program
        self._machine = machine

    def check(self) -> str:
        """Of ``check``: the profile, its own lock, its peers'."""
        return self._key("check", self._texts, self._locks, self._wishes.strict)

    def lock(self, moment: str) -> str:
        """Of ``lock``: it asks the world, so every night has its own."""
        wishes = self._wishes
        asked = (moment, wishes.upgrade, wishes.lock_words)
        return self._key("lock", self._texts, self._locks, *asked)

    def locked(self, stage: Stage, locked: Locked) -> str:
        """Of what looks at a lock alone: ``audit``, ``render``."""
        return self._key(stage, self._texts, locked.digest, locked.moment, self._wishes.strict)

    def build(self, locked: Locked, variant: str) -> str:
        """Of a build; the engine itself knows what stands on images without a digest."""
        wishes = self._wishes
        how = (wishes.engine, wishes.tag, wishes.push, wishes.build_words)
        return self._key("build", self._texts, locked.digest, locked.moment, variant, *how)

    def smoke(self, identity: str, variant: str) -> str:
        """Of the tests of an image on this machine."""
        words = self._wishes.smoke_words
        return self._key("smoke", self._texts, identity, variant, words, self._machine)

    def _key(self, *values: object) -> str:
        return digest(self._program, *values)
