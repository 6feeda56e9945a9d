"""Conflicts: the core and the ways out, with a solver that answers from rules."""

import msgspec

from envbuild.errors import Mark, Problem
from envbuild.knowledge import rulebook
from envbuild.lock.checks import Checks
from envbuild.lock.conflict import Explanation, explain
from envbuild.lock.inputs import Origins
from envbuild.lock.model import SolverInput
from envbuild.lock.probing import Solve
from envbuild.lock.pypi import Question
from envbuild.lock.requirements import Pin
from envbuild.lock.uv import Failure
from envbuild.lock.ways import Later, Relaxing
from envbuild.profile.model import Environment
from envbuild.profile.resolved import Variant

PACKAGING = (
    "cause: Because lerobot==0.4.4 depends on packaging>=24.2,<26.0 and packaging==23.0, we can "
    "conclude that lerobot==0.4.4 cannot be used."
)
RERUN = (
    "cause: Because rerun-sdk>=0.24.0,<=0.26.2 depends on numpy>=2 and lerobot==0.4.4 depends on "
    "rerun-sdk>=0.24.0,<0.27.0 and you require lerobot==0.4.4, we can conclude that your "
    "requirements are unsatisfiable."
)
ASKED = SolverInput(
    image="x:1",
    python="3.11",
    platform="x86_64-manylinux_2_35",
    as_of="2026-02-01T00:00:00Z",
    requirements=("aiohttp", "lerobot==0.4.4"),
    bundle=("numpy==1.26.0", "packaging==23.0", "scipy==1.15.3"),
)
PLACE = Mark("envs/x.yaml", 12, 7)


class LerobotIndex:
    """lerobot 0.4 against Isaac Sim: two bounds stand in the way, one after the other."""

    def __init__(self) -> None:
        self.asked: list[SolverInput] = []

    def __call__(self, asked: SolverInput) -> tuple[Pin, ...] | Failure:
        self.asked.append(asked)
        wants = any(line.startswith("lerobot") for line in asked.requirements)
        bundle = set(asked.bundle)
        if wants and "packaging==23.0" in bundle and "packaging==23.0" not in asked.overrides:
            return Failure(kind="unsatisfiable", text=PACKAGING)
        if wants and "numpy==1.26.0" in bundle and "rerun-sdk" not in asked.overrides:
            return Failure(kind="unsatisfiable", text=RERUN)
        return (
            Pin(name="packaging", version="23.0", hashes=(), via=()),
            Pin(name="rerun-sdk", version="0.23.1", hashes=(), via=()),
        )


def passing(_asked: SolverInput, _answer: tuple[Pin, ...]) -> tuple[Problem, ...]:
    """The checks of a test that is not about them."""
    return ()


def question(asked: SolverInput) -> Question:
    environment = msgspec.convert(
        {
            "schema": 1,
            "name": "x",
            "summary": "x",
            "base": {"image": "x:1", "distribution": "ubuntu-22.04"},
            "python": {"version": "3.11", "source": "image", "interpreter": "/p"},
        },
        Environment,
    )
    return Question(
        variant=Variant(name="linux-amd64-cu128", environment=environment, marks={}),
        asked=asked,
        origins=Origins(places={"lerobot==0.4.4": PLACE}, written={}),
    )


def test_the_core_holds_only_what_the_conflict_needs() -> None:
    found = explain(
        question(ASKED),
        Failure(kind="unsatisfiable", text=PACKAGING),
        LerobotIndex(),
        check=passing,
    )
    assert [(part.kind, part.text, part.mark) for part in found.core] == [
        ("requirement", "lerobot==0.4.4", PLACE),
        ("bundle", "packaging==23.0", None),
    ]
    assert found.complete


def test_the_chain_ends_at_what_stands_against_it() -> None:
    asked = msgspec.structs.replace(ASKED, overrides=("packaging==23.0",))
    found = explain(
        question(asked), Failure(kind="unsatisfiable", text=RERUN), LerobotIndex(), check=passing
    )
    assert found.chain == (
        "lerobot==0.4.4",
        "rerun-sdk>=0.24.0,<0.27.0",
        "numpy>=2",
        "numpy==1.26.0",
    )


def test_two_conflicts_are_relaxed_together_and_the_bundle_stays() -> None:
    found = explain(
        question(ASKED),
        Failure(kind="unsatisfiable", text=PACKAGING),
        LerobotIndex(),
        check=passing,
    )
    assert [way.edits for way in found.ways_out] == [
        (
            Relaxing(kind="override", text="packaging==23.0"),
            Relaxing(kind="override", text="rerun-sdk==0.23.1"),
        )
    ]
    assert found.ways_out[0].gives == ("packaging 23.0", "rerun-sdk 0.23.1")


def test_numpy_is_never_offered() -> None:
    index = LerobotIndex()
    explain(question(ASKED), Failure(kind="unsatisfiable", text=PACKAGING), index, check=passing)
    overrides = {line for asked in index.asked for line in asked.overrides}
    assert not any(line.startswith("numpy") for line in overrides)


def test_a_bound_that_the_profile_states_is_never_offered() -> None:
    asked = msgspec.structs.replace(ASKED, constraints=("rerun-sdk<0.24",))
    found = explain(
        question(asked),
        Failure(kind="unsatisfiable", text=PACKAGING),
        LerobotIndex(),
        check=passing,
    )
    assert found.ways_out == ()


def test_the_search_is_bounded() -> None:
    many = tuple(f"p{number}==1" for number in range(200))
    asked = msgspec.structs.replace(ASKED, requirements=many)
    index_calls = []

    def never(asked: SolverInput) -> Failure:
        index_calls.append(asked)
        return Failure(kind="unsatisfiable", text="")

    found = explain(question(asked), Failure(kind="unsatisfiable", text=""), never, check=passing)
    assert len(index_calls) == 60
    assert not found.complete


SOURCE_ONLY = (
    "cause: Because evdev{'linux' in sys_platform}>=1.3.0 has no usable wheels and pynput>=1.7.7 "
    "depends on evdev{'linux' in sys_platform}>=1.3, we can conclude that pynput>=1.7.7 cannot be "
    "used.\n\nhint: Wheels are required for `evdev` because building from source is disabled for "
    "all packages (i.e., with `--no-build`)"
)


class SourceOnly(LerobotIndex):
    """As above, and one package has no wheels at all."""

    def __call__(self, asked: SolverInput) -> tuple[Pin, ...] | Failure:
        if asked.requirements and "evdev" not in asked.source_builds:
            return Failure(kind="unsatisfiable", text=SOURCE_ONLY)
        return super().__call__(asked)


def test_what_is_published_as_source_only_may_be_built() -> None:
    asked = msgspec.structs.replace(ASKED, requirements=("pynput",))
    found = explain(
        question(asked),
        Failure(kind="unsatisfiable", text=SOURCE_ONLY),
        SourceOnly(),
        check=passing,
    )
    assert found.core == ()
    assert found.reading.source_only == ("evdev",)
    assert [way.edits for way in found.ways_out] == [(Relaxing(kind="build", text="evdev"),)]


def test_builds_and_relaxations_are_found_together() -> None:
    found = explain(
        question(ASKED),
        Failure(kind="unsatisfiable", text=SOURCE_ONLY),
        SourceOnly(),
        check=passing,
    )
    assert [(part.kind, part.text) for part in found.core] == [
        ("requirement", "lerobot==0.4.4"),
        ("bundle", "packaging==23.0"),
    ]
    assert [way.edits for way in found.ways_out] == [
        (
            Relaxing(kind="build", text="evdev"),
            Relaxing(kind="override", text="packaging==23.0"),
            Relaxing(kind="override", text="rerun-sdk==0.23.1"),
        )
    ]


LATE = (
    "cause: Because only torch==2.0 is available and you require torch>=2.1, we can conclude that "
    "your requirements are unsatisfiable.\n\nhint: `torch` was filtered by `exclude-newer` to only "
    "include packages uploaded before 2026-02-01T00:00:00Z. The latest version satisfying the "
    "requirement is v2.1, published at 2026-03-01T12:00:00Z."
)


def only_after(moment: str, *, numpy: str = "1.26.4") -> Solve:
    """A world whose solution was published at a moment."""

    def solve(asked: SolverInput) -> tuple[Pin, ...] | Failure:
        if asked.requirements and asked.as_of <= moment:
            return Failure(kind="unsatisfiable", text=LATE)
        return (
            Pin(name="numpy", version=numpy, hashes=(), via=()),
            Pin(name="torch", version="2.1", hashes=(), via=()),
        )

    return solve


LATER = SolverInput(
    image="x:1",
    python="3.11",
    platform="x86_64-manylinux_2_35",
    as_of="2026-02-01T00:00:00Z",
    requirements=("torch>=2.1",),
    constraints=("numpy<2",),
)


def explained(solve: Solve) -> Explanation:
    cpu = msgspec.structs.replace(question(LATER).variant, name="linux-amd64-cpu")
    asked = msgspec.structs.replace(question(LATER), variant=cpu)
    checks = Checks(lambda: rulebook.with_own({}))

    def check(to: SolverInput, answer: tuple[Pin, ...]) -> tuple[Problem, ...]:
        return checks(cpu, to, added=answer, provided=())

    return explain(asked, Failure(kind="unsatisfiable", text=LATE), solve, check=check)


def test_the_moment_that_uv_names_is_tried_a_second_later() -> None:
    found = explained(only_after("2026-03-01T12:00:00Z"))
    assert found.published == "2026-03-01T12:00:00Z"
    assert found.later == Later(moment="2026-03-01T12:00:01Z", gives=("torch 2.1",))


def test_a_later_moment_than_uv_names_is_found_without_a_date() -> None:
    found = explained(only_after("2026-05-01T00:00:00Z"))
    assert found.later == Later(moment=None, gives=("torch 2.1",))


def test_a_later_moment_that_the_checks_refuse_is_not_offered() -> None:
    found = explained(only_after("2026-03-01T12:00:00Z", numpy="2.2.0"))
    assert found.later is None
    assert [problem.message for problem in found.refused] == [
        "NumPy 2.2.0 was resolved; the profile's policy is numpy<2"
    ]
