"""What a container left, and what is said of it: one row a way to end."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.smoke import judging
from envbuild.smoke.model import Left, Told, Traces
from tests.unit.smoke.values import BASE, SMOKE, ended, intent, ran, written

MADE = intent(BASE + SMOKE)
TRIAL = MADE.plan.tests[0]
GOOD = written(TRIAL)
BAD = written(TRIAL, **{"import:numpy": "ValueError: no"})


def journal(*notes: dict[str, object]) -> bytes:
    return b"".join(msgspec.json.encode(note) + b"\n" for note in notes)


BEGUN = journal(
    {"begin": "import:numpy"},
    {"result": {"check": "import:numpy", "verdict": "pass", "reason": "1.26.4"}},
    {"begin": "numpy-submodules"},
)


def judged(traces: Traces, **values):
    found = judging.checks(MADE, ran(traces, **values))
    return {one.id: one for one in found}


def told(found, name: str) -> tuple[str, str]:
    one = found[f"packages/{name}"]
    return one.verdict, one.reason


ROWS = {
    # what was left → the verdict of `verdict`, `close`, `processes`, with words of the reason
    "good": (Traces(ended=ended(), verdict=GOOD), "pass", "pass", "pass", ""),
    "failed": (Traces(ended=ended(1), verdict=BAD), "pass", "pass", "pass", ""),
    "failed with status 0": (
        Traces(ended=ended(0), verdict=BAD),
        "pass",
        "pass",
        "pass",
        "its status is 0 although 1 check failed",
    ),
    "status 3 behind a good verdict": (
        Traces(ended=ended(3), verdict=GOOD),
        "pass",
        "warn",
        "pass",
        "after a good verdict it ended with status 3",
    ),
    "crash behind a good verdict": (
        Traces(ended=ended(-11), verdict=GOOD),
        "pass",
        "warn",
        "pass",
        "after its verdict it was ended by SIGSEGV",
    ),
    "close that hangs": (
        Traces(ended=ended(-9, stopped="close"), verdict=GOOD, stacks="in close"),
        "pass",
        "warn",
        "pass",
        "close() did not return within 60 s",
    ),
    "hang": (
        Traces(ended=ended(-9, stopped="run"), journal=BEGUN, stacks="in spin"),
        "fail",
        "not-run",
        "pass",
        "did not end within 300 s and was stopped in numpy-submodules",
    ),
    "status 0 and no verdict": (
        Traces(ended=ended(0), journal=BEGUN),
        "fail",
        "not-run",
        "pass",
        "wrote no verdict in numpy-submodules: it ended with status 0",
    ),
    "killed": (
        Traces(ended=ended(-9), journal=BEGUN),
        "fail",
        "not-run",
        "pass",
        "ended by SIGKILL, which the probes did not send",
    ),
    "killed for memory": (
        Traces(ended=ended(-9, killed_for_memory=True), journal=BEGUN),
        "fail",
        "not-run",
        "pass",
        "out of memory in the container (oom_kill)",
    ),
    "full disk": (
        Traces(ended=ended(74, full=("/tmp",)), journal=BEGUN),
        "fail",
        "not-run",
        "pass",
        "No space left on device: /tmp",
    ),
    "verdict cut off": (
        Traces(ended=ended(0), verdict=GOOD[:40]),
        "fail",
        "not-run",
        "pass",
        "the verdict file cannot be read",
    ),
    "verdict of another": (
        Traces(ended=ended(0), verdict=b'{"schema": 1, "results": []}'),
        "fail",
        "not-run",
        "pass",
        "has other checks than the test",
    ),
    "verdict of a later format": (
        Traces(ended=ended(0), verdict=b'{"schema": 2, "results": []}'),
        "fail",
        "not-run",
        "pass",
        "the verdict file cannot be read",
    ),
    "process left": (
        Traces(ended=ended(left=(Left(pid=9, name="kit", command="kit --x"),)), verdict=GOOD),
        "pass",
        "pass",
        "fail",
        "a process outlives the test: kit --x",
    ),
    "process left by one that was stopped": (
        Traces(
            ended=ended(-9, stopped="close", left=(Left(pid=9, name="kit", command=""),)),
            verdict=GOOD,
        ),
        "pass",
        "warn",
        "warn",
        "a process outlives the test: kit",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_way_to_end_has_its_verdict(name):
    traces, verdict, close, processes, words = ROWS[name]
    found = judged(traces)
    assert told(found, "verdict")[0] == verdict
    assert told(found, "close")[0] == close
    assert told(found, "processes")[0] == processes
    assert any(words in one.reason for one in found.values())


@pytest.mark.parametrize("name", ROWS)
def test_every_check_of_the_plan_is_reported_once_and_nothing_else(name):
    traces = ROWS[name][0]
    names = [one.name for one in judging.checks(MADE, ran(traces)) if one.test == "packages"]
    assert tuple(names) == MADE.tests[0].checks


def test_a_test_that_is_stopped_keeps_what_it_had_and_shows_its_threads():
    traces = Traces(
        ended=ended(-9, stopped="run", threads=("thread 1 (x) R 9.0 s",)),
        journal=BEGUN,
        stacks="Thread 1\n  in spin",
        logs=(("err", b"last words"),),
    )
    found = judged(traces)
    assert told(found, "import:numpy") == ("pass", "1.26.4")
    assert told(found, "numpy-submodules")[0] == "fail"
    assert told(found, "numpy-one-root") == ("not-run", "the test ended before")
    lines = found["packages/verdict"].lines
    assert lines == ("Thread 1", "  in spin", "thread 1 (x) R 9.0 s", "last words")


def test_a_container_that_ended_early_fails_the_tests_that_it_had_not_run():
    found = judged(Traces(), code=137)
    assert "the container ended before the test did" in told(found, "verdict")[1]
    assert "SIGKILL" in told(found, "verdict")[1]
    assert told(found, "processes")[0] == "not-run"


def test_a_container_without_a_word_of_the_probes_has_no_interpreter():
    found = judging.checks(
        MADE, ran(static=None, code=127, output="exec: /opt/venv/bin/python: not found")
    )
    by_id = {one.id: one for one in found}
    assert by_id["image/interpreter"].verdict == "fail"
    assert by_id["image/interpreter"].lines == ("exec: /opt/venv/bin/python: not found",)
    assert {one.verdict for one in found if one.test != "image"} == {"not-run"}


def test_the_static_stage_is_passed_on():
    one = Told(check="packages", verdict="fail", reason="x", lines=("y",))
    found = judged(Traces(ended=ended(), verdict=GOOD), static=(one,))
    assert found["static/packages"].lines == ("y",)
    assert found["image/interpreter"].reason == "Python 3.11.7 by /opt/venv/bin/python"


def test_a_test_that_is_not_run_has_each_of_its_checks_not_run():
    text = "\n    smoke: [{name: a, needs: gpu, imports: [torch]}, {name: b, imports: [x]}]\n"
    made = intent(BASE + text)
    traces = Traces(ended=ended(), verdict=written(made.plan.tests[0]))
    found = judging.checks(made, ran(traces))
    own = [one for one in found if one.test == "a"]
    assert {(one.verdict, one.reason) for one in own} == {
        ("not-run", "needs a GPU (this machine has no GPU)")
    }
    assert tuple(one.name for one in own) == made.tests[0].checks
