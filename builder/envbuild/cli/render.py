"""``envbuild render``: the Dockerfiles of every profile, from their locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec
from msgspec import Struct

from envbuild.cli import baking, checking, common, rendering
from envbuild.errors import InputError
from envbuild.profile.resolve import as_problems
from envbuild.render import bake
from envbuild.speech import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envbuild.cli.baking import Baked
    from envbuild.cli.main import Session
    from envbuild.cli.rendering import Refusal, Target
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles


@click.command("render")
@common.profiles_argument
@click.option("--check", is_flag=True, help="Only say whether the Dockerfiles are as rendered.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the Dockerfiles, write nothing.")
@click.option("--bake", is_flag=True, help="docker-bake.json too: builds on a fleet of builders.")
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, with the reasons.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: bool) -> int:
    """Write the Dockerfiles from the locks.

    Dockerfiles/PROFILE is a whole build context: `docker build Dockerfiles/PROFILE`. Without
    PROFILE: every profile of the workspace. A lock that is not fresh is refused: lock first. Of
    what stands in Dockerfiles/PROFILE, only files that envbuild rendered are removed.

    --bake writes docker-bake.json beside them, for `docker buildx bake`: all variants of these
    profiles. Once it is there, it is rendered whenever all profiles are.
    """
    if chosen["to_stdout"] and (chosen["check"] or chosen["as_json"]):
        raise click.UsageError("--stdout prints Dockerfiles, and goes with no other output")
    found = session.workspace.profiles()
    resolved, refusals = _usable(session, found, profiles, judged=not chosen["check"])
    filled = rendering.templates(session.workspace)
    targets: list[Target] = []
    for profile in resolved.values():
        one = rendering.target(session.workspace, found, profile, filled=filled)
        if isinstance(one, rendering.Target):
            targets.append(one)
        else:
            refusals.append(one)
    _say_refused(session, refusals)
    made = Made(targets=tuple(targets), refusals=tuple(refusals))
    if chosen["to_stdout"]:
        _print(session, made, baked=chosen["bake"])
        status = 0
    else:
        if chosen["bake"] or (not profiles and baking.stands(session.workspace)):
            made = _with_bake(session, made)
        status = _done(session, found, made, chosen)
    return 2 if refusals else status


class Made(Struct, frozen=True, kw_only=True):
    """What is rendered: profiles, those that cannot be, and the file for bake."""

    targets: tuple[Target, ...]
    refusals: tuple[Refusal, ...]
    bake: Baked | None = None


def _with_bake(session: Session, made: Made) -> Made:
    """The file for bake too, unless a profile would be missing from it."""
    if made.refusals:
        session.console.say(f"{bake.NAME} is left as it is: it would lack a profile")
        return made
    return msgspec.structs.replace(made, bake=baking.baked(session.workspace, made.targets))


def _done(session: Session, found: Profiles, made: Made, chosen: Mapping[str, bool]) -> int:
    if chosen["check"]:
        return _check(session, found, made, as_json=chosen["as_json"])
    if chosen["dry_run"]:
        return _plan(session, made, as_json=chosen["as_json"])
    return _write(session, found, made, as_json=chosen["as_json"])


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


def _print(session: Session, made: Made, *, baked: bool) -> None:
    """The Dockerfiles, above each its path, where there are several; or the file for bake alone."""
    if baked:
        if not made.refusals:
            session.console.data(baking.text(session.workspace, made.targets).decode().rstrip("\n"))
        return
    shown = [
        (f"{target.label}/{file.path}", file.text)
        for target in made.targets
        for file in target.tree.files
        if "/" not in file.path and not file.path.endswith(".dockerignore")
    ]
    for label, text in shown:
        if len(shown) > 1:
            session.console.data(f"# --- {label}")
        session.console.data(text.removesuffix("\n"))


def _plan(session: Session, made: Made, *, as_json: bool) -> int:
    steps = tuple(step for target in made.targets for step in target.steps)
    steps += (made.bake.step,) if made.bake else ()
    if as_json:
        session.console.json(steps)
    else:
        session.console.plan(steps)
    return 0


def _check(session: Session, found: Profiles, made: Made, *, as_json: bool) -> int:
    for target in made.targets:
        if target.current:
            rendering.remember(session.workspace, found, target)
            continue
        session.console.fail(f"{target.profile.name}: Dockerfiles are not as rendered")
        for line in rendering.differences(target):
            session.console.say(f"  {line}")
    drift = _bake_drift(session, made.bake)
    _say_strays(session, made.targets)
    if as_json:
        states = ["current" if target.current else "differs" for target in made.targets]
        session.console.json(_data(made, states, made.bake.status if made.bake else ""))
    moved = sum(not target.current for target in made.targets)
    if moved:
        session.console.say(f"{moved} of {len(made.targets)} profiles are not as rendered")
    if moved or drift:
        session.console.hint("envbuild render --bake" if drift else "envbuild render")
        return 1
    if not made.refusals:
        beside = f", and {bake.NAME}" if made.bake else ""
        count = counted(len(made.targets), "profile")
        session.console.say(f"{count}, all Dockerfiles fresh{beside}")
    return 0


def _bake_drift(session: Session, baked: Baked | None) -> bool:
    """Whether the file for bake is not as it is rendered; says what differs."""
    if baked is None or baked.status == "current":
        return False
    session.console.fail(f"{bake.NAME} is not as rendered: {baked.step.reason}")
    if baked.existing is not None:
        for line in rendering.short_diff(
            baked.existing.decode(errors="replace"), baked.data.decode()
        ):
            session.console.say(f"  {line}")
    return True


def _write(session: Session, found: Profiles, made: Made, *, as_json: bool) -> int:
    states = []
    for target in made.targets:
        states.append("written" if rendering.write(target) else "unchanged")
        for step in target.steps:
            if step.action == "run":
                session.console.say(f"{step.target}: {_DONE[step.kind]}")
        rendering.remember(session.workspace, found, target)
    baked = ""
    if made.bake:
        baked = "written" if baking.write(session.workspace, made.bake) else "unchanged"
        if baked == "written":
            session.console.say(f"{bake.NAME}: written")
    _say_strays(session, made.targets)
    if as_json:
        session.console.json(_data(made, states, baked))
    count = {status: states.count(status) for status in ("written", "unchanged")}
    parts = [f"{number} {status}" for status, number in count.items() if number]
    parts += [f"{len(made.refusals)} refused"] if made.refusals else []
    many = counted(len(made.targets) + len(made.refusals), "profile")
    session.console.say(f"{many}: {', '.join(parts)}")
    return 0


def _data(made: Made, states: list[str], baked: str) -> list[dict[str, object]]:
    rows = [
        rendering.as_data(one, status) for one, status in zip(made.targets, states, strict=True)
    ]
    rows += [rendering.as_data(one, "refused") for one in made.refusals]
    return [*rows, {"file": bake.NAME, "status": baked}] if baked else rows


_DONE = {"render": "written", "remove": "removed"}


def _say_strays(session: Session, targets: Iterable[Target]) -> None:
    for target in targets:
        for path in target.strays:
            session.console.say(f"{target.label}/{path} is not envbuild's: left as it is")
