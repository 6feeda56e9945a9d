"""What is said where, and that it is clear without colour."""

from __future__ import annotations

import io

import pytest

from envbuild.cli.console import Console, wants_color
from envbuild.errors import Mark, Problem
from envbuild.plan import Step

PROBLEM = Problem(message="wrong", mark=Mark("a.yaml", 2, 3), hint="right")


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "wanted"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_wants_color(choice: str, environ: dict[str, str], terminal: bool, wanted: bool) -> None:
    assert wants_color(choice, environ, terminal=terminal) is wanted


def test_data_and_talk_go_their_own_ways(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console({})
    console.data("data")
    console.json({"a": [1]})
    console.say("talk")
    console.detail("more talk")
    console.fail("failed")
    assert capsys.readouterr() == ('data\n{\n  "a": [\n    1\n  ]\n}\n', "talk\nerror: failed\n")


def test_quiet_leaves_errors_and_data(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console({}, volume=-1)
    console.data("data")
    console.say("talk")
    console.step(Step(kind="lock", target="a", action="run", reason="new"), "done", 1.0)
    console.fail("failed", kind="warning")
    console.problem(PROBLEM)
    said = capsys.readouterr()
    assert said.out == "data\n"
    assert said.err == "warning: failed\na.yaml:2:3: error: wrong\n  hint: right\n"


def test_verbose_says_more(capsys: pytest.CaptureFixture[str]) -> None:
    Console({}, volume=1).detail("more talk")
    assert capsys.readouterr().err == "more talk\n"


def test_steps_and_plans(capsys: pytest.CaptureFixture[str]) -> None:
    steps = (
        Step(kind="lock", target="isaac-g1", action="run", reason="not locked yet"),
        Step(kind="lock", target="a", action="skip", reason="fresh"),
    )
    console = Console({})
    console.plan(steps)
    console.step(steps[0], "12 packages", 1.26)
    assert capsys.readouterr() == (
        "run  lock isaac-g1  not locked yet\nskip lock a         fresh\n",
        "lock isaac-g1: 12 packages (1.3 s)\n",
    )


@pytest.mark.parametrize(
    ("column", "line", "shown"),
    [
        (1, "name: x", "  2 | name: x\n    | ^\n"),
        (7, "name: x\r\n", "  2 | name: x\n    |       ^\n"),
        (2, "\tname", "  2 |  name\n    |  ^\n"),
        (1, "\x1b[31mred\u202e", "  2 | ?[31mred?\n    | ^\n"),
        (250, "x" * 300, f"  2 | {'x' * 100}\n    | {' ' * 49}^\n"),
        (300, "x" * 300, f"  2 | {'x' * 50}\n    | {' ' * 49}^\n"),
    ],
)
def test_a_problem_points_at_its_place(
    capsys: pytest.CaptureFixture[str], column: int, line: str, shown: str
) -> None:
    console = Console({})
    console.source = lambda label: ["first", line] if label == "a.yaml" else []
    console.problem(Problem(message="wrong", mark=Mark("a.yaml", 2, column)))
    assert capsys.readouterr().err == f"a.yaml:2:{column}: error: wrong\n{shown}"


@pytest.mark.parametrize("mark", [None, Mark("a.yaml", 0, 1), Mark("a.yaml", 9, 1)])
def test_a_place_that_is_nowhere_is_not_shown(
    capsys: pytest.CaptureFixture[str], mark: Mark | None
) -> None:
    console = Console({})
    console.source = lambda _: ["only line"]
    console.problem(Problem(message="wrong", mark=mark))
    assert "only line" not in capsys.readouterr().err


def test_nothing_that_is_said_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console({})
    console.fail("a\x1b[2Jb\rc")
    console.hint("d\x07e")
    console.problem(Problem(message="f\x9bg\tü"))
    assert capsys.readouterr().err == "error: a?[2Jb?c\n  hint: d?e\nerror: f?g ü\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_live_line_is_gone_with_the_next_output(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    console = Console({})
    console.live("1 of 2")
    console.live("2 of 2")
    console.say("done")
    console.say("and more")
    erase = "\r\x1b[2K"
    assert terminal.getvalue() == f"1 of 2{erase}2 of 2{erase}done\nand more\n"


@pytest.mark.parametrize(("environ", "volume"), [({"TERM": "dumb"}, 0), ({}, -1), ({}, 1)])
def test_no_live_line_where_it_would_be_in_the_way(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], volume: int
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    Console(environ, volume=volume).live("1 of 2")
    assert terminal.getvalue() == ""


def test_no_live_line_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Console({}).live("1 of 2")
    assert capsys.readouterr().err == ""
