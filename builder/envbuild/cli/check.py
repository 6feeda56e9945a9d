"""``envbuild check``: what is known of these products, held against the profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import envbuild
from envbuild.cli import common, judging
from envbuild.speech import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.auditing import Audits
    from envbuild.cli.console import Style
    from envbuild.cli.judging import Verdict
    from envbuild.cli.main import Session
    from envbuild.knowledge.judge import Finding
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

_STYLES: dict[str, Style] = {"error": "error", "warning": "warning", "note": "hint"}


@click.command("check")
@common.profiles_argument
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--audit", is_flag=True, help="Read the wheels that fresh locks name too.")
@click.option("--reachable", is_flag=True, help="Ask whether all that locks name is still there.")
@click.option("--mirror", multiple=True, metavar="PREFIX=PLACE", help="Ask there for such images.")
@click.option("--vendor", metavar="DIR", help="With --reachable: what that folder has is safe.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON on stdout.")
@click.option("--sarif", "as_sarif", is_flag=True, help="The findings as SARIF 2.1.0 on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: object) -> int:
    """Check profiles against the rules: what may not meet, and how to get out of it.

    Without PROFILE: every profile of the workspace. Rules of your own stand in
    knowledge/rules/*.yaml. A lock is looked at where it is fresh. What --audit has found of its
    wheels is said from then on without it.
    """
    if chosen["as_json"] and chosen["as_sarif"]:
        raise click.UsageError("--json and --sarif are two forms of one answer: choose one")
    _refuse_beside(chosen)
    found = session.workspace.profiles()
    resolved = common.chosen(found, profiles)
    if chosen["reachable"]:
        from envbuild.cli import reachable  # HTTP and uv: not on the way to a check by rules

        return reachable.run(session, found, resolved, chosen)
    audits = _audits(session, found, resolved) if chosen["audit"] else None
    verdict = judging.judged(session.workspace, found, resolved, locked=True, audits=audits)
    if chosen["as_json"]:
        session.console.json(_data(verdict))
    elif chosen["as_sarif"]:
        from envbuild.report import sarif

        rules = (ready.rule for ready in verdict.book.rules.values())
        session.console.json(sarif.log(verdict.findings, rules, version=envbuild.__version__))
    else:
        for alike in _alike(verdict.findings):
            _print(session, alike)
        _print_unpinned(session, verdict)
    _sum_up(session, verdict)
    judging.remember(session.workspace, found, resolved, verdict, locked=True)
    doubtful = verdict.count("warning") + len(verdict.unpinned)
    return 1 if verdict.count("error") or (chosen["strict"] and doubtful) else 0


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    """Refuse options that say nothing beside the others."""
    if chosen["reachable"]:
        for option in ("audit", "as_sarif"):
            if chosen[option]:
                name = option.removeprefix("as_")
                raise click.UsageError(f"--reachable does not go with --{name}")
    else:
        for option in ("mirror", "vendor"):
            if chosen[option]:
                raise click.UsageError(f"--{option} goes with --reachable alone")


def _audits(session: Session, found: Profiles, resolved: Mapping[str, ResolvedProfile]) -> Audits:
    """What the wheels of the fresh locks say, read now where it is not known."""
    from envbuild.cli import locking, uvtool
    from envbuild.cli.auditing import Auditor
    from envbuild.lock import folder

    auditor = Auditor(session.console, uvtool.Tool(offline=False, refresh=False), offline=False)
    for name, profile in resolved.items():
        if judging.fresh_lock(session.workspace, found, profile):
            auditor.read(profile, folder.read(*locking.workspace_path(session.workspace, name)))
    return auditor.audits


def _data(verdict: Verdict) -> dict[str, object]:
    return {
        "profiles": verdict.judged,
        "errors": verdict.count("error"),
        "warnings": verdict.count("warning"),
        "notes": verdict.count("note"),
        "waived": verdict.waived,
        "findings": verdict.findings,
        "unpinned": verdict.unpinned,
    }


def _print_unpinned(session: Session, verdict: Verdict) -> None:
    """One line a profile: what a fresh lock leaves open; why, in the details."""
    label = session.console.styled("warning", "warning")
    for profile, variants in verdict.unpinned.items():
        said = judging.open_ends(profile, verdict)
        session.console.data(said.replace("warning", label, 1))
        for variant, rows in variants.items():
            for row in rows:
                session.console.detail(f"  {variant}: {judging.plain(f'{row.what}: {row.why}')}")


def _alike(findings: tuple[Finding, ...]) -> list[list[Finding]]:
    """Findings with those of other profiles that say the same of the same line: what stands in a
    parent is true of its children."""
    groups: dict[tuple[str, object, str, str | None], list[Finding]] = {}
    for one in findings:
        mark = one.mark or one.profile
        groups.setdefault((one.rule, mark, one.message, one.waived), []).append(one)
    return list(groups.values())


def _print(session: Session, alike: list[Finding]) -> None:
    found = alike[0]
    styled = session.console.styled
    place = f"{found.mark}: " if found.mark else f"{found.profile}: "
    word = found.severity if found.waived is None else "waived"
    label = styled(word, _STYLES[found.severity] if found.waived is None else "dim")
    lines = [f"{judging.plain(place)}{label}: {judging.plain(found.message)} [{found.rule}]"]
    if found.waived is not None:
        lines.append(f"  {styled('reason', 'dim')}: {judging.plain(found.waived)}")
    else:
        lines.append(f"  {styled('why', 'dim')}: {judging.plain(found.why)}")
        for index, fix in enumerate(found.fixes):
            lines.append(f"  {styled('or' if index else 'fix', 'hint')}: {judging.plain(fix)}")
        lines.append(f"  {styled('source', 'dim')}: {judging.plain(found.source)}")
    if len(alike) > 1:
        names = ", ".join(one.profile for one in alike)
        lines.append(f"  {styled('profiles', 'dim')}: {names}")
    for line in lines:
        session.console.data(line)


def _sum_up(session: Session, verdict: Verdict) -> None:
    words = ("error", "warning", "note")
    parts = [counted(verdict.count(word), word) for word in words if verdict.count(word)]
    parts += [f"{verdict.waived} waived"] if verdict.waived else []
    parts += [f"{len(verdict.unpinned)} not wholly pinned"] if verdict.unpinned else []
    many = counted(len(verdict.judged), "profile")
    session.console.say(f"{many}: {', '.join(parts) or 'nothing found'}")
