"""The way of a profile through a night: order, containment, carrying, resuming, falling back."""

from __future__ import annotations

import signal

import pytest

from envbuild.history.model import STAGES
from envbuild.nightly.ledger import Ledger, Name
from envbuild.nightly.model import Target, Wishes
from envbuild.nightly.slots import Slots
from tests.unit.nightly import world as worlds
from tests.unit.nightly.world import VARIANT, World, desk, last_of, lock, night, snapshot, statuses

OLD, NEW = lock("1.26.4"), lock("2.0.0", as_of=worlds.MOMENT)


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path, makes=NEW)


def failing(text: str = "error: no such version", code: int = 1):
    return lambda _words: (code, None, text)


def test_every_stage_in_its_order(world):
    went = night(desk(world), world, snapshot(OLD))
    assert world.stages() == list(STAGES)
    assert set(statuses(went).values()) == {"pass"}
    assert went.night.committed is False
    assert list(went.blobs) == [went.night.lock]
    reasons = {one.stage: one.reason for one in went.night.stages}
    assert reasons["lock"] == "1 moved: numpy 1.26.4 -> 2.0.0"


def test_the_lock_sees_the_moment_of_the_night_and_the_copy_says_it_too(world):
    night(desk(world), world, snapshot(OLD))
    (words,) = [one for one in world.calls if one[0] == "lock"]
    assert words[words.index("--exclude-newer") + 1] == worlds.MOMENT
    assert f"as-of: {worlds.MOMENT} # a release" in (
        (world.root / "work/one/envs/one.yaml").read_text()
    )


def test_a_lock_that_moved_in_its_moment_alone_is_the_committed_one(tmp_path):
    same = World(tmp_path, makes=lock("1.26.4", as_of=worlds.MOMENT))
    went = night(desk(same), same, snapshot(OLD))
    assert went.night.committed is True
    assert went.night.stages[1].reason == "nothing moved"
    assert "as-of: 2026-01-01T00:00:00Z # a" in (tmp_path / "work/one/envs/one.yaml").read_text()
    for name, data in worlds.files_of(OLD).items():
        assert (tmp_path / "work/one/lockfiles/one" / name).read_bytes() == data


def test_the_second_night_keeps_the_lock_of_the_first_and_runs_no_test_again(world, tmp_path):
    first = night(desk(world), world, snapshot(OLD))
    later = World(tmp_path, makes=lock("2.0.0", as_of="2026-11-23T03:00:00Z"))
    again = desk(later, moment="2026-11-23T03:00:00Z", ledger=Ledger(str(tmp_path / "second")))
    went = night(again, later, snapshot(OLD), last=last_of(first))
    assert went.night.lock == first.night.lock
    assert later.stages() == ["lock", "render", "build"]
    carried = {one.stage for one in (*went.night.stages, *went.night.variants[0].stages)
               if one.carried == "n1"}  # fmt: skip
    assert carried == {"check", "audit", "smoke"}


def test_force_carries_nothing(world, tmp_path):
    first = night(desk(world), world, snapshot(OLD))
    again = World(tmp_path, makes=NEW)
    forced = desk(again, force=True, ledger=Ledger(str(tmp_path / "second")))
    night(forced, again, snapshot(OLD), last=last_of(first))
    assert again.stages() == list(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_behind_a_failure_nothing_is_run(world, stage):
    world.answers[stage] = failing()
    went = night(desk(world), world, snapshot(OLD))
    found = statuses(went)
    place = STAGES.index(stage)
    assert world.stages() == list(STAGES[: place + 1])
    assert [found[one] for one in STAGES] == [
        *["pass"] * place,
        "fail",
        *["not-run"] * (len(STAGES) - place - 1),
    ]
    behind = [one for one in (*went.night.stages, *went.night.variants[0].stages)
              if one.status == "not-run"]  # fmt: skip
    assert all(one.reason == f"{stage} failed" for one in behind)


def test_a_failure_of_one_variant_is_none_of_the_other(world):
    def build(words):
        if words[words.index("--variant") + 1] == "linux-amd64-cpu":
            return 1, None, "error: it broke"
        return world._build(words)

    world.answers["build"] = build
    targets = tuple(
        Target(variant=name, platform="linux/amd64") for name in ("linux-amd64-cpu", VARIANT)
    )
    went = night(desk(world), world, snapshot(OLD), targets=targets)
    cpu, cuda = went.night.variants
    assert [one.status for one in cpu.stages] == ["fail", "not-run"]
    assert [one.status for one in cuda.stages] == ["pass", "pass"]
    assert cpu.stages[0].reason == "it broke"
    assert cpu.image is None
    assert cuda.image is not None


def test_what_this_machine_cannot_run_says_why(world):
    targets = (Target(variant=VARIANT, platform="linux/arm64", left_out="for linux/arm64"),)
    went = night(desk(world), world, snapshot(OLD), targets=targets)
    assert [(one.status, one.reason) for one in went.night.variants[0].stages] == [
        ("not-run", "for linux/arm64"),
        ("not-run", "for linux/arm64"),
    ]


def test_an_image_without_tests_is_not_called_tested(world):
    targets = (Target(variant=VARIANT, platform="linux/amd64", tested=False),)
    went = night(desk(world), world, snapshot(OLD), targets=targets)
    assert statuses(went)["smoke"] == "warn"
    assert "smoke" not in world.stages()


def test_no_room_for_an_image(world):
    full = desk(world, room=lambda _profile, _variant: "no room: 1 GB is free")
    assert statuses(night(full, world, snapshot(OLD)))["build"] == "not-run"
    assert "build" not in world.stages()


# --- After a kill --------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_a_night_that_was_killed_in_a_stage_goes_on_there(world, tmp_path, stage):
    class KilledError(BaseException):
        pass

    def kill(name):
        if name == stage:
            raise KilledError

    world.on_call = kill
    with pytest.raises(KilledError):
        night(desk(world), world, snapshot(OLD))
    again = World(tmp_path, makes=lock("3.0.0", as_of=worlds.MOMENT))
    went = night(desk(again), again, snapshot(OLD))
    assert again.stages() == list(STAGES[STAGES.index(stage) :])
    assert set(statuses(went).values()) == {"pass"}
    made = "3.0.0" if stage in ("check", "lock") else "2.0.0"
    assert made.encode() in went.blobs[went.night.lock]
    assert f"numpy=={made}" in (tmp_path / "work/one/lockfiles/one/x.txt").read_text()


def test_a_result_that_was_cut_in_the_middle_is_done_again(world, tmp_path):
    night(desk(world), world, snapshot(OLD))
    path = tmp_path / "running/one/render.json"
    path.write_bytes(path.read_bytes()[:40])
    again = World(tmp_path, makes=NEW)
    night(desk(again), again, snapshot(OLD))
    assert again.stages() == ["render"]


def test_a_profile_that_was_changed_since_the_kill_is_done_again(world, tmp_path):
    night(desk(world), world, snapshot(OLD))
    again = World(tmp_path, makes=NEW)
    night(desk(again), again, snapshot(OLD, yaml=worlds.YAML + b"user: {}\n"))
    assert again.stages() == list(STAGES)


def test_what_was_ended_with_the_night_counts_for_nothing(world, tmp_path):
    working = desk(world)
    world.on_call = lambda name: working.slots.end() if name == "render" else None
    went = night(working, world, snapshot(OLD))
    assert statuses(went)["render"] == "not-run"
    assert working.ledger.kept(Name(profile="one", stage="render")) is None
    assert working.ledger.kept(Name(profile="one", stage="audit")) is not None


def test_the_time_of_the_night_is_over(world):
    went = night(desk(world, slots=Slots(1, limit=0.0)), world, snapshot(OLD))
    assert world.calls == []
    assert {one.reason for one in went.night.stages} == {"the night's time is over"}


def test_a_stage_that_the_kernel_ends_is_a_failure_with_a_name(world):
    world.answers["lock"] = failing("", -signal.SIGKILL)
    went = night(desk(world), world, snapshot(OLD))
    assert went.night.stages[1].reason.startswith("it was ended by SIGKILL")


# --- Which stages, and which lock ----------------------------------------------------------------


def test_only_some_stages_work_on_the_committed_lock(world):
    went = night(desk(world, Wishes(stages=("render", "build"))), world, snapshot(OLD))
    assert world.stages() == ["render", "build"]
    assert went.night.committed is True
    assert went.night.lock


def test_without_a_committed_lock_there_is_nothing_to_build(world):
    went = night(desk(world, Wishes(stages=("render", "build"))), world, snapshot())
    assert world.calls == []
    assert went.night.stages[0].reason == "it has no lock"


def test_from_a_stage_the_earlier_ones_are_those_of_the_last_night(world, tmp_path):
    first = night(desk(world), world, snapshot(OLD))
    again = World(tmp_path)
    wishes = Wishes(stages=("build", "smoke"), carry_from="build")
    went = night(
        desk(again, wishes, ledger=Ledger(str(tmp_path / "second")), force=True),
        again,
        snapshot(OLD),
        last=last_of(first),
    )
    assert again.stages() == ["build", "smoke"]
    assert went.night.lock == first.night.lock
    assert [one.carried for one in went.night.stages] == ["n1"] * 4


def test_no_upgrade_asks_whether_the_committed_lock_is_fresh(world):
    went = night(desk(world, Wishes(upgrade=False)), world, snapshot(OLD))
    (words,) = [one for one in world.calls if one[0] == "lock"]
    assert words[1] == "--check"
    assert went.night.committed is True
    assert set(statuses(went).values()) == {"pass"}


def test_keep_going_behind_a_lock_that_cannot_be_made(world):
    world.answers["lock"] = failing()
    went = night(desk(world, Wishes(keep_going=True)), world, snapshot(OLD))
    assert statuses(went) == {one: "fail" if one == "lock" else "pass" for one in STAGES}
    assert went.night.committed is True
    assert went.night.lock


def test_keep_going_behind_an_upgrade_that_does_not_build(world):
    def build(words):
        there = (world.root / "work/one/lockfiles/one/x.txt").read_text()
        return (1, None, "error: no wheel") if "2.0.0" in there else world._build(words)

    world.answers["build"] = build
    went = night(desk(world, Wishes(keep_going=True)), world, snapshot(OLD))
    built, smoked = went.night.variants[0].stages
    assert (built.status, built.reason) == ("fail", "no wheel")
    assert (built.parts[0].name, built.parts[0].status) == ("with the committed lock", "pass")
    assert smoked.status == "pass"
    assert smoked.reason.startswith("with the committed lock: ")
    assert went.night.committed is False
    assert b"2.0.0" in went.blobs[went.night.lock]


def test_without_keep_going_the_committed_lock_is_not_tried(world):
    world.answers["build"] = failing()
    night(desk(world), world, snapshot(OLD))
    assert world.stages() == ["check", "lock", "audit", "render", "build"]


def test_a_broken_profile_is_told_of_and_leaves_no_variant(world):
    world.answers["check"] = failing("envs/one.yaml:3:1: error: unknown key", 2)
    went = night(desk(world), world, snapshot(OLD), targets=())
    assert statuses(went) == {
        "check": "fail",
        **dict.fromkeys(("lock", "audit", "render"), "not-run"),
    }
    assert went.night.stages[0].reason == "envs/one.yaml:3:1: unknown key"


def test_a_bug_in_one_variant_is_raised(world):
    def bug(_name):
        raise ZeroDivisionError

    world.on_call = bug
    with pytest.raises(ZeroDivisionError):
        night(desk(world), world, snapshot(OLD))
