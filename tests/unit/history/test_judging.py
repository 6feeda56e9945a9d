"""Which nights are good, where a bad one began, what several parts make, and what time it is."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envbuild.history import judging
from envbuild.history.model import STATUSES, Night
from tests.support.nights import BEGAN, night, profile, stage, variant


@pytest.mark.parametrize(
    ("status", "good", "failed"),
    [
        ("pass", True, False),
        ("warn", True, False),
        ("fail", False, True),
        ("not-run", False, False),
    ],
)
def test_a_profile_is_good_by_its_stages(status, good, failed):
    one = profile(status=status)
    assert (judging.good(one), judging.failed(one)) == (good, failed)
    own = profile(stages=(stage("check"), stage("lock", status)), variants=())
    assert (judging.good(own), judging.failed(own)) == (good, failed)


def test_a_variant_for_another_machine_says_nothing():
    elsewhere = variant(stage("build", "not-run"), stage("smoke", "not-run"), name="linux-arm64")
    here = variant(stage("build"), stage("smoke"))
    assert judging.good(profile(variants=(here, elsewhere)))
    assert not judging.good(profile(variants=(elsewhere,)))


def test_a_variant_that_was_not_finished_is_not_good():
    half = variant(stage("build"), stage("smoke", "not-run", "the time was over"))
    one = profile(variants=(half,))
    assert not judging.good(one)
    assert not judging.failed(one)


def test_a_profile_of_which_nothing_was_asked_is_not_good():
    assert not judging.good(profile(stages=(), variants=()))


def days(*statuses):
    return [night(day, [profile(status=status)]) for day, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("statuses", "last_good", "first_bad"),
    [
        (("pass", "pass"), 1, None),
        (("pass", "fail"), 0, 1),
        (("fail", "pass", "fail", "not-run", "fail"), 1, 2),
        (("pass", "not-run", "fail"), 0, 2),
        (("fail", "fail"), None, 0),
        (("pass", "fail", "warn"), 2, None),
        (("not-run",), None, None),
        ((), None, None),
    ],
)
def test_the_last_good_night_and_the_first_bad_one(statuses, last_good, first_bad):
    nights = days(*statuses)
    found = judging.last_good(nights, "one"), judging.first_bad(nights, "one")
    assert [one and int(one[0].name.removeprefix("night-")) for one in found] == [
        last_good,
        first_bad,
    ]
    assert judging.last_good(nights, "another") is None


def test_a_profile_that_was_away_for_a_night_is_judged_by_the_others():
    nights = [night(0), night(1, []), night(2, [profile(status="fail")])]
    good, bad = judging.last_good(nights, "one"), judging.first_bad(nights, "one")
    assert good is not None
    assert bad is not None
    assert (good[0].name, bad[0].name) == ("night-0", "night-2")


# --- Parts ---------------------------------------------------------------------------------------


def part(machine, index, count, *profiles, day=0):
    shard = f"{index}/{count}"
    return night(day, profiles, machine=machine, name="together", shard=shard)


def test_three_shards_are_one_night():
    parts = [
        part("a", 1, 3, profile("one")),
        part("b", 2, 3, profile("two", "fail")),
        part("c", 3, 3, profile("three")),
    ]
    for order in itertools.permutations(parts):
        (found,) = judging.together(order)
        assert [one.profile for one in found.profiles] == ["one", "three", "two"]
        assert found.machine == "a, b, c"
        assert found.notes == ()


def test_a_missing_shard_is_told():
    (found,) = judging.together([part("a", 1, 3, profile("one")), part("c", 3, 3)])
    assert found.notes == ("part 2/3 of this night is missing",)
    (alone,) = judging.together([part("a", 2, 2, profile("one"))])
    assert alone.notes == ("part 1/2 of this night is missing",)
    (hostile,) = judging.together([night(shard="1/99999999999")])
    assert len(hostile.notes) == 999


def test_of_one_machine_the_later_result_counts_and_of_several_the_worst():
    first = night(0, [profile(status="fail")], name="n", machine="a")
    again = night(1, [profile(status="pass")], name="n", machine="a")
    other = night(2, [profile(status="warn")], name="n", machine="b")
    idle = night(3, [profile(status="not-run")], name="n", machine="a")
    (found,) = judging.together([first, again, other, idle])
    assert found.profiles[0].variants[0].stages[0].status == "warn"
    (found,) = judging.together([first, other])
    assert found.profiles[0].variants[0].stages[0].status == "fail"
    (found,) = judging.together([again, idle])
    assert found.profiles[0].variants[0].stages[0].status == "pass"


def test_variants_of_two_machines_stand_side_by_side():
    arm = variant(stage("build", "fail", "no"), name="linux-arm64-cpu")
    (found,) = judging.together(
        [
            night(0, [profile(lock="sha256:" + "1" * 64)], name="n", machine="a"),
            night(0, [profile(variants=(arm,))], name="n", machine="b"),
        ]
    )
    (one,) = found.profiles
    assert [v.variant for v in one.variants] == ["linux-amd64-cpu", "linux-arm64-cpu"]
    assert one.lock == "sha256:" + "1" * 64


@st.composite
def some_nights(draw) -> list[Night]:
    return [
        night(
            draw(st.integers(0, 3)),
            [
                profile(name, draw(st.sampled_from(STATUSES)))
                for name in draw(st.sets(st.sampled_from("xyz")))
            ],
            name=draw(st.sampled_from(("n", "m"))),
            machine=f"m{number}",
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@given(some_nights(), st.randoms())
def test_parts_make_the_same_in_any_order_and_nothing_is_lost(nights, dice):
    found = judging.together(nights)
    shuffled = list(nights)
    dice.shuffle(shuffled)
    assert judging.together(shuffled) == found
    assert judging.together(found) == found
    assert [one.began for one in found] == sorted(one.began for one in found)
    for name in {one.name for one in nights}:
        (whole,) = (one for one in found if one.name == name)
        every = {p.profile for one in nights if one.name == name for p in one.profiles}
        assert {p.profile for p in whole.profiles} == every


# --- The clock, and names ------------------------------------------------------------------------


def test_a_night_never_begins_before_the_last_one():
    last = night(3)
    assert judging.began([night(0), last], last.began + 5) == (last.began + 5, "")
    when, note = judging.began([night(0), last], BEGAN)
    assert when > last.began
    assert note.startswith("the clock says 2026-11-18 ")
    assert judging.began([], BEGAN) == (BEGAN, "")


@given(st.lists(st.floats(-1e12, 1e12), max_size=6))
def test_whatever_the_clock_does_nights_and_their_ids_keep_their_order(clock):
    nights: list[Night] = []
    for now in clock:
        when, _ = judging.began(nights, now)
        name = judging.new_id(when, "m", bytes)
        nights.append(night(0, [], name=str(now), began=when, id=name))
    assert [one.began for one in nights] == sorted(one.began for one in nights)
    stamps = [one.id for one in nights]
    assert stamps == sorted(stamps)
    assert all(judging.ID.fullmatch(one) for one in stamps)
    assert not any(math.isinf(one.began) for one in nights)


def test_an_id_is_the_time_the_machine_and_chance():
    assert judging.new_id(BEGAN, "Host.Example", lambda n: b"\x3f\x9a") == (
        "20261118T110640Z-host-example-3f9a"
    )


@given(st.text())
def test_a_machine_name_fits_into_a_file_name(text):
    name = judging.machine_name(text)
    assert judging.ID.fullmatch(judging.new_id(BEGAN, text, lambda n: b"\0\0"))
    assert name == judging.machine_name(name)
