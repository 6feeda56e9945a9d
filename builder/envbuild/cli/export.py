"""``envbuild export``: a lock in the format of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.cli import common, locking, rendering
from envbuild.cli.output import give
from envbuild.cli.uvtool import checked_tool
from envbuild.errors import InputError
from envbuild.export import conda, devcontainer, losses, pixi, pylock, requirements
from envbuild.export.model import FORMATS, NEED_CONDA, subject
from envbuild.lock import folder
from envbuild.profile.resolve import resolve
from envbuild.render.tree import dockerfile_names
from envbuild.speech import counted
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.export.model import Subject
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

_TEXTS = {
    "requirements": requirements.text,
    "explicit": conda.explicit,
    "environment": conda.environment,
    "pixi": pixi.text,
    "devcontainer": devcontainer.text,
}


@click.command("export")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.option("--format", "form", type=click.Choice(FORMATS), required=True, help="What to make.")
@click.option("--variant", metavar="NAME", help="This variant, not the first one.")
@click.option("-o", "--output", metavar="FILE", help="Write it there, not to stdout.")
@click.option("--strict", is_flag=True, help="Refuse what the format cannot carry whole.")
@click.option("--offline", is_flag=True, help="Use no network: pylock is made from uv's cache.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    profile: str,
    form: str,
    variant: str | None,
    output: str | None,
    **chosen: bool,
) -> int:
    """Give the lock of PROFILE in the format of another tool.

    What the format cannot carry is named on stderr. A lock that is not fresh is refused: lock
    first. Exit status 1: with --strict, something would be lost.
    """
    found = session.workspace.profiles()
    resolved = resolve(profile, found.sources)
    one = common.variant(resolved, variant)
    locking.refuse_stale(session.workspace, found, resolved)
    path, label = locking.workspace_path(session.workspace, profile)
    names = dockerfile_names(resolved)
    exported = subject(one, folder.read(path, label), dockerfile=names[one.name])
    _check_conda(exported, form)
    lost = losses.lost(exported, form)
    _say_lost(session, lost, strict=chosen["strict"])
    if lost and chosen["strict"]:
        session.console.fail(f"{profile} as {form} would lose {counted(len(lost), 'thing')}")
        session.console.hint("without --strict it is made all the same")
        return 1
    text = _text(exported, form, offline=chosen["offline"])
    if form == "devcontainer":
        _say_of_container(session, found, resolved, exported)
    give(session, text, output)
    return 0


def _check_conda(exported: Subject, form: str) -> None:
    if form in NEED_CONDA and exported.locked.conda is None:
        others = ", ".join(name for name in FORMATS if name not in NEED_CONDA)
        raise InputError(
            f"{exported.profile} has no conda packages: there is nothing to say in {form}",
            hint=f"one of {others}",
        )


def _say_lost(session: Session, lost: tuple[str, ...], *, strict: bool) -> None:
    say = session.console.always if strict else session.console.say
    for line in lost:
        say(f"not in this format: {line}")


def _text(exported: Subject, form: str, *, offline: bool) -> str:
    if form != "pylock":
        return _TEXTS[form](exported)
    return pylock.text(exported, checked_tool(offline=offline), proc.run)


def _say_of_container(
    session: Session, found: Profiles, profile: ResolvedProfile, exported: Subject
) -> None:
    """What is left to do for the container to come up."""
    for note in devcontainer.notes(exported):
        session.console.say(note)
    filled = rendering.templates(session.workspace)
    made = rendering.target(session.workspace, found, profile, filled=filled)
    if not isinstance(made, rendering.Target) or not made.current:
        named = f"Dockerfiles/{profile.name}/{exported.dockerfile}"
        session.console.fail(f"{named}, which it builds, is not as rendered", kind="warning")
        session.console.hint(f"envbuild render {profile.name}")
