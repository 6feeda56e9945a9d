"""Resolutions that are made to learn something: counted, remembered, and none written."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from envbuild.lock import uvtext
from envbuild.lock.model import SolverInput
from envbuild.lock.requirements import Pin
from envbuild.lock.uv import Failure
from envbuild.names import requirement_name

Solve = Callable[[SolverInput], "tuple[Pin, ...] | Failure"]

PROBES = 60
"""The most resolutions that one explanation may cost; each takes 0.1 to 1 s with a warm cache."""

UNSOLVED = ("unsatisfiable", "not-found")
"""The failures that say that there is no solution; the others say that nobody knows."""


class Prober:
    """Asks a solver, each question once; ``spent`` when the probes ran out."""

    def __init__(self, solve: Solve) -> None:
        self._solve = solve
        self._seen: dict[SolverInput, tuple[Pin, ...] | Failure] = {}
        self.spent = False

    def __call__(self, asked: SolverInput) -> tuple[Pin, ...] | Failure:
        """The answer of the solver."""
        if asked not in self._seen:
            if len(self._seen) >= PROBES:
                self.spent = True
                return Failure(kind="failed", text="")
            self._seen[asked] = self._solve(asked)
        return self._seen[asked]

    def settled(self, asked: SolverInput) -> tuple[SolverInput, tuple[Pin, ...] | Failure]:
        """The answer once everything that is published as source only may be built."""
        while True:
            answer = self(asked)
            if not isinstance(answer, Failure):
                return asked, answer
            wanted = uvtext.read(answer.text).source_only
            allowed = {*asked.source_builds, *(requirement_name(name) for name in wanted)}
            if allowed == set(asked.source_builds):
                return asked, answer
            asked = msgspec.structs.replace(asked, source_builds=tuple(sorted(allowed)))

    def unsolved(self, asked: SolverInput) -> str | None:
        """uv's explanation when there is no solution; None when there is one, or no answer."""
        _, answer = self.settled(asked)
        return answer.text if isinstance(answer, Failure) and answer.kind in UNSOLVED else None
