"""One lock for conda and the index: both solvers are asked until they agree.

The conda packages come first. The Python packages among them are given to uv as installed; what
the packages of the index demand of one of them, and does not hold, is given back to conda, which
solves again. Every turn adds a demand or makes one stricter, and there are at most
:data:`TURNS` of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.lock.conda import demands
from envbuild.lock.conda.asking import Ask, SolveAll, Solved, Trouble
from envbuild.lock.conda.packages import Half, Standing, installed
from envbuild.lock.model import CondaInput, Demand, SolverInput
from envbuild.lock.requirements import Pin
from envbuild.lock.uv import Failure

if TYPE_CHECKING:
    from envbuild.lock.bounds import Find

TURNS = 8
"""The most turns of the two solvers; Isaac Lab needs two."""

_NO_ANSWER = ("unsatisfiable", "not-found")

SolvePython = Callable[[SolverInput], "tuple[Pin, ...] | Failure"]


class Agreed(Struct, frozen=True, kw_only=True):
    """Both halves, and the steps on the way, for people."""

    half: Half
    pins: tuple[Pin, ...]
    asked: SolverInput
    steps: tuple[str, ...]


class Disagreed(Struct, frozen=True, kw_only=True):
    """Why there are no two halves that fit.

    ``trouble`` is conda's failure, under ``demanded``, what the index demands of it; ``failure``
    is uv's, and then conda has no part in it. Neither: the turns ran out.
    """

    steps: tuple[str, ...]
    demanded: tuple[Demand, ...] = ()
    trouble: Trouble | None = None
    failure: Failure | None = None


class Partners(Struct, frozen=True, kw_only=True):
    """The two solvers, the name of the conda one, and what finds the metadata of packages."""

    conda: SolveAll
    name: Callable[[], str]
    python: SolvePython
    find: Callable[[], Find]


def agree(asked: SolverInput, standing: Standing, partners: Partners) -> Agreed | Disagreed:
    """Two halves that fit, or why there are none."""
    assert asked.conda is not None  # the caller looks
    talk = _Talk(asked, asked.conda, standing, partners)
    half = standing.half if standing.stands else None
    for _ in range(TURNS):
        if half is None:
            solved = talk.conda()
            if isinstance(solved, Trouble) and talk.forget():
                solved = talk.conda()
            if isinstance(solved, Trouble):
                return talk.disagreed(trouble=solved)
            half = solved
        pins = talk.python(half)
        if not isinstance(pins, Failure):
            talk.steps.append("both agree")
            made = msgspec.structs.replace(half, demands=tuple(talk.demands))
            given = msgspec.structs.replace(asked, installed=installed(half.packages))
            return Agreed(half=made, pins=pins, asked=given, steps=tuple(talk.steps))
        if pins.kind not in _NO_ANSWER or not talk.learn(half, pins):
            return talk.disagreed(failure=pins)
        half = None
    return talk.disagreed()


class _Talk:
    """What was said so far between the two."""

    def __init__(
        self, asked: SolverInput, wanted: CondaInput, standing: Standing, partners: Partners
    ) -> None:
        self._asked = asked
        self._wanted = wanted
        self._standing = standing
        self._partners = partners
        self._remembered = bool(standing.demands) and not standing.stands
        self.demands: list[Demand] = list(standing.demands)
        self.steps: list[str] = []

    def forget(self) -> bool:
        """Drop the demands of the lock before, which may hold no more; False: there are none."""
        remembered, self._remembered = self._remembered, False
        if remembered:
            self.demands.clear()
        return remembered

    def conda(self) -> Half | Trouble:
        """conda's turn."""
        ask = Ask(
            wanted=self._wanted,
            demands=tuple(self.demands),
            keep=self._standing.keep,
            as_of=self._asked.as_of,
        )
        solved: Solved | Trouble = self._partners.conda(ask)
        under = ", ".join(f"{one.package} {one.bounds}" for one in self.demands)
        said = f"conda{f' with {under}' if under else ''}"
        if isinstance(solved, Trouble):
            self.steps.append(f"{said}: no solution for {solved.platform}")
            return solved
        half = Half.of(solved, own=self._wanted.targets[0].platform, solver=self._partners.name())
        counts = ", ".join(f"{len(found)} for {platform}" for platform, found in solved.items())
        self.steps.append(f"{said}: {counts} packages")
        return half

    def python(self, half: Half) -> tuple[Pin, ...] | Failure:
        """uv's turn, with what conda brings."""
        return self._with(installed(half.packages))

    def _with(self, given: tuple[str, ...]) -> tuple[Pin, ...] | Failure:
        return self._partners.python(msgspec.structs.replace(self._asked, installed=given))

    def learn(self, half: Half, failure: Failure) -> bool:
        """What the index demands of what conda brings; False: conda has no part in the failure."""
        brought = {one.python: one for one in half.packages if one.python}
        named = demands.named(failure.text, brought)
        freed = self._with(installed(one for n, one in brought.items() if n not in named))
        if isinstance(freed, Failure) and named != frozenset(brought):
            freed = self._with(())
        if isinstance(freed, Failure):
            return False
        before = {one.package for one in self.demands}
        learnt = demands.of(freed, brought, self._asked, self._partners.find(), strict=before)
        if not learnt or all(one in self.demands for one in learnt):
            return False
        new = {one.package for one in learnt}
        self.demands = [one for one in self.demands if one.package not in new] + list(learnt)
        for one in learnt:
            brings = next(p.version for p in half.packages if p.name == one.package)
            self.steps.append(f"uv: {one.package} {brings} of conda will not do for {_who(one)}")
        return True

    def disagreed(
        self, *, trouble: Trouble | None = None, failure: Failure | None = None
    ) -> Disagreed:
        return Disagreed(
            steps=tuple(self.steps),
            demanded=tuple(self.demands),
            trouble=trouble,
            failure=failure,
        )


def _who(demand: Demand) -> str:
    return " and ".join(demand.by)
