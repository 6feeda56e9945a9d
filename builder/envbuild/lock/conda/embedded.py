"""The embedded solver: each target is solved in this process, by py-rattler."""

from __future__ import annotations

from collections.abc import Callable

from envbuild.lock.conda import asking
from envbuild.lock.conda.asking import Ask, CondaSolver, Solved, Trouble
from envbuild.lock.conda.channels import Settings
from envbuild.tools import rattler
from envbuild.tools.conda import Failure, Request
from envbuild.tools.solving import Solver

LIBRARY = "py-rattler"


def solver(settings: Settings, find: Callable[[], Solver]) -> CondaSolver:
    """The embedded solver with the user's settings; ``find`` gives what reads the channels."""

    def solve(ask: Ask) -> Solved | Trouble:
        found = {}
        for target in ask.wanted.targets:
            request = asking.request(ask, target.platform, settings)
            records = find().solve(request)
            if not isinstance(records, Failure):
                records = asking.checked(records, request.channels)
            if isinstance(records, Failure):
                return _trouble(request, records, find())
            found[target.platform] = records
        return found

    return CondaSolver(name=lambda: f"{LIBRARY} {rattler.library().__version__}", solve=solve)


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
