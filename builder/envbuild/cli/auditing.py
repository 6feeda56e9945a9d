"""The wheels of a lock, read before anything is built from it: ``--audit``, and what it has left.

What was read of a lock is kept in the user's cache, in one file for each of its variants. ``check``
looks at those files and reads no wheel; they are among the files that its answer depends on.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from envbuild.knowledge import judge
from envbuild.knowledge.judge import Finding
from envbuild.tools import store

if TYPE_CHECKING:
    from typing import TypeAlias

    from envbuild.cli.console import Console
    from envbuild.doctor import model
    from envbuild.doctor.auditing.reading import Reader
    from envbuild.doctor.auditing.wheels import WheelFacts
    from envbuild.knowledge.world import World
    from envbuild.lock.folder import LockFolder
    from envbuild.lock.model import Lock, VariantLock
    from envbuild.lock.uv import Uv
    from envbuild.profile.resolved import ResolvedProfile, Variant

    Audits: TypeAlias = Mapping[str, tuple[WheelFacts, ...]]
    """What the wheels of locks say, by the digest of a variant's lock."""


# --- What is known -------------------------------------------------------------------------------


def records(lock: Lock | None) -> tuple[str, ...]:
    """The files that say what the wheels of a lock ask for, whether they are there or not."""
    return tuple(_record(_digest(part)) for part in lock.variants.values()) if lock else ()


def _digest(part: VariantLock) -> str:
    from envbuild.lock.folder import lock_digest  # where there is a lock at all

    return lock_digest(part)


def _record(digest: str) -> str:
    place = store.cache_folder(os.environ)
    return f"{place}/wheels/locks/{digest.removeprefix('sha256:')}.json"


def known(locks: Mapping[str, Lock | None], audits: Audits) -> Callable[[World], Iterable[Finding]]:
    """Gives what is known of the wheels of a variant: from ``audits``, which were made just now, or
    from the cache."""

    def of(world: World) -> Iterable[Finding]:
        lock = locks.get(world.profile)
        part = lock.variants.get(world.variant.name) if lock else None
        return _of_variant(world, part, audits) if part else ()

    return of


def _of_variant(world: World, part: VariantLock, audits: Audits) -> Iterable[Finding]:
    digest = _digest(part)
    if digest not in audits and not os.path.isfile(_record(digest)):
        return
    from envbuild.doctor.auditing import audit, wheels  # 30 ms, for what was audited

    facts = audits.get(digest) or wheels.recall(_record(digest))
    for found in audit.findings(part, world.environment.base, facts or ()):
        yield _of_profile(found, world)


def _of_profile(found: model.Finding, world: World) -> Finding:
    """What doctor says, as it is said of a profile."""
    gives = f"; it will say: {found.expect[0]}" if found.expect else ""
    return Finding(
        rule=found.id,
        severity=found.severity,
        profile=world.profile,
        variants=(world.variant.name,),
        mark=None,
        message=found.what,
        why=f"{found.why} ({found.where[0].partition('/')[2] or found.where[0]}){gives}",
        fixes=found.repair,
        source=f"{found.source} ({found.sure})",
    )


# --- Reading -------------------------------------------------------------------------------------


class Auditor:
    """Reads the wheels of locks; ``uv`` is asked where no answer about a lock is kept.

    ``audits`` is what was read so far.
    """

    def __init__(self, console: Console, uv: Callable[[], Uv], *, offline: bool) -> None:
        self._console = console
        self._uv = uv
        self._offline = offline
        self.audits: dict[str, tuple[WheelFacts, ...]] = {}
        self._said: dict[str, tuple[Finding, ...]] = {}

    def read(self, profile: ResolvedProfile, found: LockFolder) -> None:
        """Read the wheels of every variant of a lock, each once.

        Raises:
            ToolError: uv, the index or the network does not answer, or gives other files than the
                lock.
        """
        assert found.header is not None  # a lock that is written, or about to be
        for variant in profile.variants:
            part = found.header.variants[variant.name]
            digest = _digest(part)
            if digest not in self.audits:
                self.audits[digest] = self._facts(variant, part, found)

    def accepts(
        self, profile: ResolvedProfile, files: Mapping[str, bytes], before: LockFolder
    ) -> bool:
        """Whether a lock that is about to be written (its files by name) would not break."""
        if self.sound(profile, _about_to_be(files, before)):
            return True
        self._console.fail(f"{profile.name}: its lock would break, and is not written")
        self._console.hint("waive: sets a finding aside, with a reason")
        return False

    def sound(self, profile: ResolvedProfile, found: LockFolder) -> bool:
        """Whether nothing that is not waived is wrong with the wheels of a lock; what is, is said.

        Raises:
            ToolError: as :meth:`read`.
        """
        from envbuild.cli import judging

        self.read(profile, found)
        assert found.header is not None  # a moment ago
        findings = judging.audited(profile, found.header, self.audits)
        self._said[profile.name] = findings
        for severity in ("warning", "error"):
            for one in judge.unwaived(findings, severity):
                said = judge.as_problem(one)
                named = f"{one.profile}: {said.message}"
                self._console.problem(msgspec.structs.replace(said, message=named), kind=severity)
                self._console.say(f"  {one.why}", style="dim")
        return not any(judge.unwaived(findings, "error"))

    def said(self, profile: str) -> tuple[Finding, ...]:
        """What was found in the wheels of a profile."""
        return self._said.get(profile, ())

    def _facts(
        self, variant: Variant, part: VariantLock, found: LockFolder
    ) -> tuple[WheelFacts, ...]:
        from envbuild.doctor.auditing import wheels
        from envbuild.lock import pylock, requirements

        named = (part.wheels, *((part.sources,) if part.sources else ()))
        texts = (found.texts[file.path].decode() for file in named)
        pins = tuple(pin for text in texts for pin in requirements.parse(text))
        facts = self._reader.every(pylock.locked(variant, part, pins), pins)
        wheels.keep(_record(_digest(part)), facts)
        whole = sum(one.verified for one in facts)
        parts = f", {len(facts) - whole} of them in parts" if whole < len(facts) else ""
        self._console.detail(f"{found.label}: {variant.name}: {len(facts)} wheels read{parts}")
        return facts

    @functools.cached_property
    def _reader(self) -> Reader:
        from envbuild.build.supply import Means, supply
        from envbuild.doctor.auditing.reading import Reader
        from envbuild.doctor.auditing.wheels import Kept
        from envbuild.tools import proc
        from envbuild.tools.net import Http

        environ = dict(os.environ)
        cache = store.cache_folder(environ)
        means = Means(
            environ=environ,
            runner=proc.run,
            uv=self._uv,
            cache=cache,
            offline=self._offline,
            live=self._console.live,
        )
        return Reader(supply=supply(means), kept=Kept(cache), http=Http(environ))


def _about_to_be(files: Mapping[str, bytes], before: LockFolder) -> LockFolder:
    """The lock folder that consists of some files, by name."""
    from envbuild.lock import folder
    from envbuild.lock.model import HEADER

    texts = {path: data for path, data in files.items() if path != HEADER}
    header = folder.decode(files[HEADER], f"{before.label}/{HEADER}")
    return msgspec.structs.replace(before, header=header, texts=texts)
