"""Making, testing and keeping; the two ends; what is said of what was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.support.locks import package
from tests.unit.nightly.bisecting.graphs import graph
from tests.unit.nightly.bisecting.locks import side

from envbuild.errors import InputError
from envbuild.lock.folder import LockFolder
from envbuild.nightly.bisecting import telling
from envbuild.nightly.bisecting.keeping import STATE, Kept, key
from envbuild.nightly.bisecting.model import Heard, Moved
from envbuild.nightly.bisecting.order import groups
from envbuild.nightly.bisecting.trying import NotBetweenError, Ran, Refused, Result, Trier, bisected

KNOWN = graph(*"abcdefgh")
EVERY = frozenset("abcdefgh")


class World:
    """A world with a fault; ``flaky`` says of a lock and the number of its run if it passes though
    it should not, or fails."""

    def __init__(
        self, fault: str, *, flaky: Callable[[Moved, int], bool] = lambda _moved, _run: False
    ) -> None:
        self.fault = frozenset(fault)
        self.flaky = flaky
        self.tested: list[Moved] = []
        self.failing: list[str] = []
        self.same = False

    def lock(self, moved: Moved) -> LockFolder | Refused:
        shown = "" if self.same and moved not in (EVERY, frozenset()) else "".join(sorted(moved))
        return side(package("a", f"1+{shown}" if shown else "1")).folder

    def test(self, moved: Moved, lock: LockFolder, *, failing: str) -> Ran:
        assert lock.header
        run = self.tested.count(moved)
        self.tested.append(moved)
        self.failing.append(failing)
        bad = (self.fault <= moved) != self.flaky(moved, run)
        why = "it breaks" if bad else ""
        return Ran(verdict="bad" if bad else "good", why=why, stage="test", seconds=1.0)


class Told:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, bool]] = []

    def __call__(self, moved: Moved, heard: Heard, known: bool) -> None:
        self.lines.append(("".join(sorted(moved)), heard.verdict, known))


def search(
    world: World, folder: Path, *, repeat: int = 1, trust: bool = False, alone: bool = False
) -> Result:
    kept = Kept(str(folder), ("x",))
    kept.read()
    trier = Trier(world, kept, Told(), repeat=repeat)
    return bisected(KNOWN, groups(KNOWN), trier, trust=(trust, trust), alone=alone)


def test_the_ends_are_tested_first_and_their_failure_is_remembered(tmp_path: Path) -> None:
    world = World("d")
    result = search(world, tmp_path)
    assert result.found.between[0].ids == ("d",)
    assert world.tested[:2] == [EVERY, frozenset()]
    assert world.failing == ["", *["test"] * (len(world.tested) - 1)]
    assert len(world.tested) == 2 + 3


def test_sides_that_are_trusted_are_not_tested(tmp_path: Path) -> None:
    world = World("d")
    search(world, tmp_path, trust=True)
    assert len(world.tested) == 3


def test_an_end_that_is_not_what_it_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(NotBetweenError, match=r"the bad side is not bad: it passes the test"):
        search(World("z"), tmp_path / "a")
    with pytest.raises(NotBetweenError, match=r"the good side is not good: .*\(it breaks\)"):
        search(World(""), tmp_path / "b")
    trier = Trier(World("d"), Kept(str(tmp_path), ()), Told())
    with pytest.raises(NotBetweenError, match="nothing that a lock holds moved"):
        bisected(graph(), (), trier, trust=(False, False), alone=False)


def test_a_test_that_fails_a_good_lock_now_and_then_is_refused(tmp_path: Path) -> None:
    world = World("d", flaky=lambda moved, run: not moved and run == 1)
    with pytest.raises(NotBetweenError, match="on the good side it fails 1 of 3 times"):
        search(world, tmp_path, repeat=3)


def test_a_lock_that_fails_once_is_bad_and_the_disagreement_is_told(tmp_path: Path) -> None:
    world = World("d", flaky=lambda moved, run: "d" in moved and run == 0)
    result = search(world, tmp_path, repeat=2)
    assert result.found.between[0].ids == ("d",)
    assert "with 8 moves the test failed 1 of 2 times" in telling.unsteady(result.heard)


def test_what_was_heard_is_not_asked_again(tmp_path: Path) -> None:
    class Ended(World):
        def test(self, moved: Moved, lock: LockFolder, *, failing: str) -> Ran:
            if len(self.tested) == 3:
                raise KeyboardInterrupt
            return super().test(moved, lock, failing=failing)

    first = Ended("d")
    with pytest.raises(KeyboardInterrupt):
        search(first, tmp_path)
    second = World("d")
    result = search(second, tmp_path)
    assert result.found.between[0].ids == ("d",)
    assert len(first.tested) + len(second.tested) == 5
    assert not set(first.tested) & set(second.tested)


def test_a_lock_that_was_tested_is_not_tested_again(tmp_path: Path) -> None:
    world = World("abcdefgh")
    world.same = True
    result = search(world, tmp_path)
    assert len(world.tested) == 2
    assert any(heard.why.startswith("as one before") for _, heard in result.heard)


def test_a_fault_of_two_is_told_with_both(tmp_path: Path) -> None:
    result = search(World("bf"), tmp_path, alone=True)
    assert result.found.between[0].ids == ("f",)
    assert result.partner
    assert result.partner.between[0].ids == ("b",)


def test_a_fault_of_one_needs_nothing(tmp_path: Path) -> None:
    assert search(World("f"), tmp_path, alone=True).partner is None


def test_answers_of_another_question_are_none(tmp_path: Path) -> None:
    kept = Kept(str(tmp_path), ("a",))
    kept.put(frozenset("a"), Heard(verdict="good", lock="x"))
    again = Kept(str(tmp_path), ("a",))
    again.read()
    assert again.answer(frozenset("a")) == Heard(verdict="good", lock="x")
    assert again.same("x")
    other = Kept(str(tmp_path), ("b",))
    other.read()
    assert len(other) == 0
    again.forget()
    again.read()
    assert len(again) == 0
    assert key(("a",)) != key(("b",))


def test_a_state_that_is_cut_off_is_told(tmp_path: Path) -> None:
    (tmp_path / STATE).write_text('{"schema": 1, "ab')
    with pytest.raises(InputError) as caught:
        Kept(str(tmp_path), ()).read()
    assert caught.value.hint == "--restart begins anew"


def test_refusals_leave_the_group_that_cannot_be_parted(tmp_path: Path) -> None:
    class Tied(World):
        def lock(self, moved: Moved) -> LockFolder | Refused:
            if len(moved & {"c", "f"}) == 1:
                return Refused(why="no", instead=moved | {"c", "f"})
            return super().lock(moved)

    result = search(Tied("c"), tmp_path)
    assert {name for group in result.found.between for name in group.ids} == {"c", "f"}
    assert result.found.inseparable
    kept = Kept(str(tmp_path), ("x",))
    kept.read()
    refused = [one for _, one in result.found.asked if one.verdict == "untestable"]
    assert refused == [msgspec.structs.replace(one, why="no") for one in refused]
