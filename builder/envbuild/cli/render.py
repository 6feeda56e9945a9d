"""``envbuild render``: the Dockerfiles of every profile, from their locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.cli import checking, common, rendering
from envbuild.errors import InputError
from envbuild.profile.resolve import as_problems
from envbuild.speech import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.cli.main import Session
    from envbuild.cli.rendering import Refusal, Target
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles


@click.command("render")
@common.profiles_argument
@click.option("--check", is_flag=True, help="Only say whether the Dockerfiles are as rendered.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the Dockerfiles, write nothing.")
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, with the reasons.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: bool) -> int:
    """Write the Dockerfiles from the locks.

    Dockerfiles/PROFILE is a whole build context: `docker build Dockerfiles/PROFILE`. Without
    PROFILE: every profile of the workspace. A lock that is not fresh is refused: lock first. Of
    what stands in Dockerfiles/PROFILE, only files that envbuild rendered are removed.
    """
    if chosen["to_stdout"] and (chosen["check"] or chosen["as_json"]):
        raise click.UsageError("--stdout prints Dockerfiles, and goes with no other output")
    found = session.workspace.profiles()
    resolved, refusals = _usable(session, found, profiles, judged=not chosen["check"])
    filled = rendering.templates(session.workspace)
    targets: list[Target] = []
    for profile in resolved.values():
        made = rendering.target(session.workspace, found, profile, filled=filled)
        if isinstance(made, rendering.Target):
            targets.append(made)
        else:
            refusals.append(made)
    _say_refused(session, refusals)
    if chosen["to_stdout"]:
        _print(session, targets)
        status = 0
    elif chosen["check"]:
        status = _check(session, found, targets, refusals=refusals, as_json=chosen["as_json"])
    elif chosen["dry_run"]:
        status = _plan(session, targets, as_json=chosen["as_json"])
    else:
        status = _write(session, found, targets, refusals=refusals, as_json=chosen["as_json"])
    return 2 if refusals else status


def _usable(
    session: Session, found: Profiles, names: tuple[str, ...], *, judged: bool
) -> tuple[dict[str, ResolvedProfile], list[Refusal]]:
    """The profiles that can be rendered as far as they go, and the others with what is wrong."""
    each = dict(common.each(found, names))
    good = {name: one for name, one in each.items() if not isinstance(one, InputError)}
    bad = {name: one for name, one in each.items() if isinstance(one, InputError)}
    if judged:
        bad |= checking.refused(session, found, good, locked=True)
    refusals = [
        rendering.Refusal(profile=name, problems=as_problems(error), hint=error.hint)
        for name, error in bad.items()
    ]
    return {name: one for name, one in good.items() if name not in bad}, refusals


def _say_refused(session: Session, refusals: Iterable[Refusal]) -> None:
    """Each problem once: a template that is wrong is wrong for every profile."""
    said: set[str] = set()
    for refusal in refusals:
        for problem in refusal.problems:
            if str(problem) not in said:
                session.console.problem(problem)
            said.add(str(problem))
        for reason in refusal.reasons:
            session.console.say(f"  {reason}")
        session.console.hint(refusal.hint)


def _print(session: Session, targets: list[Target]) -> None:
    """The Dockerfiles; above each its path, where there are several."""
    shown = [
        (f"{target.label}/{file.path}", file.text)
        for target in targets
        for file in target.tree.files
        if "/" not in file.path and not file.path.endswith(".dockerignore")
    ]
    for label, text in shown:
        if len(shown) > 1:
            session.console.data(f"# --- {label}")
        session.console.data(text.removesuffix("\n"))


def _plan(session: Session, targets: list[Target], *, as_json: bool) -> int:
    steps = tuple(step for target in targets for step in target.steps)
    if as_json:
        session.console.json(steps)
    else:
        session.console.plan(steps)
    return 0


def _check(
    session: Session,
    found: Profiles,
    targets: list[Target],
    *,
    refusals: list[Refusal],
    as_json: bool,
) -> int:
    for target in targets:
        if target.current:
            rendering.remember(session.workspace, found, target)
            continue
        session.console.fail(f"{target.profile.name}: Dockerfiles are not as rendered")
        for line in rendering.differences(target):
            session.console.say(f"  {line}")
    _say_strays(session, targets)
    if as_json:
        states = ["current" if target.current else "differs" for target in targets]
        session.console.json(_data(targets, states, refusals))
    moved = sum(not target.current for target in targets)
    if moved:
        session.console.say(f"{moved} of {len(targets)} profiles are not as rendered")
        session.console.hint("envbuild render")
        return 1
    if not refusals:
        session.console.say(f"{counted(len(targets), 'profile')}, all Dockerfiles fresh")
    return 0


def _write(
    session: Session,
    found: Profiles,
    targets: list[Target],
    *,
    refusals: list[Refusal],
    as_json: bool,
) -> int:
    states = []
    for target in targets:
        states.append("written" if rendering.write(target) else "unchanged")
        for step in target.steps:
            if step.action == "run":
                session.console.say(f"{step.target}: {_DONE[step.kind]}")
        rendering.remember(session.workspace, found, target)
    _say_strays(session, targets)
    if as_json:
        session.console.json(_data(targets, states, refusals))
    count = {status: states.count(status) for status in ("written", "unchanged")}
    parts = [f"{number} {status}" for status, number in count.items() if number]
    parts += [f"{len(refusals)} refused"] if refusals else []
    session.console.say(f"{counted(len(targets) + len(refusals), 'profile')}: {', '.join(parts)}")
    return 0


def _data(
    targets: list[Target], states: list[str], refusals: list[Refusal]
) -> list[dict[str, object]]:
    made = [rendering.as_data(one, status) for one, status in zip(targets, states, strict=True)]
    return [*made, *(rendering.as_data(one, "refused") for one in refusals)]


_DONE = {"render": "written", "remove": "removed"}


def _say_strays(session: Session, targets: list[Target]) -> None:
    for target in targets:
        for path in target.strays:
            session.console.say(f"{target.label}/{path} is not envbuild's: left as it is")
