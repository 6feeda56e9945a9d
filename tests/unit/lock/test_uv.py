"""What a failed call of uv means."""

from __future__ import annotations

import signal

import pytest

from envbuild.lock import uv
from envbuild.tools.proc import Command, Outcome

UV = Command(argv=("uv",), environment=())


@pytest.mark.parametrize(
    ("outcome", "kind", "text"),
    [
        (
            Outcome(
                command=UV, seconds=1.0, code=-signal.SIGINT, stdout="", stderr="", timed_out=True
            ),
            "network",
            "no answer after 900 s\n",
        ),
        (
            Outcome(command=UV, seconds=1.0, code=-signal.SIGINT, stdout="", stderr=""),
            "interrupted",
            "ended by signal 2",
        ),
        (
            Outcome(command=UV, seconds=1.0, code=-signal.SIGKILL, stdout="", stderr=""),
            "killed",
            "ended by signal 9",
        ),
        (Outcome(command=UV, seconds=1.0, code=2, stdout="", stderr=""), "failed", "exit code 2"),
    ],
)
def test_how_it_ended(outcome: Outcome, kind: str, text: str) -> None:
    assert uv.failure(outcome) == uv.Failure(kind=kind, text=text)
