"""The patterns of the format hold to the end of the text."""

import json
import re

import msgspec
import pytest

from envbuild.profile.model import Environment
from envbuild.profile.words import Line

PATTERNS = sorted(
    set(
        re.findall(r'"pattern": ("[^\n]*")', json.dumps(msgspec.json.schema(Environment), indent=0))
    )
)


@pytest.mark.parametrize("pattern", [json.loads(pattern) for pattern in PATTERNS])
def test_no_pattern_ends_before_a_last_line_feed(pattern):
    assert pattern.startswith("^")
    assert pattern.endswith("$(?!\\n)")


def test_there_are_patterns():
    assert len(PATTERNS) > 20


@pytest.mark.parametrize(
    "text", ["a\n", "\n", "a\rb", "\x00", "\x1b[0m", "\x7f", "\x85", "\u2028", "\u2029"]
)
def test_a_line_is_one_line(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Line)
