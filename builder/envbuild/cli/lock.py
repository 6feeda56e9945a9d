"""``envbuild lock``: resolve every profile to pinned, hashed, index-neutral locks."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from envbuild.cli import checking, common, lock_options, locking, pintool
from envbuild.cli.condatool import CondaTool
from envbuild.cli.uvtool import Tool
from envbuild.errors import InputError
from envbuild.lock import planning, working
from envbuild.lock.resolving import OUTSIDE
from envbuild.speech import counted
from envbuild.tools import turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from envbuild.cli.auditing import Auditor
    from envbuild.cli.main import Session
    from envbuild.knowledge.rulebook import Rulebook
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

    Each: TypeAlias = tuple[str, ResolvedProfile | InputError]


@click.command("lock")
@common.profiles_argument
@click.option("--check", is_flag=True, help="Only say whether the locks are fresh; exit 1 if not.")
@click.option("--audit", is_flag=True, help="Read the wheels too: refuse a lock that would break.")
@click.option("--force", is_flag=True, help="Resolve what is fresh too; versions are kept.")
@click.option("-U", "--upgrade", is_flag=True, help="Let every version move.")
@click.option("-P", "--upgrade-package", multiple=True, metavar="NAME", help="Let this one move.")
@click.option("--exclude-newer", metavar="DATE", help="As of this moment (a date: 00:00 UTC).")
@click.option("--index", "indexes", multiple=True, metavar="NAME", help="Ask this vendor index.")
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    metavar="PREFIX=PLACE",
    help="Read such images from there.",
)
@click.option("--offline", is_flag=True, help="Ask nobody: use what is cached alone.")
@click.option("--refresh", is_flag=True, help="Ask for everything anew.")
@click.option(
    "--solver", metavar="PROGRAM", help="Solve conda by this: conda, mamba, micromamba, a path."
)
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, with the reasons.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Resolutions at a time.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: object) -> int:
    """Resolve profiles to pinned, hashed, index-neutral locks.

    Images, Debian packages and git sources are pinned with them: by digest, version and commit.
    Without PROFILE: every profile of the workspace. Versions of an existing lock are kept unless
    they are let go; a profile that cannot be locked keeps its old lock.
    """
    found = session.workspace.profiles()
    if chosen["offline"] and chosen["refresh"]:
        raise click.UsageError("--offline does not go with --refresh")
    if chosen["check"]:
        lock_options.refuse_beside_check(chosen)
        from envbuild.cli import lock_check

        auditor = _auditor(session, chosen, Tool(offline=False, refresh=False))
        as_json = bool(chosen["as_json"])
        status = lock_check.check(session, found, profiles, as_json=as_json, auditor=auditor)
    else:
        wanted = common.each(found, profiles)
        doing = lock_options.doing(chosen)
        tool = Tool(offline=doing.offline, refresh=doing.refresh)
        run = Locking(session, found, lock_options.options(chosen))
        run.auditor = _auditor(session, chosen, tool)
        status = _do(run, wanted, tool, doing)
    if not profiles:
        from envbuild.cli import lock_check

        lock_check.mention_leftovers(session, found)
    return status


def _auditor(session: Session, chosen: Mapping[str, object], tool: Tool) -> Auditor | None:
    if not chosen["audit"]:
        return None
    from envbuild.cli.auditing import Auditor  # where it is asked for

    return Auditor(session.console, tool, offline=bool(chosen["offline"]))


def _waiting(session: Session, holder: str) -> None:
    session.console.say(f"waiting for another envbuild (process {holder}) to finish")


class Locking:
    """One run of the command, and the errors of the profiles that cannot be locked, by name."""

    def __init__(self, session: Session, found: Profiles, options: planning.Options) -> None:
        self.session = session
        self.found = found
        self.options = options
        self.auditor: Auditor | None = None
        self.errors: dict[str, InputError] = {}
        self.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def audited(self, target: locking.Target) -> dict[str, object]:
        """What was found in the wheels of a target, where they were read."""
        return {"findings": self.auditor.said(target.profile.name)} if self.auditor else {}

    def prepared(self, profiles: Iterator[Each]) -> Iterator[locking.Target]:
        """What locking each would do, one by one: the first is begun before the next is read.

        Nothing is written before all are prepared, so the rules are asked while the first is on
        its way; if they refuse it, what it gives is dropped.

        Raises:
            InputError: the user's own rules cannot be used.
        """
        usable = self._usable(profiles)
        first = tuple(itertools.islice(usable, 1))
        for profile in first:
            yield from self._target(profile)
        others = tuple(usable)
        together = {profile.name: profile for profile in (*first, *others)}
        refused = checking.refused(self.session, self.found, together, locked=False)
        for name, error in refused.items():
            self._fail(name, error)
        for profile in others:
            if profile.name not in refused:
                yield from self._target(profile)

    def _usable(self, profiles: Iterator[Each]) -> Iterator[ResolvedProfile]:
        """The profiles that can be used; what is wrong with the others is said."""
        for name, one in profiles:
            if isinstance(one, InputError):
                self._fail(name, one)
            else:
                yield one

    def _target(self, profile: ResolvedProfile) -> Iterator[locking.Target]:
        """The target of a profile; none where there is an error, which is said."""
        try:
            yield locking.target(
                self.session.workspace, self.found, profile, options=self.options, now=self.now
            )
        except InputError as error:
            self._fail(profile.name, error)

    def _fail(self, name: str, error: InputError) -> None:
        """Keep why a profile cannot be locked, and say it; a problem that two share, once."""
        from envbuild.cli import lock_report

        said = {problem for other in self.errors.values() for problem in other.problems}
        self.errors[name] = error
        lock_report.say_error(self.session.console, name, error, said=said)


class Following:
    """Says how each job ended, and stamps what was written."""

    def __init__(self, run: Locking, tool: Tool) -> None:
        self._run = run
        self._tool = tool

    def refuses(self, profile: str) -> bool:
        """Whether an error was found after the profile had been begun."""
        return profile in self._run.errors

    def done(self, one: working.Done, left: int) -> None:
        """Say how a job ended."""
        from envbuild.cli import lock_report  # not needed before the first answer

        console = self._run.session.console
        lock_report.say_done(console, one, self._tool.index_origin)
        if left:
            console.live(f"resolving {counted(left, 'variant')} ...")

    def accepts(self, target: locking.Target, files: Mapping[str, bytes]) -> bool:
        """Whether a lock would not break; what was found in its wheels is said."""
        auditor = self._run.auditor
        return auditor is None or auditor.accepts(target.profile, files, target.folder)

    def written(self, target: locking.Target, held: frozenset[str]) -> None:
        """Stamp that a lock is fresh."""
        run = self._run
        locking.remember(run.session.workspace, run.found, target.profile, locked=held)


def _do(run: Locking, profiles: Iterator[Each], tool: Tool, doing: lock_options.Doing) -> int:
    targets = run.prepared(profiles)
    if doing.dry_run:
        planned = tuple(_known(run, targets))
        _plan(run, [one for one in planned if one.profile.name not in run.errors], doing)
        return 2 if run.errors else 0
    conda = CondaTool(offline=doing.offline, refresh=doing.refresh, chosen=doing.solver)
    held = run.session.workspace.path(".envbuild", "lock")
    with turns.exclusive(held, waiting=lambda pid: _waiting(run.session, pid)):
        return _lock(run, _known(run, targets), (tool, conda), doing=doing)


def _known(run: Locking, targets: Iterator[locking.Target]) -> Iterator[locking.Target]:
    """The same targets; all are prepared first where the user names a package or an index.

    Raises:
        InputError: none of them knows it.
    """
    packages, indexes = run.options.upgrade_packages, run.options.indexes or ()
    if not packages and not indexes:
        return targets
    every = tuple(targets)
    jobs = [job for target in every for job in target.jobs]
    planning.refuse_unknown_packages(packages, jobs)
    planning.refuse_unknown_indexes(indexes, jobs)
    return iter(every)


def _lock(
    run: Locking,
    targets: Iterator[locking.Target],
    tools: tuple[Tool, CondaTool],
    *,
    doing: lock_options.Doing,
) -> int:
    tool, conda = tools

    def book() -> Rulebook:
        from envbuild.knowledge import rulebook  # only where something is to be judged

        return rulebook.with_own(run.session.workspace.knowledge("rules"))

    pinner = pintool.pinner(
        offline=doing.offline,
        anew=run.options.refresh or run.options.upgrade,
        mirrors=doing.mirrors,
    )
    outcomes = locking.run(
        targets,
        locking.workshop(tool, conda, pinner, book=book),
        workers=doing.workers,
        follower=Following(run, tool),
    )
    if doing.as_json:
        from envbuild.cli import lock_report

        rows = [{**lock_report.as_row(one), **run.audited(one.target)} for one in outcomes]
        rows += [lock_report.error_data(name, error) for name, error in run.errors.items()]
        run.session.console.json(sorted(rows, key=lambda row: str(row["profile"])))
    return _summary(run, outcomes)


def _plan(run: Locking, targets: list[locking.Target], doing: lock_options.Doing) -> None:
    steps = tuple(job.step for target in targets for job in target.jobs)
    if doing.as_json:
        run.session.console.json(steps)
    else:
        run.session.console.plan(steps)


def _summary(run: Locking, outcomes: list[locking.Outcome]) -> int:
    count = {
        status: sum(outcome.status == status for outcome in outcomes)
        for status in ("written", "unchanged", "failed")
    }
    count["failed"] += len(run.errors)
    parts = [f"{number} {status}" for status, number in count.items() if number]
    whole = counted(len(outcomes) + len(run.errors), "profile")
    run.session.console.say(f"{whole}: {', '.join(parts)}")
    done = (one.result for outcome in outcomes for one in outcome.done.values())
    refusals = (result for result in done if isinstance(result, working.Refusal))
    kinds = {refusal.kind for refusal in refusals}
    if kinds & OUTSIDE:
        return 3
    return 2 if run.errors else 1 if count["failed"] else 0
