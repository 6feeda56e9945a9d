"""Texts that are made safe."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from envbuild.report import plain

ANY = st.text(st.characters(exclude_categories=()))


class Thing(msgspec.Struct):
    path: str
    more: tuple[str, ...] = ()


def test_json_is_what_it_was_for_plain_values():
    assert plain.as_json({"a": [1, "ü"]}) == '{\n  "a": [\n    1,\n    "ü"\n  ]\n}'


def test_json_escapes_what_moves_a_cursor():
    text = plain.as_json({"\x9b": "\x1b[31m \x7f \u202e \U000e0001"})
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == {"\x9b": "\x1b[31m \x7f \u202e \U000e0001"}


def test_json_holds_bytes_that_are_no_utf_8():
    assert json.loads(plain.as_json(Thing("/a\udcff", ("\ud800",)))) == {
        "path": "/a\\udcff",
        "more": ["\\ud800"],
    }


@given(ANY)
def test_no_text_breaks_json(text):
    made = plain.as_json(Thing(text))
    assert made.replace("\n", "").isprintable()
    made.encode()
    read = json.loads(made)["path"]
    assert read == text.encode("utf-8", "backslashreplace").decode()


@given(ANY)
def test_printable_is_one_line_that_can_be_shown(text):
    assert plain.printable(text).isprintable()
