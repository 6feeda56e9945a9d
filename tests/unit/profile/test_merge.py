"""Layers: mappings by key, lists whole or appended, null removes, places follow."""

import pytest

from envbuild.errors import Mark
from envbuild.profile.merge import merge, settle
from envbuild.profile.reader import read


@pytest.mark.parametrize(
    ("lower", "upper", "value"),
    [
        ("a: 1\nb: 2\n", "b: 3\nc: 4\n", {"a": 1, "b": 3, "c": 4}),
        ("a: {x: 1, y: 2}\n", "a: {y: 3}\n", {"a": {"x": 1, "y": 3}}),
        ("a: [1, 2]\n", "a: [3]\n", {"a": [3]}),
        ("a: [1, 2]\n", "a: {append: [3]}\n", {"a": [1, 2, 3]}),
        ("b: 1\n", "a: {append: [3]}\n", {"b": 1, "a": [3]}),
        ("a: {x: 1}\n", "a: {append: [3]}\n", {"a": {"x": 1, "append": [3]}}),
        ("a: 1\n", "a: {append: [3]}\n", {"a": {"append": [3]}}),
        ("a: {append: 1}\n", "a: {append: [3]}\n", {"a": {"append": 1}}),
        ("a: [1]\n", "a: {append: 3}\n", {"a": {"append": 3}}),
        ("a: [1]\n", "a: {append: [2], x: 1}\n", {"a": {"append": [2], "x": 1}}),
        ("a: 1\nb: 2\n", "a:\n", {"b": 2}),
        ("a: {x: 1, y: 2}\n", "a: {x: null}\n", {"a": {"y": 2}}),
        ("b: 1\n", "a: null\n", {"b": 1}),
        ("b: 1\n", "a: {x: null, y: {z: null}}\n", {"b": 1, "a": {"y": {}}}),
        ("a: 1\n", "a: {x: 1}\n", {"a": {"x": 1}}),
        ("a: {x: 1}\n", "a: 1\n", {"a": 1}),
        ("a: [{x: 1, y: 2}]\n", "a: [{x: 3}]\n", {"a": [{"x": 3}]}),
        (
            "a: 1\n",
            "a: [{x: null, y: {append: [1]}}]\n",
            {"a": [{"x": None, "y": {"append": [1]}}]},
        ),
    ],
)
def test_values(lower, upper, value):
    assert merge(settle(read(lower, "low")), read(upper, "up")).value == value


def test_order_is_the_lower_ones_then_the_new():
    merged = merge(read("b: 1\na: 2\nd: 0\n", "low"), read("c: 3\na: 4\nd: null\n", "up"))
    assert list(merged.value) == ["b", "a", "c"]


def test_a_layer_by_itself_is_settled():
    assert settle(read("a: {append: [1]}\nb: null\nc: {d: null}\n", "f")).value == {
        "a": [1],
        "c": {},
    }


def test_places_follow_the_values():
    lower = read("a: {x: [1, 2], y: {z: 1}}\nb: [1]\nc: [5]\nd: {e: 1}\n", "low")
    upper = read("a: {y: 2}\nb: {append: [{k: 2}]}\nc: [6]\nd: null\n", "up")
    merged = merge(lower, upper)
    assert merged.marks == {
        (): Mark("up", 1, 1),
        ("a",): Mark("up", 1, 1),
        ("a", "x"): Mark("low", 1, 5),
        ("a", "x", 0): Mark("low", 1, 9),
        ("a", "x", 1): Mark("low", 1, 12),
        ("a", "y"): Mark("up", 1, 5),
        ("b",): Mark("up", 2, 1),
        ("b", 0): Mark("low", 2, 5),
        ("b", 1): Mark("up", 2, 14),
        ("b", 1, "k"): Mark("up", 2, 15),
        ("c",): Mark("up", 3, 1),
        ("c", 0): Mark("up", 3, 5),
    }
    assert merged.removed == {("d",): Mark("up", 4, 1)}


def test_what_is_merged_is_not_changed():
    lower, upper = read("a: {x: [1]}\n", "low"), read("a: {x: {append: [2]}}\n", "up")
    merge(lower, upper)
    assert lower == read("a: {x: [1]}\n", "low")
    assert upper == read("a: {x: {append: [2]}}\n", "up")
