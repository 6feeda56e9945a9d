"""``envbuild list``: the profiles, and how far each has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import Struct

from envbuild.cli import common, locking
from envbuild.errors import EnvbuildError
from envbuild.profile.resolve import resolve_all

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.profile.model import ResolvedProfile
    from envbuild.workspace import Profiles

_STYLES = {"fresh": "good", "stale": "warning", "broken": "error"}


class Row(Struct, frozen=True, kw_only=True):
    """One profile as it is listed."""

    profile: str
    variants: tuple[str, ...]
    lock: str
    rendered: str
    summary: str


@click.command("list")
@common.profiles_argument
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], as_json: bool) -> int:
    """List profiles, their variants, and whether locks and Dockerfiles are up to date."""
    found = session.workspace.profiles()
    names = profiles or found.default
    resolved, problems = resolve_all(names, found.sources)
    rows = [_row(session, found, profile) for profile in resolved.values()]
    if as_json:
        session.console.json(rows)
    else:
        _print(session, rows)
    for problem in problems:
        session.console.problem(problem)
    return 2 if problems else 0


def _row(session: Session, found: Profiles, profile: ResolvedProfile) -> Row:
    try:
        lock = locking.freshness_of(session.workspace, found, profile).status
    except EnvbuildError:
        lock = "broken"
    dockerfile = session.workspace.path("Dockerfiles", profile.name, "Dockerfile")
    return Row(
        profile=profile.name,
        variants=tuple(variant.name for variant in profile.variants),
        lock=lock,
        rendered=common.rendered_state(dockerfile, lock),
        summary=profile.summary,
    )


def _print(session: Session, rows: list[Row]) -> None:
    width = max((len(row.profile) for row in rows), default=0)
    for row in rows:
        lock = session.console.styled(f"{row.lock:<7}", _STYLES.get(row.lock, "dim"))
        rendered = session.console.styled(f"{row.rendered:<8}", "" if row.rendered == "yes" else "dim")
        variants = ", ".join(row.variants)
        session.console.data(f"{row.profile:<{width}}  lock {lock}  rendered {rendered}  {variants}")
