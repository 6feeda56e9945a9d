"""Rules held against the profiles of a workspace: worlds, findings, and what they depend on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild import stamps
from envbuild.cli import auditing, common
from envbuild.errors import EnvbuildError
from envbuild.knowledge import facts, judge, rulebook
from envbuild.knowledge.judge import Finding
from envbuild.knowledge.rulebook import Rulebook
from envbuild.knowledge.world import World, introduced, world
from envbuild.profile.resolve import resolve_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.auditing import Audits
    from envbuild.lock.model import Lock, Unpinned
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles, Workspace


class Verdict(Struct, frozen=True, kw_only=True):
    """What the rules say of profiles: ``judged`` are those, ``book`` the rules that were asked.

    ``unpinned`` are the images and Debian packages that fresh locks leave open, by profile and
    variant; ``records`` the files, by profile, that say what the wheels of those locks ask for.
    """

    judged: tuple[str, ...]
    findings: tuple[Finding, ...]
    book: rulebook.Rulebook
    unpinned: Mapping[str, Mapping[str, tuple[Unpinned, ...]]] = {}
    records: Mapping[str, tuple[str, ...]] = {}

    def count(self, severity: str) -> int:
        """How many findings of a severity are not waived."""
        return sum(one.severity == severity and one.waived is None for one in self.findings)

    @property
    def waived(self) -> int:
        """How many findings are waived."""
        return sum(one.waived is not None for one in self.findings)


def judged(
    workspace: Workspace,
    found: Profiles,
    resolved: Mapping[str, ResolvedProfile],
    *,
    locked: bool,
    audits: Audits | None = None,
) -> Verdict:
    """The rules held against profiles, and with ``locked`` against their locks where those are
    fresh: what a stale lock holds says nothing of the profile as it is now. What is known of the
    wheels of those locks (``audits`` was read just now) counts as the rules do.

    Raises:
        InputError: with every problem of the user's own rules.
    """
    book = rulebook.with_own(workspace.knowledge("rules"))
    profiles = {**resolved, **peers(found, resolved)}
    locks = {
        name: fresh_lock(workspace, found, profile) if locked else None
        for name, profile in profiles.items()
    }
    everyone = introduced(
        one for name, profile in profiles.items() for one in _worlds(profile, locks[name])
    )
    findings = judge.judge(
        (one for one in everyone if one.profile in resolved),
        book,
        beside=auditing.known(locks, audits or {}),
    )
    unpinned = {name: _unpinned(lock) for name in resolved if (lock := locks[name])}
    return Verdict(
        judged=tuple(resolved),
        findings=findings,
        book=book,
        unpinned={name: rows for name, rows in unpinned.items() if rows},
        records={name: auditing.records(locks[name]) for name in resolved},
    )


def audited(profile: ResolvedProfile, lock: Lock, audits: Audits) -> tuple[Finding, ...]:
    """What was found in the wheels of a lock."""
    found = judge.judge(
        _worlds(profile, lock),
        Rulebook(rules={}),
        beside=auditing.known({profile.name: lock}, audits),
    )
    return tuple(one for one in found if one.rule in rulebook.AUDITED)


def _unpinned(lock: Lock) -> dict[str, tuple[Unpinned, ...]]:
    from envbuild.lock.pins import missing  # where there is a lock at all

    rows = {name: missing(locked) for name, locked in lock.variants.items()}
    return {name: some for name, some in rows.items() if some}


def peers(found: Profiles, resolved: Mapping[str, ResolvedProfile]) -> dict[str, ResolvedProfile]:
    """The profiles that contracts name and that were not chosen; a broken one is left out, since
    it is told of when it is chosen itself."""
    wanted = sorted((_named(resolved) - resolved.keys()) & found.sources.keys())
    return resolve_all(wanted, found.sources)[0]


def _named(resolved: Mapping[str, ResolvedProfile]) -> set[str]:
    """The peers in the contracts of some profiles."""
    return {
        contract.peer
        for profile in resolved.values()
        for variant in profile.variants
        for contract in variant.environment.contracts
    }


def _worlds(profile: ResolvedProfile, lock: Lock | None) -> list[World]:
    worlds = []
    for variant in profile.variants:
        part = lock.variants.get(variant.name) if lock else None
        worlds.append(
            world(
                profile.name,
                variant,
                locked={one.name: one.version for one in part.packages} if part else None,
                provided={one.name: one.version for one in part.provided} if part else None,
            )
        )
    return worlds


def fresh_lock(workspace: Workspace, found: Profiles, profile: ResolvedProfile) -> Lock | None:
    """The lock of a profile where there is one that is true to it."""
    if not os.path.isdir(workspace.path("lockfiles", profile.name)):
        return None
    from envbuild.cli import locking  # 30 ms that a workspace without locks does not need
    from envbuild.lock import folder

    try:
        if not locking.freshness_of(workspace, found, profile).fresh:
            return None
        return folder.read(*locking.workspace_path(workspace, profile.name)).header
    except EnvbuildError:
        return None  # lock --check tells of it; the profile can be judged without


def depends_on(
    workspace: Workspace,
    found: Profiles,
    resolved: Mapping[str, ResolvedProfile],
    *,
    locked: bool,
) -> tuple[str, ...]:
    """Every file that the answer about some profiles depends on: theirs, those of their peers,
    with ``locked`` their locks, the user's rules (and the folder of these), the shipped rules and
    the facts.

    Relative to the workspace where they are inside it.
    """
    paths = {"knowledge/rules", *workspace.knowledge("rules"), *facts.facts_files()}
    paths |= set(rulebook.rule_files())
    for profile in (*resolved.values(), *peers(found, resolved).values()):
        paths |= set(common.input_files(workspace, found, profile))
        if locked:
            paths |= {f"lockfiles/{profile.name}", *_lock_files(workspace, found, profile)}
    if _named(resolved) - found.sources.keys():  # a peer that is not there may come
        paths |= set(workspace.profile_folders())
    return tuple(sorted(paths))


def open_ends(profile: str, verdict: Verdict) -> str:
    """One line: what the fresh lock of a profile leaves open; empty where that is nothing."""
    variants = verdict.unpinned.get(profile)
    if not variants:
        return ""
    names = dict.fromkeys(row.what for rows in variants.values() for row in rows)
    said = f"{profile}: warning: not pinned: {', '.join(names)} [envbuild lock --force asks again]"
    return plain(said)


def plain(text: str) -> str:
    """The text with nothing in it that moves a terminal's cursor or changes its colours."""
    return "".join(c if c.isprintable() else "?" for c in text)


def remember(
    workspace: Workspace,
    found: Profiles,
    resolved: Mapping[str, ResolvedProfile],
    verdict: Verdict,
    *,
    locked: bool,
) -> None:
    """Stamp the profiles of which nothing at all was found, waived or not: ``rules`` or, with
    their locks, ``check``, which says what these leave open."""
    told = {one.profile for one in verdict.findings}
    for name, profile in resolved.items():
        if name in told:
            continue
        paths = depends_on(workspace, found, {name: profile}, locked=locked)
        paths += verdict.records.get(name, ())
        stage, said = ("check", open_ends(name, verdict)) if locked else ("rules", "")
        stamps.write(workspace.root, stage, name, paths=paths, said=said)


def _lock_files(workspace: Workspace, found: Profiles, profile: ResolvedProfile) -> set[str]:
    from envbuild.cli import locking

    try:
        return set(locking.depends_on(workspace, found, profile))
    except EnvbuildError:
        return {f"lockfiles/{profile.name}"}
