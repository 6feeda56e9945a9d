"""Text to trees: what is text and what is not, where everything stands, what is refused."""

import pytest

from envbuild.errors import InputError, Mark
from envbuild.profile.reader import DEPTH, ENOUGH, read, scan

from .samples import said


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3.10", "3.10"),
        ("on", "on"),
        ("no", "no"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", "Null"),
        ("0", 0),
        ("-7", -7),
        ("1048576", 1048576),
        ("-0", "-0"),
        ("+1", "+1"),
        ("0755", "0755"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, "9" * 19),
        ("'true'", "true"),
        ('"12"', "12"),
        ("''", ""),
        ("=", "="),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_only_a_few_words_are_not_text(written, value):
    found = read(f"key: {written}\n", "f").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_always_text():
    assert read("1: a\ntrue: b\n~: c\n", "f").value == {"1": "a", "true": "b", "~": "c"}


def test_a_block_of_text_keeps_its_form():
    text = "a: |\n  3\n  4\nb: >-\n  one\n  two\n"
    assert read(text, "f").value == {"a": "3\n4\n", "b": "one two"}


def test_every_key_and_item_has_its_place():
    text = "# first\nüml: {x: 1}\nlist:\n  - one\n  - two: [3,\n     4]\n"
    assert read(text, "f").marks == {
        (): Mark("f", 1, 1),
        ("üml",): Mark("f", 2, 1),
        ("üml", "x"): Mark("f", 2, 7),
        ("list",): Mark("f", 3, 1),
        ("list", 0): Mark("f", 4, 5),
        ("list", 1): Mark("f", 5, 5),
        ("list", 1, "two"): Mark("f", 5, 5),
        ("list", 1, "two", 0): Mark("f", 5, 11),
        ("list", 1, "two", 1): Mark("f", 6, 6),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f:1:1: the file is empty // its first line is: schema: 1"),
        ("# only\n", "f:1:1: the file is empty // its first line is: schema: 1"),
        ("---\n", "f:1:1: the file is empty // its first line is: schema: 1"),
        ("- a\n", "f:1:1: expected keys and values // its first line is: schema: 1"),
        ("text\n", "f:1:1: expected keys and values // its first line is: schema: 1"),
        (
            "a: 1\n--- \nb: 2\n",
            "f:2:1: a second document begins here // keep one profile in a file",
        ),
        ("? [a]\n: b\n", "f:1:3: a key must be text // write: key: value"),
        (
            "a: !!int '3'\n",
            (
                "f:1:4: the tag !!int is not part of the format"
                " // remove it; quotes make a value text"
            ),
        ),
        (
            "a: ! 3\n",
            ("f:1:4: the tag ! is not part of the format // remove it; quotes make a value text"),
        ),
        (
            "a: &x [1]\n",
            (
                "f:1:4: &x: anchors and aliases are not part of the format"
                " // write the value out, share it by extends, or quote it if it is text"
            ),
        ),
        (
            "*x : 1\n",
            (
                "f:1:1: *x: anchors and aliases are not part of the format"
                " // write the value out, share it by extends, or quote it if it is text"
            ),
        ),
    ],
)
def test_what_is_refused(text, problem):
    with pytest.raises(InputError) as caught:
        read(text, "f")
    assert said(caught.value.problems) == [problem]
    assert caught.value.message == "f cannot be read"


def test_all_problems_come_together_sorted_by_place():
    text = "a: {b: 1, b: 2}\na: &x 1\nc: [*x, !!str y]\na: 4\n"
    assert said(scan(text, "f").problems) == [
        "f:1:11: 'b' stands twice, first on line 1 // keep one",
        "f:2:1: 'a' stands twice, first on line 1 // keep one",
        (
            "f:2:4: &x: anchors and aliases are not part of the format"
            " // write the value out, share it by extends, or quote it if it is text"
        ),
        (
            "f:3:5: *x: anchors and aliases are not part of the format"
            " // write the value out, share it by extends, or quote it if it is text"
        ),
        ("f:3:9: the tag !!str is not part of the format // remove it; quotes make a value text"),
        "f:4:1: 'a' stands twice, first on line 1 // keep one",
    ]


def test_what_was_wrong_before_a_syntax_error_is_told_too():
    assert said(scan("a: 1\na: 2\nb: [1\n", "f").problems) == [
        "f:2:1: 'a' stands twice, first on line 1 // keep one",
        "f:3:4: the list that opens here is not closed // [one, two]",
    ]


def test_a_repeated_mapping_leaves_a_tree_with_the_keys_of_both():
    found = scan("a: {b: 1}\na: {c: 2}\n", "f")
    assert found.tree is not None
    assert found.tree.value == {"a": {"b": 1, "c": 2}}
    assert len(found.problems) == 1


def test_a_shared_value_leaves_no_tree():
    assert scan("a: &x 1\nb: *x\n", "f").tree is None


def test_nesting_has_an_end():
    fits = "a: " + "[" * (DEPTH - 1) + "]" * (DEPTH - 1) + "\n"
    assert scan(fits, "f").problems == ()
    assert said(scan("a: " + "[" * 500_000, "f").problems) == [
        "f:1:23: nested more than 20 levels deep // close the brackets that are open"
    ]


def test_aliases_cannot_multiply():
    rows = ["a0: &a0 [x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    found = scan("\n".join(rows), "f")
    assert found.tree is None
    assert len(found.problems) == ENOUGH


def test_problems_have_an_end():
    assert len(scan("a: 1\n" * 500, "f").problems) == ENOUGH
    assert scan("a: 1\n" * 500, "f").tree is None
    listed = scan("- {a: 1" + ", a: 1" * (ENOUGH - 1) + "}\n", "f")
    assert said(listed.problems)[0] == (
        "f:1:1: expected keys and values // its first line is: schema: 1"
    )
    assert len(listed.problems) == ENOUGH
