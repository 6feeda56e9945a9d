"""The rules as a gate before ``lock`` and ``render``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envbuild import stamps
from envbuild.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.main import Session
    from envbuild.errors import Problem
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles


def refused(
    session: Session,
    found: Profiles,
    resolved: Mapping[str, ResolvedProfile],
    *,
    locked: bool,
) -> dict[str, InputError]:
    """The profiles that a rule forbids, each with its findings as problems; warnings are said.

    ``lock`` asks without ``locked``: a lock that is to be replaced must not forbid its successor.
    A profile of which nothing was found the last time is not judged again until a file moves that
    the answer depends on.

    Raises:
        InputError: with the problems of the user's own rules.
    """
    kept = stamps.Stamps(session.workspace.root, "check" if locked else "rules")
    doubtful = {name: one for name, one in resolved.items() if not kept.fresh(name)}
    if not doubtful:
        return {}
    from envbuild.cli import judging  # 60 ms, for what has changed
    from envbuild.knowledge import judge

    verdict = judging.judged(session.workspace, found, doubtful, locked=locked)
    judging.remember(session.workspace, found, doubtful, verdict, locked=locked)
    warnings = (judge.as_problem(one) for one in judge.unwaived(verdict.findings, "warning"))
    for problem in dict.fromkeys(warnings):
        session.console.problem(problem, kind="warning")
    errors: dict[str, list[Problem]] = {}
    for one in judge.unwaived(verdict.findings, "error"):
        errors.setdefault(one.profile, []).append(judge.as_problem(one))
    return {
        name: InputError(
            f"the rules refuse {name}",
            hint="envbuild check says why; waive: sets a rule aside, with a reason",
            problems=tuple(dict.fromkeys(problems)),
        )
        for name, problems in errors.items()
    }
