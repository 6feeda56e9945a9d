"""Two solvers until they agree; both are played here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgpack
import pytest
from tests.support.conda_values import asked, record, solved, wanted

from envbuild.lock.conda import agreement
from envbuild.lock.conda.agreement import Agreed, Disagreed, Partners, agree
from envbuild.lock.conda.asking import Ask, Solved, Trouble
from envbuild.lock.conda.packages import Half, Standing
from envbuild.lock.model import Demand, SolverInput
from envbuild.lock.requirements import Pin
from envbuild.lock.uv import Failure
from envbuild.tools.conda import Failure as CondaFailure
from envbuild.tools.conda import Keep, Record

QUESTION = asked(wanted("python=3.11", "packaging"), "tool")
EMPTY = Standing()


def pin(name: str, version: str, *via: str) -> Pin:
    return Pin(name=name, version=version, hashes=("sha256:0",), via=via or ("profile",))


def python(name: str, version: str) -> Record:
    return record(name, version, "python >=3.11", subdir="noarch")


PYTHON = record("python", "3.11.7")


class World:
    """conda has several packagings; tool on the index asks for some of them."""

    def __init__(
        self,
        *,
        tool_asks: str = "==23.0",
        packagings: tuple[str, ...] = ("25.0", "23.0"),
        metadata: bool = True,
    ) -> None:
        self.tool_asks = tool_asks
        self.packagings = packagings
        self.metadata = metadata
        self.asks: list[Ask] = []
        self.questions: list[SolverInput] = []

    def conda(self, ask: Ask) -> Solved | Trouble:
        from packaging.specifiers import SpecifierSet

        self.asks.append(ask)
        bounds = [SpecifierSet(one.bounds) for one in ask.demands if one.package == "packaging"]
        for version in self.packagings:
            if all(one.contains(version) for one in bounds):
                return solved(PYTHON, python("packaging", version))
        failure = CondaFailure(kind="unsatisfiable", text="No candidates were found")
        return Trouble(platform="linux-64", failure=failure)

    def uv(self, question: SolverInput) -> tuple[Pin, ...] | Failure:
        from packaging.specifiers import SpecifierSet

        self.questions.append(question)
        fits = SpecifierSet(self.tool_asks)
        held = dict(text.split("==") for text in question.installed)
        if "packaging" in held and not fits.contains(held["packaging"]):
            text = "Because tool==1.0 depends on packaging and you require packaging, no."
            return Failure(kind="unsatisfiable", text=text)
        free = next(v for v in ("25.0", "24.0", "23.0") if fits.contains(v))
        version = held.get("packaging", free)
        return (pin("packaging", version, "tool"), pin("tool", "1.0"))

    def find(self, name: str, version: str) -> tuple[bytes, ...]:
        if not self.metadata or name != "tool":
            return ()
        return (msgpack.packb([name, version, [f"packaging{self.tool_asks}"]]),)

    def partners(
        self,
        *,
        conda: Callable[[Ask], Solved | Trouble] | None = None,
        uv: Callable[[SolverInput], tuple[Pin, ...] | Failure] | None = None,
    ) -> Partners:
        return Partners(
            conda=conda or self.conda,
            name=lambda: "played 1.0",
            python=uv or self.uv,
            find=lambda: self.find,
        )


def agreed(found: Agreed | Disagreed) -> Agreed:
    assert isinstance(found, Agreed), found
    return found


def disagreed(found: Agreed | Disagreed) -> Disagreed:
    assert isinstance(found, Disagreed), found
    return found


def versions(half: Half) -> Mapping[str, str]:
    return {one.name: one.version for one in half.packages}


def test_they_may_agree_at_once() -> None:
    world = World(tool_asks=">=20")
    found = agreed(agree(QUESTION, EMPTY, world.partners()))
    assert (len(world.asks), len(world.questions)) == (1, 1)
    assert versions(found.half)["packaging"] == "25.0"
    assert found.half.demands == ()
    assert found.half.solver == "played 1.0"
    assert found.steps == ("conda: 2 for linux-64 packages", "both agree")


def test_uv_is_told_what_conda_brings() -> None:
    world = World(tool_asks=">=20")
    found = agreed(agree(QUESTION, EMPTY, world.partners()))
    assert world.questions[0].installed == ("packaging==25.0",)
    assert found.asked.installed == ("packaging==25.0",)


def test_what_is_no_version_of_the_index_is_not_told() -> None:
    def conda(_ask: Ask) -> Solved:
        return solved(PYTHON, python("tzdata", "2025c"), python("zone", "1.0"))

    world = World(tool_asks=">=20")
    found = agreed(agree(QUESTION, EMPTY, world.partners(conda=conda)))
    assert found.asked.installed == ("zone==1.0",)


def test_what_the_index_demands_is_given_to_conda() -> None:
    world = World()
    found = agreed(agree(QUESTION, EMPTY, world.partners()))
    demand = Demand(package="packaging", bounds="==23.0", by=("tool 1.0 (==23.0)",))
    assert [one.demands for one in world.asks] == [(), (demand,)]
    assert found.half.demands == (demand,)
    assert versions(found.half)["packaging"] == "23.0"
    assert found.steps == (
        "conda: 2 for linux-64 packages",
        "uv: packaging 25.0 of conda will not do for tool 1.0 (==23.0)",
        "conda with packaging ==23.0: 2 for linux-64 packages",
        "both agree",
    )


def test_the_demand_is_the_whole_range_that_the_index_allows() -> None:
    world = World(tool_asks="<25,>=23", packagings=("25.0", "23.5"))
    found = agreed(agree(QUESTION, EMPTY, world.partners()))
    assert versions(found.half)["packaging"] == "23.5"


def test_without_metadata_the_demand_is_the_version_that_uv_chose() -> None:
    world = World(tool_asks="<25,>=23", packagings=("25.0", "24.0"), metadata=False)
    found = agreed(agree(QUESTION, EMPTY, world.partners()))
    assert [one.bounds for one in found.half.demands] == ["==24.0"]


def test_a_demand_that_does_not_help_becomes_exact() -> None:
    world = World(tool_asks="<25,>=23,!=23.5", packagings=("25.0", "23.5", "24.0"))
    world.find = lambda name, version: (  # type: ignore[method-assign]
        (msgpack.packb([name, version, ["packaging<25,>=23"]]),) if name == "tool" else ()
    )
    found = agreed(agree(QUESTION, EMPTY, world.partners()))
    bounds = [[demand.bounds for demand in one.demands] for one in world.asks]
    assert bounds == [[], ["<25,>=23"], ["==24.0"]]
    assert versions(found.half)["packaging"] == "24.0"


def test_where_conda_cannot_both_sides_are_told() -> None:
    world = World(packagings=("25.0",))
    why = disagreed(agree(QUESTION, EMPTY, world.partners()))
    assert why.trouble is not None
    assert why.trouble.platform == "linux-64"
    assert [one.by for one in why.demanded] == [("tool 1.0 (==23.0)",)]
    assert why.failure is None
    assert why.steps[-1] == "conda with packaging ==23.0: no solution for linux-64"


def test_trouble_of_conda_alone_has_no_demands() -> None:
    world = World(packagings=())
    why = disagreed(agree(QUESTION, EMPTY, world.partners()))
    assert why.trouble is not None
    assert why.demanded == ()
    assert world.questions == []


def test_a_conflict_of_the_index_alone_is_uvs() -> None:
    world = World()
    failure = Failure(kind="unsatisfiable", text="Because tool wants tea and tool wants no tea.")
    why = disagreed(agree(QUESTION, EMPTY, world.partners(uv=lambda _: failure)))
    assert why.failure == failure
    assert why.trouble is None
    assert len(world.asks) == 1


@pytest.mark.parametrize("kind", ["network", "offline", "interrupted", "killed", "failed", "input"])
def test_a_uv_that_gives_no_answer_is_not_asked_again(kind: str) -> None:
    calls = []

    def uv(question: SolverInput) -> Failure:
        calls.append(question)
        return Failure(kind=kind, text="packaging")  # type: ignore[arg-type]

    why = disagreed(agree(QUESTION, EMPTY, World().partners(uv=uv)))
    assert why.failure is not None
    assert len(calls) == 1


def test_there_is_an_end_to_it() -> None:
    """Each turn conda brings something else, and uv never likes it."""
    world = World()
    count = 0

    def conda(ask: Ask) -> Solved:
        nonlocal count
        world.asks.append(ask)
        count += 1
        return solved(PYTHON, *(python(f"p{n}", f"{count}.0") for n in range(20)))

    def uv(question: SolverInput) -> tuple[Pin, ...] | Failure:
        held = dict(text.split("==") for text in question.installed)
        if f"p{count}" in held:
            return Failure(kind="unsatisfiable", text=f"because of p{count}")
        return (pin(f"p{count}", "0.1"),)

    why = disagreed(agree(QUESTION, EMPTY, world.partners(conda=conda, uv=uv)))
    assert (why.trouble, why.failure) == (None, None)
    assert len(world.asks) == agreement.TURNS


OLD = Demand(package="packaging", bounds="==23.0", by=("tool 0.9 (==23.0)",))


def standing(*, stands: bool, demands: tuple[Demand, ...] = ()) -> Standing:
    answer = solved(PYTHON, python("packaging", "23.0"))
    half = Half(
        solver="older 0.9",
        packages=Half.of(answer, own="linux-64", solver="").packages,
        demands=demands,
    )
    keep = {"linux-64": (Keep(name="packaging", sha256="0" * 64),)}
    return Standing(half=half, stands=stands, keep=keep, demands=demands)


def test_a_half_that_stands_is_not_solved() -> None:
    world = World()
    found = agreed(agree(QUESTION, standing(stands=True, demands=(OLD,)), world.partners()))
    assert world.asks == []
    assert found.half.solver == "older 0.9"
    assert found.half.solved is None
    assert found.half.demands == (OLD,)
    assert found.steps == ("both agree",)


def test_a_half_that_stands_in_the_way_is_solved_anew() -> None:
    world = World(tool_asks=">=24")
    found = agreed(agree(QUESTION, standing(stands=True), world.partners()))
    assert versions(found.half)["packaging"] == "25.0"
    assert [one.keep for one in world.asks] == [standing(stands=True).keep]


def test_what_was_demanded_before_is_asked_at_once() -> None:
    world = World()
    found = agreed(agree(QUESTION, standing(stands=False, demands=(OLD,)), world.partners()))
    assert [one.demands for one in world.asks] == [(OLD,)]
    assert found.half.demands == (OLD,)


def test_remembered_demands_that_make_trouble_are_dropped() -> None:
    world = World(tool_asks=">=24", packagings=("25.0",))
    found = agreed(agree(QUESTION, standing(stands=False, demands=(OLD,)), world.partners()))
    assert [one.demands for one in world.asks] == [(OLD,), ()]
    assert found.half.demands == ()
    assert versions(found.half)["packaging"] == "25.0"


def test_demands_of_this_run_are_not_forgotten_when_they_make_trouble() -> None:
    world = World(packagings=("25.0",))
    why = disagreed(agree(QUESTION, standing(stands=False), world.partners()))
    assert why.trouble is not None
    assert len(world.asks) == 2


def test_an_upstream_without_a_message_about_conda_is_asked_without_all_of_it() -> None:
    """uv may name packages between, and not the one that conda brings."""
    world = World()

    def uv(question: SolverInput) -> tuple[Pin, ...] | Failure:
        found = world.uv(question)
        if isinstance(found, Failure):
            return Failure(kind="unsatisfiable", text="Because tool has no usable version.")
        return found

    found = agreed(agree(QUESTION, EMPTY, world.partners(uv=uv)))
    assert versions(found.half)["packaging"] == "23.0"


def test_the_profiles_own_bound_is_named_as_who_asks() -> None:
    question = asked(wanted("python=3.11", "packaging"), "packaging==23.0", "tool")
    world = World(tool_asks="==23.0")
    found = agreed(agree(question, EMPTY, world.partners()))
    (demand,) = found.half.demands
    assert "the profile's packaging==23.0 (==23.0)" in demand.by
