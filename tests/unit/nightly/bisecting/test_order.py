"""In which order moves are made."""

from __future__ import annotations

import itertools

from tests.unit.nightly.bisecting.graphs import graph, ids, node

from envbuild.nightly.bisecting.order import closed, groups


def test_what_is_needed_comes_first() -> None:
    found = groups(graph("a", "b", "c", ties=[("a", "b"), ("b", "c")]))
    assert ids(found) == [("c",), ("b",), ("a",)]


def test_those_that_need_each_other_are_one_group_and_it_says_why() -> None:
    found = groups(graph("a", "b", "c", "d", ties=[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]))
    assert ids(found) == [("a", "b", "c"), ("d",)]
    assert {tie.why for tie in found[0].ties} == {
        "a asks for b",
        "b asks for c",
        "c asks for a",
    }


def test_the_riskiest_comes_first_among_those_that_may() -> None:
    known = graph(node("a", "other"), node("b", "abi"), node("c", "security"), ties=[("c", "a")])
    assert ids(groups(known)) == [("b",), ("a",), ("c",)]


def test_what_is_added_comes_with_the_first_who_asks() -> None:
    new = node("new", "added", "added", ("late", "early"))
    known = graph(node("early", "abi"), node("late"), new, ties=[("early", "new"), ("late", "new")])
    assert ids(groups(known)) == [("early", "new"), ("late",)]


def test_what_is_removed_goes_with_the_last_who_asked() -> None:
    gone = node("gone", "removed", "removed", ("late", "early"))
    ties = [("gone", "early"), ("gone", "late"), ("after", "gone")]
    known = graph(node("early", "abi"), node("late"), node("after", "abi"), gone, ties=ties)
    assert ids(groups(known)) == [("early",), ("late", "gone"), ("after",)]


def test_what_comes_for_what_comes_is_with_the_one_who_moves() -> None:
    nodes = (
        node("b", "added", "added", ("a",)),
        node("c", "added", "added", ("b",)),
        node("a"),
        node("z", "abi"),
    )
    known = graph(*nodes, ties=[("a", "b"), ("b", "c")])
    assert ids(groups(known)) == [("z",), ("a", "b", "c")]


def test_nobody_who_asks_is_no_step_of_its_own() -> None:
    known = graph(
        node("a"), node("b"), node("c", "added", "added"), node("d", "removed", "removed")
    )
    assert ids(groups(known)) == [("a", "d"), ("b", "c")]
    assert ids(groups(graph(node("c", "added", "added")))) == [("c",)]
    assert groups(graph()) == ()


def test_the_least_mixture_holds_whole_groups_and_what_they_need() -> None:
    known = graph("a", "b", "c", "d", ties=[("a", "b"), ("b", "a"), ("b", "c")])
    assert closed(["a"], groups(known), known) == {"a", "b", "c"}


def test_a_long_chain_is_no_recursion() -> None:
    names = [f"p{number:05d}" for number in range(3000)]
    known = graph(*names, ties=list(itertools.pairwise(names)))
    assert [group.ids[0] for group in groups(known)] == names[::-1]
