"""``envbuild why``: who brings a package into an environment, and who limits it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from envbuild.cli import common, locking
from envbuild.errors import InputError
from envbuild.knowledge import rulebook
from envbuild.knowledge.world import world
from envbuild.lock import folder, rules_about
from envbuild.lock.why import why
from envbuild.names import canonical_name
from envbuild.profile.resolve import resolve
from envbuild.report import why as why_text

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.lock.model import Lock
    from envbuild.profile.resolved import ResolvedProfile, Variant
    from envbuild.workspace import Profiles

_PACKAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


@click.command("why")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.argument("package")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profile: str, package: str, as_json: bool) -> int:
    """Say who pulls PACKAGE into PROFILE and who limits it.

    Exit status 1: no variant has the package.
    """
    _check_name(package)
    found = session.workspace.profiles()
    resolved = resolve(profile, found.sources)
    lock = _lock(session, found, resolved)
    rules = _rules(session, resolved, lock, package=canonical_name(package))
    answer = why(resolved, lock, package, rules=rules)
    if as_json:
        session.console.json(answer)
    else:
        session.console.data(why_text.text(answer))
    if answer.near:
        session.console.hint(f"did you mean {' or '.join(answer.near)}?")
    return 0 if answer.found else 1


def _check_name(package: str) -> None:
    if not _PACKAGE.fullmatch(package):
        named = _PACKAGE.match(package)
        hint = f"the name alone: {named[0]}" if named else "a package is named as in: numpy"
        raise InputError(f"{package!r} is no name of a package", hint=hint)


def _lock(session: Session, found: Profiles, profile: ResolvedProfile) -> Lock:
    """The lock of a profile, whether it is fresh or not; the user is told when it is not.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    path, label = locking.workspace_path(session.workspace, profile.name)
    header = folder.read(path, label).header
    if header is None:
        raise InputError(
            f"{profile.name} is not locked", hint=f"first run: envbuild lock {profile.name}"
        )
    state = locking.freshness_of(session.workspace, found, profile)
    if not state.fresh:
        session.console.fail(f"the lock is {state.status}: this is what it says", kind="warning")
        for reason in state.reasons:
            session.console.say(f"  {reason}")
        session.console.hint(f"envbuild lock {profile.name}")
    return header


def _rules(
    session: Session, profile: ResolvedProfile, lock: Lock, *, package: str
) -> dict[str, tuple[tuple[str, str], ...]]:
    book = rulebook.with_own(session.workspace.knowledge("rules"))
    return {
        variant.name: _rules_of(profile, variant, lock, package=package, book=book)
        for variant in profile.variants
        if variant.name in lock.variants
    }


def _rules_of(
    profile: ResolvedProfile,
    variant: Variant,
    lock: Lock,
    *,
    package: str,
    book: rulebook.Rulebook,
) -> tuple[tuple[str, str], ...]:
    locked = lock.variants[variant.name]
    here = world(
        profile.name,
        variant,
        locked={row.name: row.version for row in locked.packages},
        provided={row.name: row.version for row in locked.provided},
    )
    return rules_about.about(package, here, book)
