"""``envbuild lock``: resolve every profile to pinned, hashed, index-neutral locks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from envbuild.cli import common, lock_report, locking
from envbuild.errors import InputError
from envbuild.lock import planning, working
from envbuild.names import canonical_name
from envbuild.speech import counted
from envbuild.tools import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

_OUTSIDE = frozenset({"network", "offline", "build", "failed", "interrupted"})
"""Failures that are not an answer about the profile: exit status 3, not 1."""


class Doing(Struct, frozen=True, kw_only=True):
    """How to do what was asked, beside what planning knows."""

    offline: bool
    refresh: bool
    dry_run: bool
    workers: int
    as_json: bool


@click.command("lock")
@common.profiles_argument
@click.option("--check", is_flag=True, help="Only say whether the locks are fresh; exit 1 if not.")
@click.option("--force", is_flag=True, help="Resolve what is fresh too; versions are kept.")
@click.option("-U", "--upgrade", is_flag=True, help="Let every version move.")
@click.option("-P", "--upgrade-package", multiple=True, metavar="NAME", help="Let this one move.")
@click.option("--exclude-newer", metavar="DATE", help="As of this moment (a date: 00:00 UTC).")
@click.option("--index", "indexes", multiple=True, metavar="NAME", help="Ask this vendor index.")
@click.option("--offline", is_flag=True, help="Use uv's cache alone.")
@click.option("--refresh", is_flag=True, help="Ask the index again for everything.")
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, with the reasons.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Resolutions at a time.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: object) -> int:
    """Resolve profiles to pinned, hashed, index-neutral locks.

    Without PROFILE: every profile of the workspace. Versions of an existing lock are kept unless
    they are let go; a profile that cannot be locked keeps its old lock.
    """
    found = session.workspace.profiles()
    resolved = common.chosen(found, profiles)
    if chosen["check"]:
        _refuse_beside_check(chosen)
        return check(session, found, resolved, as_json=bool(chosen["as_json"]))
    options = planning.Options(
        upgrade=bool(chosen["upgrade"]),
        upgrade_packages=tuple(canonical_name(n) for n in _words(chosen["upgrade_package"])),
        as_of=moment(chosen["exclude_newer"]),
        indexes=_words(chosen["indexes"]) or None,
        force=bool(chosen["force"]),
    )
    jobs = chosen["jobs"]
    doing = Doing(
        offline=bool(chosen["offline"]),
        refresh=bool(chosen["refresh"]),
        dry_run=bool(chosen["dry_run"]),
        workers=jobs if isinstance(jobs, int) else min(4, os.cpu_count() or 1),
        as_json=bool(chosen["as_json"]),
    )
    if doing.dry_run:
        planned = tuple(_targets(session, found, resolved, options))
        return _plan(session, planned, as_json=doing.as_json)
    tool = locking.Tool(
        offline=doing.offline,
        refresh=doing.refresh,
        declared=locking.declared_indexes(resolved.values()),
    )
    held = session.workspace.path(".envbuild", "lock")
    with files.exclusive(held, waiting=lambda pid: _waiting(session, pid)):
        return _lock(session, found, _targets(session, found, resolved, options), (tool, doing))


def _refuse_beside_check(chosen: Mapping[str, object]) -> None:
    """``--check`` looks at what stands; what would change the answer does not go with it."""
    given = [name for name, value in chosen.items() if value and name not in ("check", "as_json")]
    if given:
        option = "--" + given[0].replace("_", "-").replace("indexes", "index")
        raise click.UsageError(f"--check does not go with {option}")


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()


def _waiting(session: Session, holder: str) -> None:
    session.console.say(f"waiting for another envbuild (process {holder}) to finish")


def moment(text: object) -> str | None:
    """A moment as RFC 3339 in UTC; a bare date is its first second.

    Raises:
        InputError: it is neither a date nor a moment with a time zone.
    """
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        parsed = None
    if parsed is None or (parsed.tzinfo is None and len(str(text)) > 10):
        hint = "2026-02-01, or 2026-02-01T12:00:00Z (with its time zone)"
        raise InputError(f"{text!r} is not a moment", hint=hint)
    aware = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ")


def _targets(
    session: Session,
    found: Profiles,
    resolved: dict[str, ResolvedProfile],
    options: planning.Options,
) -> Iterator[locking.Target]:
    """What locking each would do, one by one: the first is begun before the last is read."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    targets = (
        locking.target(session.workspace, found, profile, options=options, now=now)
        for profile in resolved.values()
    )
    if not options.upgrade_packages:
        return targets
    known = tuple(targets)
    jobs = [job for target in known for job in target.jobs]
    planning.refuse_unknown_packages(options.upgrade_packages, jobs)
    return iter(known)


def _plan(session: Session, targets: tuple[locking.Target, ...], *, as_json: bool) -> int:
    steps = tuple(job.step for target in targets for job in target.jobs)
    if as_json:
        session.console.json(steps)
    else:
        session.console.plan(steps)
    return 0


def _lock(
    session: Session,
    found: Profiles,
    planned: Iterator[locking.Target],
    using: tuple[locking.Tool, Doing],
) -> int:
    tool, doing = using
    targets: list[locking.Target] = []

    def begun() -> Iterator[locking.Target]:
        for target in planned:
            targets.append(target)
            yield target

    def say(one: working.Done, left: int) -> None:
        _say_done(session, one, tool)
        if left:
            session.console.live(f"resolving {counted(left, 'variant')} ...")

    done = locking.solve(begun(), tool, workers=doing.workers, on_done=say)
    results = [locking.write(target, done, tool) for target in targets]
    for target, result in zip(targets, results, strict=True):
        if result.status != "failed":
            locking.remember(session.workspace, found, target.profile)
    if doing.as_json:
        session.console.json([_as_data(t, r, done) for t, r in zip(targets, results, strict=True)])
    return _summary(session, results, done.values())


def _say_done(session: Session, one: working.Done, tool: locking.Tool) -> None:
    if isinstance(one.result, working.Refusal):
        for problem in one.result.problems:
            session.console.problem(problem)
        origin = tool.index_origin()
        head, *rest = lock_report.lines(one.job.step.target, one.result, index=origin)
        session.console.fail(head)
        for line in rest:
            session.console.say(line)
        if one.result.failure:
            session.console.detail(one.result.failure.text)
        return
    count = counted(len(one.result.packages), "package")
    provided = len(one.result.provided)
    outcome = count + (f", {provided} left to the image" if provided else "")
    session.console.step(one.job.step, outcome, one.seconds)


def _summary(session: Session, results: list[locking.Result], done: Iterable[working.Done]) -> int:
    count = {
        status: sum(result.status == status for result in results)
        for status in ("written", "unchanged", "failed")
    }
    parts = [f"{number} {status}" for status, number in count.items() if number]
    session.console.say(f"{counted(len(results), 'profile')}: {', '.join(parts)}")
    if not count["failed"]:
        return 0
    refusals = (one.result for one in done if isinstance(one.result, working.Refusal))
    kinds = {refusal.failure.kind for refusal in refusals if refusal.failure}
    return 3 if kinds & _OUTSIDE else 1


def _as_data(
    target: locking.Target, result: locking.Result, done: dict[str, working.Done]
) -> dict[str, object]:
    variants = []
    for job in target.jobs:
        one = done.get(job.step.target)
        row: dict[str, object] = {
            "variant": job.question.variant.name,
            "action": job.step.action,
            "reason": job.step.reason,
        }
        if one is not None:
            row["seconds"] = round(one.seconds, 3)
            row["outcome"] = (
                lock_report.as_data(one.result)
                if isinstance(one.result, working.Refusal)
                else {"packages": len(one.result.packages), "provided": len(one.result.provided)}
            )
        variants.append(row)
    return {"profile": result.profile, "status": result.status, "variants": variants}


def check(
    session: Session,
    found: Profiles,
    resolved: dict[str, ResolvedProfile],
    *,
    as_json: bool,
) -> int:
    """Say whether locks are fresh, and which input moved where they are not."""
    states = {
        name: locking.freshness_of(session.workspace, found, profile)
        for name, profile in resolved.items()
    }
    for name, state in states.items():
        if state.fresh:
            locking.remember(session.workspace, found, resolved[name])
        else:
            session.console.fail(f"{name}: lock is {state.status}")
            for reason in state.reasons:
                session.console.say(f"  {reason}")
    if as_json:
        session.console.json(
            {n: {"status": s.status, "reasons": s.reasons} for n, s in states.items()}
        )
    stale = sum(not state.fresh for state in states.values())
    if stale:
        session.console.say(f"{stale} of {len(states)} locks are not fresh")
        session.console.hint("envbuild lock")
        return 1
    session.console.say(f"{counted(len(states), 'profile')}, all locks fresh")
    return 0
