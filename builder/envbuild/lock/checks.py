"""What a resolution must be before it may become a lock: the rules, asked of it. Pure.

A resolver knows version bounds, not binaries: it writes a CPU-only torch for a GPU machine, or
one without code for that GPU, and calls it solved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from envbuild.errors import Problem
from envbuild.lock.model import Unknown
from envbuild.names import requirement_name

if TYPE_CHECKING:
    from envbuild.knowledge.rulebook import Rulebook
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
        from envbuild.knowledge.world import world

        versions = {pin.name: pin.version for pin in added}
        brought = {row.name: row.version for row in provided}
        name = variant.environment.name
        seen = world(name, variant, locked=versions, provided=brought)
        findings = judge.unwaived(judge.judge((seen,), self._book()), "error")
        numpy = versions.get("numpy") or brought.get("numpy")
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
    variant: Variant, *, versions: Mapping[str, str], brought: Mapping[str, str]
) -> tuple[Unknown, ...]:
    """What the rules could not answer for want of facts: nobody should take it for a yes.

    ``versions`` are those of the locked packages, ``brought`` those of the image's (empty where
    not known), by name.
    """
    gpus = variant.environment.hardware.gpus
    if not gpus or variant.cuda is None:
        return ()
    from envbuild.knowledge.torch import torch_of
    from envbuild.knowledge.world import world

    name = variant.environment.name
    torch = torch_of(world(name, variant, locked=versions, provided=brought))
    if torch is None or torch.gpus:
        return ()
    what = f"whether {torch.name} has code for {', '.join(gpus)}"
    return (Unknown(what=what, why="no fact says what this build of torch was compiled for"),)
