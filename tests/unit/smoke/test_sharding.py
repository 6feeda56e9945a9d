"""Tests that several machines share, and their results as one report."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.engines.model import Engine
from envbuild.errors import InputError
from envbuild.plan import Shard
from envbuild.smoke import asking, junit, planning, sharding
from envbuild.smoke.asking import Job, Tools
from envbuild.smoke.choosing import Target
from envbuild.smoke.machine import Machine
from envbuild.smoke.model import Cause, CheckResult, SmokeReport
from envbuild.smoke.sharding import Part
from tests.unit.smoke.values import BASE, lock, profile

FOUR = """
    smoke:
      - {name: a, imports: [numpy]}
      - {name: b, imports: [numpy]}
      - {name: c, imports: [numpy]}
      - {name: d, imports: [numpy]}
    """
ENGINE = Engine(name="podman", builder="podman", program=("podman",), version="5.0")


def job(text: str = BASE + FOUR) -> Job:
    def never(_: object) -> object:
        raise AssertionError

    target = Target(variant=profile(text), locked=lock(), image="one:1")
    tools = Tools(engine=ENGINE, runner=never, environ={}, machine=Machine())
    return Job(target=target, tools=tools, wishes=asking.Wishes(), place="/nowhere")


def intents(count: int) -> list[object]:
    found = []
    for index in range(1, count + 1):
        (one,) = sharding.divided([job()], Shard(index=index, count=count))
        found.append(planning.intent(asking.question(one)))
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_every_test_and_the_static_stage_are_in_one_part(count: int) -> None:
    made = intents(count)
    ran = [trial.name for one in made for trial in one.plan.tests]
    assert sorted(ran) == ["a", "b", "c", "d"]
    assert sum(bool(one.plan.static.checks) for one in made) == 1
    ids = [[(test.name, test.checks) for test in one.tests] for one in made]
    assert all(one == ids[0] for one in ids), "each part names the tests of all"


def test_what_is_elsewhere_says_where() -> None:
    first, second = intents(2)
    where = {test.name: test.reason for one in (first, second) for test in one.tests if test.reason}
    assert set(where.values()) == {"in shard 1/2", "in shard 2/2"}
    static = {reason for one in (first, second) for _, reason in one.left_out}
    assert static & {"in shard 1/2", "in shard 2/2"}


def test_a_part_with_nothing_of_an_image_starts_no_container() -> None:
    parts = [sharding.divided([job()], Shard(index=at, count=9))[0] for at in range(1, 10)]
    facts = asking.ImageFacts(identity="sha256:1", platform="linux/amd64", size=1)
    (idle,) = [one for one in parts if not _works(one)][:1]
    report = asking.ask(idle, facts)
    inner = [check for check in report.checks if check.name == "interpreter"]
    assert [(one.verdict, one.reason) for one in inner] == [
        ("not-run", f"nothing of it is in shard {idle.shard}")
    ]


def _works(one: Job) -> bool:
    made = planning.intent(asking.question(one))
    return bool(made.plan.tests or made.plan.static.checks)


# --- One report of all ----------------------------------------------------------------------------


def check(test: str, verdict: str = "pass", reason: str = "") -> CheckResult:
    return CheckResult(test=test, name="verdict", verdict=verdict, reason=reason)


def part(shard: str, *checks: CheckResult, **changes: object) -> Part:
    report = SmokeReport(
        profile="one",
        variant="linux-amd64-cpu",
        image="one:1",
        engine="podman",
        checks=checks,
        lock="sha256:l",
        content="sha256:c",
        shard=shard,
    )
    label = f"{shard.replace('/', '-of-')}.json"
    return Part(label=label, reports=(msgspec.structs.replace(report, **changes),))


LEFT = part("1/2", check("a"), check("b", "not-run", "in shard 2/2"), seconds=3.0)
RIGHT = part(
    "2/2", check("a", "not-run", "in shard 1/2"), check("b", "fail", "no"), engine="docker"
)


def test_each_check_has_the_verdict_of_its_part() -> None:
    (report,) = sharding.merged([LEFT, RIGHT]).reports
    assert [(one.id, one.verdict, one.reason) for one in report.checks] == [
        ("a/verdict", "pass", ""),
        ("b/verdict", "fail", "no"),
    ]
    assert (report.engine, report.seconds, report.shard, report.lost) == (
        "podman, docker",
        3.0,
        "",
        (),
    )
    assert sharding.merged([RIGHT, LEFT]).reports[0].checks == report.checks


def test_a_part_without_a_result_is_seen() -> None:
    merged = sharding.merged([LEFT], broken=["2.json is empty"])
    (report,) = merged.reports
    assert merged.missing == report.lost == ("2/2",)
    assert report.checks[1].reason == "shard 2/2 has no result: 2.json is empty"
    assert report.checks[1].verdict == "not-run"
    assert not report.ok
    assert b'<error message="shard 2/2 has no result"' in junit.junit([report])


def test_of_what_all_look_at_the_worst_counts() -> None:
    bad = part("2/2", check("a", "fail", "x"), check("b"))
    assert sharding.merged([LEFT, bad]).reports[0].checks[0].verdict == "fail"
    warns = part("2/2", check("a", "warn", "x"), check("b"))
    assert sharding.merged([warns, LEFT]).reports[0].checks[0].verdict == "warn"


def test_what_a_machine_cannot_run_stays_with_its_reason() -> None:
    blind = part("2/2", check("a", "not-run", "in shard 1/2"), check("b", "not-run", "needs a GPU"))
    assert sharding.merged([LEFT, blind]).reports[0].checks[1].reason == "needs a GPU"


def test_a_cause_of_two_parts_is_one() -> None:
    def cause(name: str) -> Cause:
        return Cause(
            id="x", title="t", cause="c", proves=(), fix="f", fix_for="", checks=(f"{name}/v",)
        )

    made = sharding.merged(
        [
            part("1/2", check("a"), check("b"), causes=(cause("a"),)),
            part("2/2", check("a"), check("b"), causes=(cause("b"),)),
        ]
    )
    assert [one.checks for one in made.reports[0].causes] == [("a/v", "b/v")]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (part("2/2", *RIGHT.reports[0].checks, lock="sha256:m"), "is of another lock than"),
        (part("2/2", *RIGHT.reports[0].checks, content="sha256:d"), "is of another image than"),
        (part("2/3", *RIGHT.reports[0].checks), "is shard 1/2, and 2-of-3.json shard 2/3"),
        (part("", *RIGHT.reports[0].checks), "is no part"),
        (part("2/2", check("z"), check("b")), "has other checks than"),
        (part("2/2", check("a"), check("b"), profile="two"), "is of one/linux-amd64-cpu, and"),
    ],
)
def test_what_is_not_of_one_run_is_refused(other: Part, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sharding.merged([LEFT, other])


def test_one_part_twice_is_refused() -> None:
    twice = msgspec.structs.replace(LEFT, label="again.json")
    with pytest.raises(InputError, match=r"1-of-2\.json and again\.json are both shard 1/2"):
        sharding.merged([LEFT, twice])


def test_no_result_at_all() -> None:
    with pytest.raises(InputError, match="there is no result to merge"):
        sharding.merged([])
