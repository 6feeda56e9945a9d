"""Layers keep their laws: merging is associative, and each key is merged as its kind asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trees import paths

from envbuild.errors import Mark
from envbuild.profile.merge import merge, settle
from envbuild.profile.reader import Tree

pytestmark = pytest.mark.property


def _layer(file):
    """Layers in which a key is of one kind: text, a mapping, or a list."""

    def tree(value):
        marks = {path: Mark(file, 1, number + 1) for number, path in enumerate(paths(value))}
        return Tree(value=value, marks=marks)

    text = st.one_of(st.none(), st.integers(0, 3))
    items = st.lists(st.one_of(st.integers(0, 3), st.just({"k": None})), max_size=3)
    listed = st.one_of(st.none(), items, items.map(lambda value: {"append": value}))
    inner = st.fixed_dictionaries({}, optional={"t1": text, "t2": text, "l1": listed})
    mapping = st.one_of(st.none(), inner)
    outer = st.fixed_dictionaries(
        {},
        optional={"t1": text, "t2": text, "l1": listed, "l2": listed, "m1": mapping, "m2": mapping},
    )
    return outer.map(tree)


A, B, C = _layer("a"), _layer("b"), _layer("c")


def says_nothing_relative(value):
    """No null and no ``append`` where a layer can have one."""
    return all(
        part is not None
        and (
            not isinstance(part, dict) or (set(part) != {"append"} and says_nothing_relative(part))
        )
        for part in value.values()
    )


@given(A, B)
def test_a_merged_tree_says_nothing_relative_and_every_part_has_a_place(a, b):
    merged = merge(settle(a), b)
    assert says_nothing_relative(merged.value)
    assert merged.marks.keys() == set(paths(merged.value))


@given(A)
def test_a_settled_tree_stays_as_it_is(a):
    settled = settle(a)
    assert settle(settled).value == settled.value
    empty = Tree(value={}, marks={(): Mark("e", 1, 1)})
    assert merge(settled, empty).value == settled.value
    assert merge(settled, settled).value == settled.value


@given(A, B, C)
def test_merging_is_associative_where_layers_say_nothing_relative(a, b, c):
    a, b, c = settle(a), settle(b), settle(c)
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    assert left.value == right.value
    assert left.marks == right.marks


@given(A, B)
def test_each_key_is_merged_as_its_kind_asks(a, b):
    low, merged = settle(a).value, merge(settle(a), b).value
    for key in low.keys() | b.value.keys():
        old, new = low.get(key), b.value.get(key)
        if key not in b.value:
            assert merged[key] == old
        elif new is None:
            assert key not in merged
        elif not isinstance(new, dict):
            assert merged[key] == new
        elif key.startswith("l"):
            assert merged[key] == (old or []) + new["append"]
        else:
            assert merged[key].keys() >= {k for k, v in new.items() if v is not None}


@given(A, B)
def test_places_belong_to_the_layer_that_wrote_them(a, b):
    settled = settle(a)
    merged = merge(settled, b)
    for path, mark in merged.marks.items():
        top = path[0] if path else None
        if top is not None and top not in b.value:
            assert mark == settled.marks[path]
        if len(path) == 1 and top in b.value:
            assert mark.file == "b"
