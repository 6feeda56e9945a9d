"""Times and sizes as people write them, and whether the disk holds the images."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError, ToolError
from envbuild.nightly import budgets, room
from envbuild.nightly.room import SPARE, Disk, Room, Wanted

GB = 10**9


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("4h", 14400), ("90m", 5400), ("1h30m", 5400), ("45s", 45), ("1.5h", 5400), ("2H", 7200)],
)
def test_times(text, seconds):
    assert budgets.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "4", "h", "0h", "-1h", "4d", "1h 30m x"])
def test_what_is_no_time(text):
    with pytest.raises(InputError, match="is no time"):
        budgets.seconds(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("60GB", 60 * GB), ("1GiB", 1 << 30), ("1.5TB", 1500 * GB), ("7", 7), ("60 gb", 60 * GB)],
)
def test_sizes(text, size):
    assert budgets.size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "0GB", "-1GB", "1PB", "1GBs"])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match="is no size"):
        budgets.size(text)


@pytest.mark.parametrize(
    ("cores", "memory", "jobs"),
    [(16, 128 << 30, 16), (16, 16 << 30, 4), (2, 2 << 30, 1), (1, 64 << 30, 1)],
)
def test_jobs_by_cores_and_memory(cores, memory, jobs):
    assert budgets.jobs(cores, memory) == jobs


def wanted(name: str, size: int = 0, base: str = "b", **more: bool) -> Wanted:
    return Wanted(profile=name, variant="v", base=base, size=size, **more)


def test_a_shared_base_counts_once():
    three = [wanted("a", 20 * GB), wanted("b", 15 * GB), wanted("c", 16 * GB)]
    assert room.needed(three) == (20 + 15 + 16 - 2 * 15) * GB
    assert room.needed([*three, wanted("d", 5 * GB, base="other")]) == 26 * GB


def test_what_stands_already_needs_nothing_new():
    assert room.needed([wanted("a", 20 * GB, there=True)]) == 0
    both = [wanted("a", 20 * GB, there=True), wanted("b", 22 * GB)]
    assert room.needed(both) == 0


def disk(free: int) -> Disk:
    return Disk(place="/store", what="podman", free=free)


def test_a_night_that_the_disk_cannot_hold_is_refused():
    with pytest.raises(
        ToolError, match=r"need 20.0 GB at least beside 1.1 GB that stay free, and 10.0"
    ):
        room.refuse([wanted("a", 20 * GB)], disk(10 * GB), None)


def test_a_night_beyond_its_budget_is_refused():
    with pytest.raises(ToolError, match=r"--disk-budget is 10\.0 GB"):
        room.refuse([wanted("a", 20 * GB)], disk(900 * GB), 10 * GB)


def test_what_nobody_knows_is_said():
    some = [wanted("a"), wanted("b", 5 * GB, at_least=True)]
    notes = room.refuse(some, disk(900 * GB), None)
    assert notes == (
        "nobody knows the size of 1 image: a/v",
        "of 1 image only the base's size is known: b/v",
    )
    assert room.refuse(some, None, None)[-1].startswith("where the engine keeps its images")
    assert room.refuse([], None, None) == ()


@pytest.mark.parametrize(
    ("free", "budget", "words"),
    [
        (SPARE - 1, None, "no room: 1.1 GB are free at /store"),
        (15 * GB, None, "no room: it takes 20.0 GB"),
        (50 * GB, 40 * GB, "no room: the night has taken 50.0 GB of 40.0 GB"),
        (80 * GB, 40 * GB, ""),
    ],
)
def test_room_is_looked_at_before_each_build(free, budget, words):
    asked = Room([wanted("a", 20 * GB)], disk(100 * GB), budget, free=lambda _: free)
    assert asked("a", "v").startswith(words) if words else asked("a", "v") == ""


def test_a_place_that_is_not_there_yet_is_what_is_above_it(tmp_path):
    assert room.free(str(tmp_path / "a/b/c")) > 0
