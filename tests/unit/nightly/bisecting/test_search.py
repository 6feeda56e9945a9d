"""The search: it ends at the move that broke it, in as few tests as can be."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.nightly.bisecting.graphs import Truth, graph, ids

from envbuild.nightly.bisecting.model import Found, Graph
from envbuild.nightly.bisecting.order import is_closed
from envbuild.nightly.bisecting.search import most_tests, search

NAMES = "abcdefghijklmnopqrstuvwxyz"


def searched(truth: Truth) -> Found:
    return search(truth.groups, truth.ask, start=frozenset(), closed=truth.closed, patience=1000)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 26])
def test_every_move_is_found_in_the_fewest_tests(count: int) -> None:
    names = NAMES[:count]
    for name in names:
        truth = Truth(graph(*names), name)
        assert ids(searched(truth).between) == [(name,)]
        assert len(truth.asked) <= most_tests(count) == math.ceil(math.log2(count))


def test_a_fault_of_two_moves_ends_at_the_one_that_completes_it() -> None:
    found = searched(Truth(graph(*NAMES), "dq"))
    assert ids(found.between) == [("q",)]
    assert "d" in found.low


def test_a_clump_that_cannot_be_tested_is_stepped_over() -> None:
    truth = Truth(graph(*NAMES), "d", skips=lambda moved: 10 <= len(moved) <= 18)
    assert ids(searched(truth).between) == [("d",)]
    assert len(truth.asked) <= 6


def test_what_lies_in_a_clump_is_told_with_all_that_it_could_be() -> None:
    truth = Truth(graph(*NAMES), "m", skips=lambda moved: 0 < len(moved & set("klmn")) < 4)
    found = searched(truth)
    assert {name for group in found.between for name in group.ids} == set("klmn")
    assert {heard.why for heard in found.apart} == {"skipped"}
    assert not found.inseparable


def test_what_only_works_late_is_found_by_the_other_half() -> None:
    truth = Truth(graph(*NAMES), "t", skips=lambda moved: "u" not in moved)
    assert ids(searched(truth).between) == [("t",)]
    assert len(truth.asked) <= 12


def test_patience_ends_and_what_is_left_is_told() -> None:
    truth = Truth(graph(*NAMES), "t", skips=lambda _: True)
    found = search(truth.groups, truth.ask, start=frozenset(), closed=truth.closed, patience=5)
    assert len(truth.asked) in (5, 6)
    assert len(found.between) == 26
    assert not found.inseparable


def test_a_tie_that_no_lock_says_makes_one_group_of_two() -> None:
    truth = Truth(graph(*NAMES), "c", hidden=[("c", "t"), ("t", "c")])
    found = searched(truth)
    assert {name for group in found.between for name in group.ids} == {"c", "t"}
    assert found.inseparable
    assert truth.tests <= 7


def test_a_hidden_need_changes_the_order() -> None:
    for fault in NAMES:
        truth = Truth(graph(*NAMES), fault, hidden=[("a", "z"), ("m", "z"), ("c", "y")])
        assert ids(searched(truth).between) == [(fault,)]


def test_what_the_resolver_would_have_is_no_use_where_it_parts_a_group() -> None:
    known = graph("a", "b", "c", ties=[("b", "c"), ("c", "b")])
    truth = Truth(known, "a", helpful=False, hidden=[("a", "c")])
    assert ids(searched(truth).between) == [("a",)]


# --- Any world -----------------------------------------------------------------------------------


@st.composite
def known_graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 24))
    names = [f"p{number:02d}" for number in range(count)]
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names))
    return graph(*names, ties=draw(st.lists(pairs, max_size=count)))


@given(known_graphs(), st.data())
@settings(max_examples=300, deadline=None)
def test_in_any_graph_the_fault_is_found_and_only_locks_are_asked(
    known: Graph, data: st.DataObject
) -> None:
    names = [node.id for node in known.nodes]
    fault = data.draw(st.sets(st.sampled_from(names), min_size=1, max_size=3))
    truth = Truth(known, fault)
    found = searched(truth)
    (group,) = found.between
    assert set(group.ids) & fault
    assert fault <= found.high
    assert not fault <= found.low
    assert len(truth.asked) <= most_tests(len(truth.groups))


@given(known_graphs(), st.data())
@settings(max_examples=300, deadline=None)
def test_ties_that_nobody_knows_leave_the_least_that_hangs_together(
    known: Graph, data: st.DataObject
) -> None:
    names = [node.id for node in known.nodes]
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names))
    hidden = data.draw(st.lists(pairs, max_size=6))
    fault = data.draw(st.sampled_from(names))
    truth = Truth(known, [fault], hidden=hidden)
    found = searched(truth)
    left = frozenset(name for group in found.between for name in group.ids)
    assert fault in left
    (whole,) = [set(g.ids) for g in Truth(truth.whole, "").groups if fault in g.ids]
    assert left == whole


@given(known_graphs(), st.data(), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_whatever_cannot_be_tested_the_fault_lies_between_the_ends(
    known: Graph, data: st.DataObject, seed: int
) -> None:
    names = [node.id for node in known.nodes]
    fault = data.draw(st.sets(st.sampled_from(names), min_size=1, max_size=2))
    share = data.draw(st.floats(0, 0.9))

    def skips(moved: frozenset[str]) -> bool:
        return random.Random(f"{seed} {sorted(moved)}").random() < share

    truth = Truth(known, fault, skips=skips)
    found = searched(truth)
    assert fault <= found.high
    assert not fault <= found.low
    assert is_closed(found.low, known)
    assert is_closed(found.high, known)
    left = len(found.between)
    inside = [found.low.union(*(g.ids for g in found.between[:n])) for n in range(1, left)]
    assert all(skips(moved) for moved in inside)
