"""Who runs next, until when, and how much of a night was ours."""

from __future__ import annotations

import threading

import pytest

from envbuild.nightly.slots import OverError, Slots


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_no_more_than_so_many_at_a_time():
    slots, running, most = Slots(2), [], []
    turn = threading.Lock()

    def work(number: int) -> None:
        with slots.taken(number):
            with turn:
                running.append(number)
                most.append(len(running))
            threading.Event().wait(0.01)
            with turn:
                running.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2
    assert len(most) == 8


def test_the_first_profile_is_before_the_others():
    slots, order = Slots(1), []
    first = threading.Event()

    def work(number: int) -> None:
        with slots.taken(number):
            order.append(number)

    with slots.taken(0):
        threads = []
        for number in (3, 1, 2):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
        while len(slots._waiting) < 3:
            first.wait(0.001)
    for thread in threads:
        thread.join()
    assert order == [1, 2, 3]


def test_whoever_waits_is_let_go_when_the_night_is_ended():
    slots, seen = Slots(1), []

    def work() -> None:
        try:
            with slots.taken(1):
                seen.append("ran")
        except OverError:
            seen.append("over")

    with slots.taken(0):
        thread = threading.Thread(target=work)
        thread.start()
        slots.end()
        thread.join(5)
    assert seen == ["over"]
    assert slots.ended


def test_nothing_begins_after_the_time_and_what_runs_gets_what_is_left():
    clock = Clock()
    slots = Slots(1, limit=60.0, clock=clock)
    clock.now += 50
    assert slots.left(100.0) == 10.0
    assert slots.left(5.0) == 5.0
    with slots.taken(0):
        clock.now += 10
    with pytest.raises(OverError), slots.taken(0):
        pass


def test_idle_is_when_no_program_ran():
    clock = Clock()
    slots = Slots(2, clock=clock)
    clock.now += 1
    with slots.taken(0), slots.busy():
        clock.now += 10
        with slots.busy():
            clock.now += 10
        clock.now += 10
        assert slots.idle() == 1.0
    clock.now += 2
    with slots.taken(0):
        clock.now += 5
    assert slots.idle() == 8.0
    assert slots.passed() == 38.0


def test_an_error_in_a_stage_gives_its_place_back():
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError), slots.taken(0):
        raise ZeroDivisionError
    with slots.taken(0):
        pass
