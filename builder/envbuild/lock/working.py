"""Doing a plan: every job that runs, in parallel, each answer or failure by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.lock import pypi, uv
from envbuild.lock.assemble import Answer
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.errors import Problem
    from envbuild.lock.bounds import Find
    from envbuild.lock.conflict import Explanation
    from envbuild.lock.model import SolverInput
    from envbuild.lock.planning import Job
    from envbuild.lock.requirements import Pin


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a job gave no lock: uv's failure, with the explanation of a conflict, or checks."""

    failure: uv.Failure | None = None
    explanation: Explanation | None = None
    problems: tuple[Problem, ...] = ()


class Done(Struct, frozen=True, kw_only=True):
    """One job, finished: an answer or a refusal, and how long it took in seconds."""

    job: Job
    result: Answer | Refusal
    seconds: float


class Workshop(Struct, frozen=True, kw_only=True):
    """What jobs are done with: ``tool`` finds uv when it is first wanted, the way to start it, a
    clock, and ``finder``, which looks into uv's cache as it is when it is called."""

    tool: Callable[[], uv.Uv]
    runner: proc.Runner
    finder: Callable[[], Find]
    clock: Callable[[], float]


def run(
    jobs: Iterable[Job],
    workshop: Workshop,
    *,
    workers: int,
    on_done: Callable[[Done, int], None],
) -> tuple[Done, ...]:
    """Do the jobs whose step says run, ``workers`` at a time; in the order of the jobs.

    The first is begun while ``jobs`` still prepares the next. ``on_done`` is told each, and how
    many are left. On an interrupt or an error every uv that was started is ended, and nothing is
    returned.
    """
    pool = ThreadPoolExecutor(max_workers=max(1, workers))
    futures: list[Future[Done]] = []
    try:
        wanted = (job for job in jobs if job.step.action == "run")
        futures.extend(pool.submit(_do, job, workshop) for job in wanted)
        for number, future in enumerate(as_completed(futures), 1):
            on_done(future.result(), len(futures) - number)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        proc.stop_all()
        raise
    pool.shutdown()
    return tuple(future.result() for future in futures)


def _do(job: Job, workshop: Workshop) -> Done:
    started = workshop.clock()
    result = _result(job, workshop)
    return Done(job=job, result=result, seconds=workshop.clock() - started)


def _result(job: Job, workshop: Workshop) -> Answer | Refusal:
    question = job.question
    found = pypi.resolve(question, workshop.tool(), workshop.runner)
    if isinstance(found, uv.Failure):
        if found.kind not in ("unsatisfiable", "not-found"):
            return Refusal(failure=found)
        from envbuild.lock.conflict import explain  # only on the way to a refusal

        solve = _solver(workshop)
        return Refusal(failure=found, explanation=explain(question, found, solve))
    if found.problems:
        return Refusal(problems=found.problems)
    annotator = pypi.Annotator(question=question, find=workshop.finder(), previous=job.previous)
    return Answer(
        variant=question.variant,
        asked=question.asked,
        pins=found.added,
        packages=annotator.packages(found),
        provided=found.provided,
    )


def _solver(workshop: Workshop) -> Callable[[SolverInput], tuple[Pin, ...] | uv.Failure]:
    return lambda asked: pypi.solve(asked, workshop.tool(), workshop.runner)
