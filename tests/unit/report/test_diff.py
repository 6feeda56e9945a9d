"""What moved, as text and as Markdown, whatever the values hold."""

from __future__ import annotations

import pytest

from envbuild.lock.moves import Move
from envbuild.report.diff import Diff, as_markdown, text
from envbuild.report.plain import code, markdown, printable

MOVES = (
    Move(
        risk="abi", what="numpy", old="1.26.0", new="2.2.6", why="other C-API", variants=("a", "b")
    ),
    Move(risk="added", what="x", new="1", variants=("a",)),
    Move(risk="removed", what="y", old="2", variants=("a", "b")),
)
DIFF = Diff(old="main:one", new="one", variants=("a", "b"), moves=MOVES)


def test_text() -> None:
    assert text(DIFF).splitlines() == [
        "main:one -> one: 3 things moved",
        "",
        "ABI-breaking",
        "  numpy  1.26.0 -> 2.2.6  other C-API",
        "",
        "Added",
        "  x  + 1  [a]",
        "",
        "Removed",
        "  y  - 2",
    ]


def test_a_table() -> None:
    assert as_markdown(DIFF).splitlines() == [
        "### `main:one` → `one`",
        "",
        "| Risk | What | Old | New | Why | Variants |",
        "| --- | --- | --- | --- | --- | --- |",
        "| ABI-breaking | `numpy` | `1.26.0` | `2.2.6` | other C-API | all |",
        "| Added | `x` | | `1` | | `a` |",
        "| Removed | `y` | `2` | | | all |",
    ]


def test_nothing_moved() -> None:
    same = Diff(old="a", new="b", variants=(), moves=())
    assert text(same) == "a -> b: nothing moved"
    assert as_markdown(same).endswith("Nothing moved.")


HOSTILE = (
    "a|b",
    "a\\|b",
    "`x` | y",
    "``",
    "<script>alert(1)</script>",
    "line\nbreak\r| new | row |",
    "[text](https://evil.example)",
    "@everyone see #1",
    "**bold** _it_ ~~no~~",
    "&lt;",
    "\x1b[31mred\u202eback",
)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_in_its_cell(value: str) -> None:
    move = Move(risk="major", what=value, old=value, new=f"{value}2", why=value, variants=(value,))
    found = as_markdown(Diff(old=value, new=value, variants=("other",), moves=(move,)))
    *_, row = lines = found.split("\n")
    assert len(lines) == 5
    assert row.count("|") == 7
    assert "\x1b" not in found
    assert "\u202e" not in found


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_does_not_move_the_cursor(value: str) -> None:
    move = Move(risk="major", what=value, old="1", new=value, why=value)
    shown = text(Diff(old=value, new=value, variants=(), moves=(move,)))
    assert len(shown.split("\n")) == 4
    assert all(c.isprintable() or c == "\n" for c in shown)


def test_marks_in_a_sentence_mean_nothing() -> None:
    shown = markdown("see <b> *x* [y](http://z) @me #12 a_b")
    for mark in ("<", "*", "[", "_", "@me", "#12", "http://z"):
        assert mark not in shown
    assert markdown("asked for by x (>=1)") == "asked for by x (&#62;=1)"


def test_code() -> None:
    assert code("") == code("\n") == ""
    assert code("1.0+cu128") == "`1.0+cu128`"
    assert code("a`|\\") == "<code>a&#96;&#124;&#92;</code>"
    assert printable("a\tb\x00") == "a b?"
