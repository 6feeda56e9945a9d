"""``envbuild doctor``: what is wrong with an environment that exists, without starting it."""

from __future__ import annotations

import functools
import platform
from typing import TYPE_CHECKING

import click

import envbuild
from envbuild.cli import common, examining
from envbuild.cli.examining import Held
from envbuild.doctor.told import forms, telling
from envbuild.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.main import Session
    from envbuild.doctor.told.telling import Answer

_IMAGES = ("image", "container", "layout", "tar")
_NOT_UNDONE = ("python", *_IMAGES, "run", "lock", "hashes", "fix", "form", "modules")


@click.command("doctor")
@examining.target_options
@click.option("--run", is_flag=True, help="Ask the interpreter for its sys.path, by running it.")
@click.option(
    "--lock",
    metavar="PROFILE",
    shell_complete=common.complete_profiles,
    help="Hold it against this lock too.",
)
@click.option("--variant", metavar="NAME", help="With --lock: this one, else this machine's.")
@click.option("--hashes", is_flag=True, help="Hash every installed file, not NumPy's alone.")
@click.option("--json", "form", flag_value="json", help="The answer as JSON on stdout.")
@click.option("--sarif", "form", flag_value="sarif", help="The findings as SARIF 2.1.0.")
@click.option("--markdown", "form", flag_value="markdown", help="The answer for an issue.")
@click.option("--modules", is_flag=True, help="With --json: each compiled module too.")
@click.option("--fix", is_flag=True, help="Say what would be repaired; --yes does it.")
@click.option("--yes", is_flag=True, help="With --fix: repair it. It can be undone.")
@click.option(
    "--undo",
    is_flag=False,
    flag_value="",
    metavar="[PREFIX|JOURNAL]",
    help="Undo the last repair, or that of a journal.",
)
@click.pass_obj
def command(session: Session, /, prefix: str | None, **chosen: object) -> int:
    """Say what is wrong with an environment that exists: read, never imported or run.

    PREFIX is an Isaac Sim folder, a conda prefix or a virtual environment; without one, and
    without another target, it is the current environment. Each finding says what, where, why,
    which error to expect, and the command that repairs it. Exit status 1: something will fail.
    """
    _refuse_beside(chosen)
    if chosen["undo"] is not None:
        return _undone(session, prefix, str(chosen["undo"]))
    target = examining.target(session, prefix, chosen)
    again = functools.partial(
        examining.answer,
        session,
        target,
        examining.wishes(chosen),
        held=_held(session, chosen),
    )
    told = again()
    if chosen["fix"]:
        from envbuild.cli import repairing

        return repairing.fix(session, told, again, agreed=bool(chosen["yes"]))
    _give(session, told, chosen)
    return 1 if told.count("error") else 0


def _undone(session: Session, prefix: str | None, named: str) -> int:
    """Undo the last repair of a prefix, or the one of a journal: the option takes either."""
    from envbuild.cli import repairing

    if prefix and named:
        raise click.UsageError(f"--undo is for {named} or for {prefix}, not for both")
    where = named or prefix
    if where is None:
        return repairing.undo(session, examining.named(examining.Target(kind="here")).roots[0])
    return repairing.undo(session, examining.path_of(session, where))


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    """Refuse what does not go together.

    Raises:
        UsageError: an option stands without or beside another.
    """
    if chosen["undo"] is not None:
        given = next((name for name in _NOT_UNDONE if chosen[name]), None)
        if given:
            option = str(chosen["form"]) if given == "form" else given
            raise click.UsageError(f"--{option} does not go with --undo")
    imaged = next((name for name in _IMAGES if chosen[name]), None)
    for option in ("run", "fix"):
        if imaged and chosen[option]:
            raise click.UsageError(f"--{option} does not go with --{imaged}")
    if chosen["fix"] and chosen["form"]:
        raise click.UsageError(f"--{chosen['form']} does not go with --fix")
    for option, owner in (("variant", "lock"), ("yes", "fix")):
        if chosen[option] and not chosen[owner]:
            raise click.UsageError(f"--{option} goes with --{owner}")
    if chosen["modules"] and chosen["form"] != "json":
        raise click.UsageError("--modules goes with --json")


def _held(session: Session, chosen: Mapping[str, object]) -> Held:
    """The lock that was named.

    Raises:
        InputError: there is none, it cannot be read, or has no such variant.
    """
    if not chosen["lock"]:
        return examining.NOTHING
    from envbuild.cli import locking  # 30 ms that an environment without a lock does not need
    from envbuild.install import host
    from envbuild.lock import folder

    profile = str(chosen["lock"])
    found = session.workspace.profiles()
    resolved = common.chosen(found, (profile,))[profile]
    named = str(chosen["variant"]) if chosen["variant"] else None
    variant = (
        common.variant(resolved, named)
        if named
        else host.for_machine(resolved.variants, platform.machine())
    )
    state = locking.freshness_of(session.workspace, found, resolved)
    kept = folder.read(*locking.workspace_path(session.workspace, profile))
    if kept.header is None or variant.name not in kept.header.variants:
        raise InputError(f"{profile}/{variant.name} is not locked", hint=f"envbuild lock {profile}")
    if not state.fresh:
        said = f"the lock of {profile} is {state.status}, and is taken as it stands"
        session.console.fail(said, kind="warning")
    return Held(
        lock=kept.header.variants[variant.name],
        name=f"{profile}/{variant.name}",
        folder=kept.label,
    )


def _give(session: Session, told: Answer, chosen: Mapping[str, object]) -> None:
    console, form = session.console, chosen["form"]
    if form == "json":
        modules = bool(chosen["modules"])
        console.json(forms.data(told, version=envbuild.__version__, modules=modules))
    elif form == "sarif":
        console.json(forms.as_sarif(told, version=envbuild.__version__))
    elif form == "markdown":
        console.data(forms.as_markdown(told, version=envbuild.__version__))
    else:
        for line in telling.lines(told, more=console.volume > 0):
            console.data(console.styled(line.text, line.style))
        return
    console.say(telling.last(told))
