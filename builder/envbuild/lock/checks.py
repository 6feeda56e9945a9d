"""What a resolution must be before it may become a lock: the rules, asked of it. Pure.

A resolver knows version bounds, not binaries: it writes a CPU-only torch for a GPU machine, or
one without code for that GPU, and calls it solved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from envbuild.errors import Problem
from envbuild.lock.model import Unknown
from envbuild.names import requirement_name

if TYPE_CHECKING:
    from envbuild.knowledge.rulebook import Rulebook
    from envbuild.knowledge.world import World
    from envbuild.lock.model import Provided, SolverInput
    from envbuild.lock.requirements import Pin
    from envbuild.profile.resolved import Variant


class Checks:
    """The checks with a book of rules, which is read when the first resolution is to be judged."""

    def __init__(self, book: Callable[[], Rulebook]) -> None:
        self._book = book

    def __call__(
        self,
        variant: Variant,
        asked: SolverInput,
        *,
        added: tuple[Pin, ...],
        provided: tuple[Provided, ...],
    ) -> tuple[Problem, ...]:
        """Everything that forbids a lock, each with the line of the profile that it concerns."""
        from envbuild.knowledge import judge

        world = _world(variant, added, provided)
        findings = judge.unwaived(judge.judge((world,), self._book()), "error")
        numpy = world.version("numpy")
        return (
            *_policy(variant, asked, numpy),
            *(judge.as_problem(finding) for finding in findings),
        )


def _policy(variant: Variant, asked: SolverInput, numpy: str | None) -> list[Problem]:
    """Bounds of the profile on NumPy that an override of it has set aside."""
    bounds = (*asked.requirements, *asked.constraints) if numpy else ()
    return [
        Problem(
            message=f"NumPy {numpy} was resolved; the profile's policy is {bound}",
            mark=variant.marks.get(("python", "overrides")),
            hint="an override sets the policy aside: remove it, or change the policy",
        )
        for bound in bounds
        if numpy and requirement_name(bound) == "numpy" and not _satisfies(numpy, bound)
    ]


def _satisfies(version: str, requirement: str) -> bool:
    if requirement.partition("==")[2] == version:
        return True
    from packaging.requirements import Requirement

    return Requirement(requirement).specifier.contains(version, prereleases=True)


def unknowns(
    variant: Variant, *, added: tuple[Pin, ...], provided: tuple[Provided, ...]
) -> tuple[Unknown, ...]:
    """What the rules could not answer for want of facts: nobody should take it for a yes."""
    gpus = variant.environment.hardware.gpus
    if not gpus or variant.cuda is None:
        return ()
    from envbuild.knowledge.torch import torch_of

    torch = torch_of(_world(variant, added, provided))
    if torch is None or torch.gpus:
        return ()
    what = f"whether {torch.name} has code for {', '.join(gpus)}"
    return (Unknown(what=what, why="no fact says what this build of torch was compiled for"),)


def _world(variant: Variant, added: tuple[Pin, ...], provided: tuple[Provided, ...]) -> World:
    from envbuild.knowledge.world import world

    return world(
        variant.environment.name,
        variant,
        locked={pin.name: pin.version for pin in added},
        provided={row.name: row.version for row in provided},
    )
