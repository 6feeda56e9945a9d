"""Conditions asked of a world: what was found, by name, and where in the profile. Pure.

A condition is made into a test once, when its rule is read. A test gives every way in which it
holds: a rule about GPUs speaks of each GPU that it is true of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from envbuild.knowledge import asking, packages
from envbuild.knowledge.conditions import Condition
from envbuild.knowledge.finding import Found
from envbuild.knowledge.world import World

Test = Callable[[World, Found], Iterator[Found]]


class Question(Struct, frozen=True, kw_only=True):
    """One key of a condition: how it is asked, and which names it finds values for."""

    ask: Callable[[World, Any], Iterator[Found]]
    finds: tuple[str, ...] = ()


QUESTIONS: Mapping[str, Question] = {
    "isaac_sim": Question(ask=asking.isaac_sim),
    "isaac_lab": Question(ask=asking.isaac_lab),
    "gr00t": Question(ask=asking.gr00t),
    "simulator": Question(ask=asking.simulator),
    "python": Question(ask=asking.python),
    "cuda": Question(ask=asking.cuda),
    "architecture": Question(ask=asking.architecture),
    "image": Question(ask=asking.image),
    "git": Question(ask=asking.git, finds=("source",)),
    "requires": Question(ask=packages.requires, finds=("package", "requirement")),
    "pulls": Question(ask=packages.pulls, finds=("package", "requirement")),
    "bounded": Question(ask=packages.bounded, finds=("package", "requirement")),
    "locked": Question(ask=packages.locked, finds=("package", "requirement")),
    "brought": Question(ask=packages.brought, finds=("package", "requirement")),
    "overridden": Question(ask=packages.overridden, finds=("package", "requirement")),
    "conda": Question(ask=asking.conda, finds=("package",)),
    "conda_channel": Question(ask=asking.conda_channel, finds=("channel",)),
    "without_extra": Question(ask=packages.without_extra, finds=("package", "requirement")),
    "placeholder": Question(ask=packages.placeholder, finds=("package", "requirement", "index")),
    "bundled": Question(ask=packages.bundled, finds=("package", "requirement", "bundled-version")),
    "bundle": Question(ask=packages.bundle),
    "barred": Question(ask=packages.barred, finds=("package", "requirement", "version")),
    "companion": Question(ask=packages.companion, finds=("package", "requirement", "companion")),
    "excluded": Question(ask=packages.excluded, finds=("package",)),
    "built_from_source": Question(ask=packages.built_from_source, finds=("package",)),
    "built_with": Question(ask=packages.built_with, finds=("variable",)),
    "build_constraint": Question(ask=packages.build_constraint, finds=("package", "requirement")),
    "gpu": Question(ask=asking.gpu, finds=("gpu", "gpu-cuda")),
    "contract": Question(
        ask=asking.contract, finds=("peer", "encoding", "ours", "theirs", "peer-numpy")
    ),
    "env_missing": Question(ask=asking.env_missing, finds=("variable",)),
    "env_set": Question(ask=asking.env_set, finds=("variable",)),
    "eula": Question(ask=asking.eula),
    "entrypoint": Question(ask=asking.entrypoint, finds=("entrypoint",)),
    "known": Question(ask=asking.known),
    "compare": Question(ask=asking.compare, finds=("value", "than")),
}
"""Every key of a condition but ``all``, ``any`` and ``not``."""


def asked(condition: Condition) -> dict[str, Any]:
    """The keys of a condition that say something, but ``all``, ``any`` and ``not``."""
    values = {name: getattr(condition, name) for name in QUESTIONS}
    return {name: value for name, value in values.items() if value not in (None, ())}


def prepared(condition: Condition) -> Test:
    """The test that a condition stands for; its keys are asked in the order of the form."""
    steps = [_step(QUESTIONS[name], value) for name, value in asked(condition).items()]
    steps += [prepared(part) for part in condition.all_]
    if condition.any_:
        steps.append(_choice([prepared(part) for part in condition.any_]))
    if condition.not_ is not None:
        steps.append(_absence(prepared(condition.not_)))
    return _chain(steps)


def found_names(condition: Condition) -> frozenset[str]:
    """The names that have a value whenever a condition holds."""
    names = {name for key in asked(condition) for name in QUESTIONS[key].finds}
    for part in condition.all_:
        names |= found_names(part)
    if condition.any_:
        names |= frozenset.intersection(*map(found_names, condition.any_))
    return frozenset(names)


def of_a_lock(condition: Condition) -> bool:
    """Whether a condition asks for a lock, so that without one its silence means nothing."""
    parts = (*condition.all_, *condition.any_, *filter(None, (condition.not_,)))
    return bool(condition.locked or condition.bundled) or any(map(of_a_lock, parts))


def _step(question: Question, value: object) -> Test:
    def ask(world: World, so_far: Found) -> Iterator[Found]:
        for found in question.ask(world, value):
            yield so_far.joined(found)

    return ask


def _chain(steps: list[Test]) -> Test:
    def ask(world: World, so_far: Found, at: int = 0) -> Iterator[Found]:
        if at == len(steps):
            yield so_far
            return
        for found in steps[at](world, so_far):
            yield from ask(world, found, at + 1)

    return ask


def _choice(tests: list[Test]) -> Test:
    def ask(world: World, so_far: Found) -> Iterator[Found]:
        for one in tests:
            yield from one(world, so_far)

    return ask


def _absence(absent: Test) -> Test:
    def ask(world: World, so_far: Found) -> Iterator[Found]:
        if next(absent(world, so_far), None) is None:
            yield so_far

    return ask
