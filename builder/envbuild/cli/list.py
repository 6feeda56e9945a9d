"""``envbuild list``: the profiles, and how far each has come."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from envbuild import stamps
from envbuild.cli import common, locking, misnamed
from envbuild.errors import EnvbuildError, InputError, Problem
from envbuild.lock.freshness import Freshness
from envbuild.profile.explain import tidy
from envbuild.profile.resolve import Library, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.cli import rendering
    from envbuild.cli.console import Style
    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

_STYLES: dict[str, Style] = {
    "fresh": "good",
    "yes": "good",
    "stale": "warning",
    "broken": "error",
    "invalid": "error",
}


class Row(Struct, frozen=True, kw_only=True):
    """One profile as it is listed.

    ``lock``: fresh, stale, missing, broken, or invalid (the profile itself). ``rendered``: yes,
    stale, no, or invalid.
    """

    profile: str
    file: str
    summary: str
    variants: tuple[str, ...]
    lock: str
    rendered: str


@click.command("list")
@common.profiles_argument
@click.option("-a", "--all", "every", is_flag=True, help="The shipped profiles too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
@click.pass_obj
def command(session: Session, /, *, profiles: tuple[str, ...], every: bool, as_json: bool) -> int:
    """List profiles, their variants, and whether locks and Dockerfiles are up to date."""
    found = session.workspace.profiles()
    names = profiles or (tuple(found.sources) if every else found.default)
    rows, problems = _rows(session, found, names)
    if as_json:
        session.console.json(rows)
    elif rows:
        _print(session, rows)
    for problem in problems:
        session.console.problem(problem)
    for problem in () if profiles else misnamed.problems(session.workspace):
        session.console.problem(problem, kind="warning")
    if not names:
        session.console.say("there is no profile here")
        session.console.hint("envbuild init makes one")
    return 2 if problems else 0


def _rows(
    session: Session, found: Profiles, names: Iterable[str]
) -> tuple[list[Row], tuple[Problem, ...]]:
    state = _State(session, found)
    library = Library(found.sources)
    rows: list[Row] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            rows.append(state.row(resolve(name, found.sources, library=library)))
        except InputError as error:
            hint = misnamed.hint(error, session)
            problems += error.problems or (Problem(message=error.message, hint=hint),)
            if name in found.sources:
                rows.append(_invalid(name, found))
    return rows, tidy(problems)


def _invalid(name: str, found: Profiles) -> Row:
    return Row(
        profile=name,
        file=found.labels[name],
        summary="",
        variants=(),
        lock="invalid",
        rendered="invalid",
    )


class _State:
    """How far profiles have come: from stamps where they stand, else by looking."""

    def __init__(self, session: Session, found: Profiles) -> None:
        self._workspace = session.workspace
        self._found = found
        self._locks = stamps.Stamps(session.workspace.root, "lock")
        self._renders = stamps.Stamps(session.workspace.root, "render")
        self._filled: rendering.Templates | None = None

    def row(self, profile: ResolvedProfile) -> Row:
        lock = self._lock(profile)
        rendered = self._renders.fresh(profile.name)
        return Row(
            profile=profile.name,
            file=profile.files[0],
            summary=profile.summary,
            variants=tuple(variant.name for variant in profile.variants),
            lock=lock.status,
            rendered="yes" if rendered else self._rendered(profile, lock),
        )

    def _lock(self, profile: ResolvedProfile) -> Freshness:
        if self._locks.fresh(profile.name):
            return Freshness(status="fresh")
        try:
            state = locking.freshness_of(self._workspace, self._found, profile)
        except EnvbuildError as error:
            return Freshness(status="broken", reasons=(error.message,))
        if state.fresh:
            locking.remember(self._workspace, self._found, profile)
        return state

    def _rendered(self, profile: ResolvedProfile, lock: Freshness) -> str:
        if not os.path.exists(self._workspace.path("Dockerfiles", profile.name, "Dockerfile")):
            return "no"
        if not lock.fresh:
            return "stale"
        from envbuild.cli import rendering  # jinja2: 69 ms

        try:
            self._filled = self._filled or rendering.templates(self._workspace)
            made = rendering.target(
                self._workspace, self._found, profile, filled=self._filled, fresh=lock
            )
        except EnvbuildError:
            return "stale"
        if isinstance(made, rendering.Target) and made.current:
            rendering.remember(self._workspace, self._found, made)
            return "yes"
        return "stale"


def _print(session: Session, rows: list[Row]) -> None:
    width = max(len("PROFILE"), *(len(row.profile) for row in rows))
    styled = session.console.styled
    header = f"{'PROFILE':<{width}}  {'LOCK':<7}  {'RENDERED':<8}  VARIANTS"
    session.console.data(styled(header, "dim"))
    for row in rows:
        cells = (
            f"{row.profile:<{width}}",
            _cell(session, row.lock, 7),
            _cell(session, row.rendered, 8),
            ", ".join(row.variants),
        )
        session.console.data("  ".join(cells).rstrip())


def _cell(session: Session, word: str, width: int) -> str:
    styled = session.console.styled(word, _STYLES.get(word, "dim"))
    return styled + " " * (width - len(word))
