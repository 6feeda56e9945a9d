"""Everything asked, several at a time; one finding for each artifact, whoever's lock names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from envbuild.build.reaching.model import Answer, Asked, Finding

if TYPE_CHECKING:
    from envbuild.build.vendor.model import Artifact

_TOGETHER = 8
"""Artifacts that are asked for at a time: a registry or an index takes that from one address."""

Key = tuple[str, str, str, str, tuple[str, ...]]


def findings(
    asked: Iterable[tuple[str, Asked]],
    vendored: Callable[[Asked], bool],
    *,
    progress: Callable[[int, int], None],
) -> tuple[Finding, ...]:
    """What is known of each artifact now, by kind and name.

    ``asked`` are artifacts with the variants whose locks name them. ``progress`` is told how many
    have answered, of how many.
    """
    each: dict[Key, tuple[Asked, list[str]]] = {}
    for target, one in asked:
        each.setdefault(one.key, (one, []))[1].append(target)
    answers: dict[Key, Answer] = {}
    pool = ThreadPoolExecutor(_TOGETHER)
    try:
        running = {pool.submit(one.ask): key for key, (one, _) in each.items()}
        for done in as_completed(running):
            answers[running[done]] = done.result()
            progress(len(answers), len(each))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    found = (_finding(one, targets, answers[key], vendored) for key, (one, targets) in each.items())
    return tuple(sorted(found, key=lambda one: (one.kind, one.name, one.version, one.file)))


def _finding(
    one: Asked, targets: list[str], answer: Answer, vendored: Callable[[Asked], bool]
) -> Finding:
    return Finding(
        kind=one.kind,
        name=one.name,
        version=one.version,
        file=one.file,
        state=answer.state,
        detail=answer.detail,
        warning=answer.warning,
        targets=tuple(sorted(set(targets))),
        vendored=vendored(one),
    )


def kept(artifacts: Iterable[Artifact]) -> Callable[[Asked], bool]:
    """Whether a vendored folder has an artifact: by its hash, and what has none by its version."""
    listed = tuple(artifacts)
    hashes = frozenset(one.sha256 for one in listed)
    versions = frozenset((one.kind, one.name, one.version) for one in listed)
    names = frozenset((one.kind, one.name) for one in listed)

    def has(asked: Asked) -> bool:
        if asked.hashes:
            return not hashes.isdisjoint(asked.hashes)
        if not asked.version:
            return (asked.kind, asked.name) in names
        return (
            any(
                kind == asked.kind
                and name == asked.name
                and version.partition("+")[0] == asked.version
                for kind, name, version in versions
            )
            or (asked.kind, asked.name, asked.version) in versions
        )

    return has


def counts(found: Iterable[Finding]) -> Mapping[str, Mapping[str, int]]:
    """How many artifacts of each kind are in each state."""
    table: dict[str, dict[str, int]] = {}
    for one in found:
        row = table.setdefault(one.kind, {})
        row[one.state] = row.get(one.state, 0) + 1
    return table


def exit_status(found: Iterable[Finding], *, strict: bool) -> int:
    """1 where something is lost (``strict``: or yanked), else 3 where somebody did not answer."""
    listed = tuple(found)
    if any(one.lost or (strict and one.warning) for one in listed):
        return 1
    return 3 if any(one.state == "unknown" for one in listed) else 0
