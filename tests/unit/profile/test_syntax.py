"""Text that is no YAML is explained in our words, whichever of PyYAML's parsers read it."""

import pytest
import yaml

from envbuild.profile.syntax import LIMIT, explained, unreadable

from .samples import said

COLUMN = (
    "the indentation fits nothing above it // what belongs together begins in the same column; "
    "a value with ': ' in it needs quotes"
)
COLON = "a colon cannot stand here // quote a text that has ': ' in it, or check the indentation"
QUOTE = "the quote that opens here is not closed // close it on the same line"
ESCAPE = "this escape is not known // single quotes keep a backslash as it is"
BRACKETS = "a value is expected here // brackets come in pairs; quote one that is text"
ANCHOR = "anchors and aliases are not part of the format // quote it"
TAG = "tags are not part of the format // quote a text that begins with !"
BLOCK = "the text of | and > begins on the next line // indent it with spaces"

SENTENCES = [
    ("a: 'x\nb: 1\n", "1:4", QUOTE),
    ('a: "x\n---\n', "1:4", QUOTE),
    ("a: b: c\n", "1:5", COLON),
    ("a: 1\n b: 2\n", "2:3", COLON),
    ("- a: 1\n b: 2\n", "2:2", COLUMN),
    ("a:\n - x\n- y\n", "3:1", COLUMN),
    ("a: 'b' c\n", "1:8", COLUMN),
    ("{a: 1}}\n", "1:7", COLUMN),
    (
        "a: - b\n",
        "1:4",
        (
            "a list item cannot begin here"
            " // put it on a line of its own, in the column of the other items"
        ),
    ),
    ("a: 1\nabc\n", "2:1", "this is neither a key nor a value // write: key: value"),
    ("a: [1, 2\nb: 3\n", "1:4", "the list that opens here is not closed // [one, two]"),
    ("a: {b: 1\nc: 2\n", "1:4", "the mapping that opens here is not closed // {key: value}"),
    ("a: @x\n", "1:4", "a value cannot begin with this character // quote the value"),
    ("a: ]\n", "1:4", BRACKETS),
    ("a: ? b\n", "1:4", "a ? cannot stand here // write: key: value"),
    ("a: *\n", "1:5", ANCHOR),
    ("a: &\n", "1:5", ANCHOR),
    ("a: !x!y z\n", "1:4", TAG),
    ("a: |x\n  y\n", "1:5", BLOCK),
    ("%x y\n", None, "a line cannot begin with % // quote the value"),
    ('a: "\\q"\n', None, ESCAPE),
    ('a: "\\x1"\n', None, ESCAPE),
]


@pytest.mark.parametrize("loader", ["CBaseLoader", "BaseLoader"])
@pytest.mark.parametrize(("text", "place", "sentence"), SENTENCES)
def test_sentences(loader, text, place, sentence):
    if loader == "BaseLoader" and text.startswith("%"):
        text = "%YAML x\n"
    with pytest.raises(yaml.YAMLError) as caught:
        list(yaml.parse(text, Loader=getattr(yaml, loader)))
    (found,) = said(explained(caught.value, text, "f"))
    assert found.split(": ", 1)[1] == sentence
    if place:
        assert found.split(": ", 1)[0] == f"f:{place}"


def test_a_sentence_that_is_not_known_is_shown_as_it_is():
    mark = yaml.Mark("f", 0, 2, 4, None, 0)
    error = yaml.MarkedYAMLError("while dreaming", None, "found a sheep", mark)
    assert said(explained(error, "", "f")) == [
        "f:3:5: not YAML: while dreaming found a sheep // None"
    ]


@pytest.mark.parametrize("loader", ["CBaseLoader", "BaseLoader"])
def test_characters_that_cannot_stand_there_are_named(loader):
    text = "ü: 1\r\nb: [\x07, \x00]\n"
    with pytest.raises(yaml.YAMLError) as caught:
        list(yaml.parse(text, Loader=getattr(yaml, loader)))
    hint = "remove it, and save the file as UTF-8"
    assert said(explained(caught.value, text, "f")) == [
        f"f:2:5: the character U+0007 cannot stand in YAML // {hint}",
        f"f:2:8: the character U+0000 cannot stand in YAML // {hint}",
    ]


def test_half_a_character_is_named():
    text = "a: \udcff\n"
    with pytest.raises(UnicodeEncodeError) as caught:
        yaml.CBaseLoader(text)
    assert said(explained(caught.value, text, "f")) == [
        (
            "f:1:4: the character U+DCFF cannot stand in YAML"
            " // remove it, and save the file as UTF-8"
        )
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n\tb: 1\n", "f:2:1: a tab indents this line // indent with spaces"),
        (
            "a:\n  \tb: 1\n\tc: 2\n",
            "f:2:3: a tab indents this line and 1 more // indent with spaces",
        ),
        (
            "\ufeffa: 1\n",
            "f:1:1: the file begins with a byte order mark // save it as UTF-8 without one",
        ),
        (
            "x" * (LIMIT + 1),
            (
                "f:1:1: 1048577 characters are too many; a file has at most 1048576"
                " // is this the right file?"
            ),
        ),
    ],
)
def test_text_that_is_not_even_tried(text, problem):
    assert said(unreadable(text, "f")) == [problem]


@pytest.mark.parametrize("text", ["a:\tb\n", "a: b\t# c\n", "\t# note\na: 1\n", "a: 1\n\t\n", ""])
def test_tabs_elsewhere_are_harmless(text):
    assert unreadable(text, "f") == ()
