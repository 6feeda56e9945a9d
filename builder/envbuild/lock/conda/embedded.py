"""The embedded solver: the targets are solved in this process, side by side, by py-rattler."""

from __future__ import annotations

from envbuild.lock.conda import asking
from envbuild.lock.conda.asking import Ask, CondaSolver, Solved, Trouble, checked
from envbuild.lock.conda.channels import Settings
from envbuild.lock.conda.files import EMBEDDED
from envbuild.tools import rattler
from envbuild.tools.conda import Failure, Record, Request
from envbuild.tools.solving import Solver


def solver(settings: Settings, reader: Solver) -> CondaSolver:
    """The embedded solver with the user's settings, and what reads the channels."""

    def target(request: Request) -> tuple[Record, ...] | Failure:
        records = reader.solve(request)
        return records if isinstance(records, Failure) else checked(records, request.channels)

    def solve(ask: Ask) -> Solved | Trouble:
        from concurrent.futures import ThreadPoolExecutor  # asyncio brings it too

        requests = [asking.request(ask, one.platform, settings) for one in ask.wanted.targets]
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = tuple(pool.map(target, requests))
        solved = {}
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, Failure):
                return _trouble(request, answer, reader)
            solved[request.platform] = answer
        return solved

    return CondaSolver(name=lambda: f"{EMBEDDED} {rattler.library().__version__}", solve=solve)


def _trouble(request: Request, failure: Failure, solver: Solver) -> Trouble:
    """A failure, with what the channels have where that explains it."""
    names: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    if failure.kind == "unsatisfiable":
        listed = solver.names(request)
        names = tuple(sorted({name for every in listed.values() for name in every}))
        own = solver.names(request, own=True)
        empty = tuple(channel for channel, every in own.items() if not every)
    return Trouble(platform=request.platform, failure=failure, names=names, empty=empty)
