"""What is written is read back, with a place for every part."""

import json
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trees import PLAIN, Quoting, paths

from envbuild.profile.reader import DEPTH, read, scan

pytestmark = pytest.mark.property

TREES = st.dictionaries(st.text(string.printable, max_size=5), PLAIN, max_size=5)


@given(TREES, st.booleans())
def test_what_is_written_is_read_back(tree, flow):
    text = yaml.dump(tree, Dumper=Quoting, default_flow_style=flow, allow_unicode=True)
    found = scan(text, "f")
    assert found.problems == ()
    assert found.tree is not None
    assert json.dumps(found.tree.value, sort_keys=True) == json.dumps(tree, sort_keys=True)
    assert found.tree.marks.keys() == set(paths(tree))


@given(st.integers(1, DEPTH - 1))
def test_what_is_not_too_deep_is_read(depth):
    assert read("a: " + "[" * depth + "]" * depth, "f").value["a"] is not None
