"""Every kind of error: what is said of it, and the exit status."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from envbuild.cli.boundary import guarded
from envbuild.cli.main import Session
from envbuild.errors import EnvbuildError, InputError, Mark, Problem, ToolError

Body = Callable[[], int | None]


def run(body: Body, arguments: tuple[str, ...] = ("do",), *, root: Path | None = None) -> int:
    """Run a command with this body as the console script would."""

    @click.group()
    @click.pass_obj
    def group(session: Session) -> None:
        session.root = str(root or ".")

    @group.command("do", context_settings={"ignore_unknown_options": True})
    @click.argument("rest", nargs=-1)
    def command(rest: tuple[str, ...]) -> int | None:
        return body()

    return guarded(group, list(arguments), Session())


def raising(error: BaseException) -> Body:
    def body() -> int:
        raise error

    return body


@pytest.mark.parametrize(("answer", "status"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_the_answer_of_a_command_is_the_status(answer: int | None, status: int) -> None:
    assert run(lambda: answer) == status


@pytest.mark.parametrize(
    ("error", "status"),
    [(EnvbuildError("no"), 1), (InputError("no"), 2), (ToolError("no"), 3)],
)
def test_each_error_has_its_status(
    capsys: pytest.CaptureFixture[str], error: EnvbuildError, status: int
) -> None:
    error.hint = "yes"
    assert run(raising(error)) == status
    assert capsys.readouterr() == ("", "error: no\n  hint: yes\n")


def test_all_problems_are_said_and_then_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    problems = (
        Problem(message="first", mark=Mark("a.yaml", 1, 2), hint="do this"),
        Problem(message="second"),
    )
    assert run(raising(InputError("2 problems", problems=problems))) == 2
    assert capsys.readouterr().err == (
        "a.yaml:1:2: error: first\n  hint: do this\nerror: second\nerror: 2 problems\n"
    )


def test_one_problem_is_not_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(message="wrong", mark=Mark("a.j2", 1, 2), hint="do this")
    error = InputError("a.j2:1:2: wrong", problems=(problem,), hint="do this")
    assert run(raising(error)) == 2
    assert capsys.readouterr().err == "a.j2:1:2: error: wrong\n  hint: do this\n"


def test_a_failed_tool_shows_its_command_and_last_lines(capsys: pytest.CaptureFixture[str]) -> None:
    output = "".join(f"line {number}\n" for number in range(1, 51)) + "https://me:secret@host\n"
    error = ToolError("uv failed with 2", command="uv pip compile", output=output, hint="look")
    assert run(raising(error)) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == [
        "error: uv failed with 2",
        "  command: uv pip compile",
        "  | … 11 lines before (all with --verbose)",
    ]
    assert lines[3] == "  | line 12"
    assert lines[-2:] == ["  | https://***@host", "  hint: look"]
    assert len(lines) == 44


def test_a_bug_leaves_a_report_without_secrets(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ("do", "--index", "https://me:secret@host/simple")
    failing = raising(ValueError("bad https://me:secret@host"))
    assert run(failing, arguments, root=tmp_path) == 4
    assert run(failing, arguments, root=tmp_path) == 4
    said = capsys.readouterr().err
    assert said.splitlines()[:2] == [
        "error: this is a bug in envbuild: ValueError: bad https://***@host",
        f"  hint: please report it with {tmp_path}/.envbuild/report-1.txt",
    ]
    assert "report-2.txt" in said
    report = (tmp_path / ".envbuild/report-1.txt").read_text()
    assert report.startswith("envbuild 0.")
    assert ", Python 3." in report.splitlines()[0]
    assert "\nenvbuild do --index https://***@host/simple\n" in report
    assert "raise error\nValueError: bad https://***@host\n" in report
    assert "secret" not in report + said


def test_a_report_that_cannot_be_written_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / ".envbuild").write_text("a file")
    assert run(raising(ValueError("bad")), root=tmp_path) == 4
    lines = capsys.readouterr().err.splitlines()
    assert "ValueError: bad" in lines
    assert lines[-1] == "  hint: please report it with the lines above"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_signals_are_given_back(sign: signal.Signals) -> None:
    before = signal.getsignal(sign)
    during: list[object] = []
    run(lambda: during.append(signal.getsignal(sign)))
    assert during != [before]
    assert signal.getsignal(sign) is before


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    during: list[object] = []
    try:
        run(lambda: during.append(signal.getsignal(signal.SIGHUP)))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert during == [signal.SIG_IGN]
