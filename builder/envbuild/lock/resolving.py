"""One job: both halves of a variant are resolved, checked, and annotated, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.errors import Problem
from envbuild.lock import checks, pypi, uv
from envbuild.lock.conda.agreement import Agreed, Disagreed, Partners, agree
from envbuild.lock.pinning import Pinner, Refused
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.lock.assemble import Answer
    from envbuild.lock.bounds import Find
    from envbuild.lock.conda.asking import CondaSolver
    from envbuild.lock.conda.packages import Half
    from envbuild.lock.conda.refusals import CondaRefusal
    from envbuild.lock.conflict import Explanation
    from envbuild.lock.model import SolverInput, Unknown, VariantLock
    from envbuild.lock.planning import Job
    from envbuild.lock.requirements import Pin
    from envbuild.lock.ways import Check
    from envbuild.profile.resolved import Variant


OUTSIDE = frozenset(
    {
        "network",
        "offline",
        "build",
        "failed",
        "interrupted",
        "killed",
        "timeout",
        "data",
        "internal",
    }
)
"""Failures that are not an answer about the profile: exit status 3, not 1."""


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a job gave no lock: uv's failure, with the explanation of a conflict; conda's; or what
    the checks found. ``git`` is the kind of failure where a git source has no commit."""

    failure: uv.Failure | None = None
    explanation: Explanation | None = None
    conda: CondaRefusal | None = None
    found: tuple[Problem, ...] = ()
    git: str = ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is said at lines of the profile."""
        return self.conda.problems if self.conda else self.found

    @property
    def kind(self) -> str:
        """The kind of failure, for machines; ``refused`` where the checks say no."""
        said = self.failure or self.conda
        return said.kind if said else self.git or "refused"


class Workshop(Struct, frozen=True, kw_only=True):
    """What jobs are done with: ``tool`` finds uv when it is first wanted, ``version`` asks it for
    its version (an error if it is missing or too old), the way to start it, a clock, ``finder``,
    which looks into uv's cache as it is when it is called, ``conda``, which finds the conda solver
    when it is first wanted, and what a resolution must pass."""

    tool: Callable[[], uv.Uv]
    version: Callable[[], str]
    runner: proc.Runner
    finder: Callable[[], Find]
    clock: Callable[[], float]
    conda: Callable[[], CondaSolver]
    checks: checks.Checks
    pinner: Pinner


def result(job: Job, workshop: Workshop) -> Answer | Refusal:
    """The answer to a job, or why there is none."""
    pinning = workshop.pinner.begin(job, workshop.version)
    found = _resolved(job, workshop)
    if isinstance(found, Refusal):
        return found
    pinned = pinning.finished(found.packages)
    if isinstance(pinned, Refused):
        return Refusal(found=pinned.problems, git=pinned.kind)
    return msgspec.structs.replace(found, pinned=pinned)


def _resolved(job: Job, workshop: Workshop) -> Answer | Refusal:
    """The answer to a job but for its pins, or why there is none."""
    question = job.question
    tool = msgspec.structs.replace(workshop.tool(), indexes=question.indexes())
    below = _below(question, tool, workshop)
    if isinstance(below, Disagreed):
        return _disagreed(question, below, tool, workshop)
    if below:
        question = msgspec.structs.replace(question, asked=below.asked)
    found = pypi.resolve(
        question,
        tool,
        workshop.runner,
        answer=below.pins if below else None,
        find=workshop.finder,
    )
    if isinstance(found, uv.Failure):
        return _refused(question, found, tool, workshop)
    half = below.half if below else None
    unknown: tuple[Unknown, ...]
    if job.previous and _stands(job.previous, job.question, found, half):
        unknown = job.previous.unknown
    else:
        problems = (
            *_other_python(question.variant, half),
            *workshop.checks(
                question.variant, question.asked, added=found.added, provided=found.provided
            ),
        )
        if problems:
            return Refusal(found=problems)
        unknown = checks.unknowns(question.variant, added=found.added, provided=found.provided)
    before = job.previous.conda if job.previous else None
    return msgspec.structs.replace(
        _answer(job, question, found, workshop),
        unknown=unknown,
        conda=before if half and half.solved is None else half,
        steps=below.steps if below else (),
    )


def _refused(
    question: pypi.Question, failure: uv.Failure, tool: uv.Uv, workshop: Workshop
) -> Refusal:
    """Why uv gave no answer, with what can be found out about it."""
    workshop.version()
    if failure.kind not in ("unsatisfiable", "not-found"):
        return Refusal(failure=failure)
    from envbuild.lock.conflict import explain  # only on the way to a refusal

    check = _checker(question.variant, workshop)
    explanation = explain(question, failure, _solver(tool, workshop.runner), check=check)
    return Refusal(failure=failure, explanation=explanation)


# --- The conda half ------------------------------------------------------------------------------


def _below(question: pypi.Question, tool: uv.Uv, workshop: Workshop) -> Agreed | Disagreed | None:
    """The conda half and the answer of uv that fits it; None where conda has no part."""
    if question.asked.conda is None:
        return None
    partners = Partners(
        conda=lambda ask: workshop.conda().solve(ask),
        name=lambda: workshop.conda().name(),
        python=lambda asked: pypi.solve(
            asked, tool, workshop.runner, pins=question.pins, upgrade=question.upgrade
        ),
        find=workshop.finder,
    )
    return agree(question.asked, question.conda, partners)


def _disagreed(question: pypi.Question, why: Disagreed, tool: uv.Uv, workshop: Workshop) -> Refusal:
    if why.failure:
        return _refused(question, why.failure, tool, workshop)
    from envbuild.lock.conda.refusals import refusal  # only on the way to a refusal

    assert question.asked.conda is not None  # conda had a part in it
    return Refusal(conda=refusal(question.variant, question.asked.conda, why))


def _other_python(variant: Variant, half: Half | None) -> tuple[Problem, ...]:
    """A Python of conda that is not the profile's."""
    wanted = variant.environment.python.version
    found = next((one.version for one in half.packages if one.name == "python"), "") if half else ""
    if not found or f"{found}.".startswith(f"{wanted}."):
        return ()
    return (
        Problem(
            message=f"conda's Python is {found}, and python.version is {wanted}",
            mark=variant.marks.get(("python", "version")),
            hint=f"python={wanted} under conda.packages, or another python.version",
        ),
    )


# --- Answers -------------------------------------------------------------------------------------


def _answer(
    job: Job, question: pypi.Question, found: pypi.Resolution, workshop: Workshop
) -> Answer:
    from envbuild.lock.annotate import Annotator  # not needed before the first answer
    from envbuild.lock.assemble import Answer

    annotator = Annotator(question=question, find=workshop.finder(), previous=job.previous)
    return Answer(
        variant=question.variant,
        asked=job.question.asked,
        pins=found.added,
        packages=annotator.packages(found),
        provided=found.provided,
    )


def _stands(
    before: VariantLock, question: pypi.Question, found: pypi.Resolution, half: Half | None
) -> bool:
    """Whether a lock is to the same question and holds the same: then it was checked when it was
    written."""
    packages = [(package.name, package.version) for package in before.packages]
    return (
        before.input == question.asked
        and before.provided == found.provided
        and before.conda_packages == (half.packages if half else ())
        and packages == [(pin.name, pin.version) for pin in found.added]
    )


def _checker(variant: Variant, workshop: Workshop) -> Check:
    def check(asked: SolverInput, answer: tuple[Pin, ...]) -> tuple[Problem, ...]:
        found = pypi.divide(variant, asked, answer)
        return workshop.checks(variant, asked, added=found.added, provided=found.provided)

    return check


def _solver(
    tool: uv.Uv, runner: proc.Runner
) -> Callable[[SolverInput], tuple[Pin, ...] | uv.Failure]:
    return lambda asked: pypi.solve(asked, tool, runner)
