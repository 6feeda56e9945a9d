"""One test: its steps in their order, the verdict on the disk, and only then the end."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
import time
from typing import IO, Any

from . import results, running, steps
from .results import FAIL, NOT_RUN, Result

FULL = 74
"""Exit status of a child whose verdict could not be written (EX_IOERR)."""

_HERE = os.path.dirname(os.path.abspath(__file__))


def main(path: str, out: str, number: int) -> int:
    """Run a test of a plan; the exit status says whether a check failed."""
    with open(path, encoding="utf-8") as file:
        plan = json.load(file)
    test: dict[str, Any] = plan["tests"][number]
    place = running.Place(out, number)
    with open(place.of("stacks"), "wb") as stacks:
        _watch(stacks, float(test["deadline"]))
        state = steps.State(numpy=plan["numpy"], network=plan["network"])
        sys.argv = ["envbuild-smoke"]  # apps read it, and take what they do not know as settings
        try:
            found = _all(test, state, place.of("journal"))
        except KeyboardInterrupt:  # the deadline: its stacks are written, and nothing else is said
            os._exit(130)
        code = int(any(one["verdict"] == FAIL for one in found))
        try:
            results.write_whole(place.of("verdict.json"), {"schema": 1, "results": found})
        except OSError as error:
            sys.stderr.write(f"the verdict cannot be written: {error}\n")
            sys.stderr.flush()
            os._exit(FULL)
        _watch(stacks, float(test["close"]))
        _close(state, code)
        return code


def _watch(stacks: IO[bytes], seconds: float) -> None:
    """Have the stacks of all threads written at a deadline, by a thread that needs no lock."""
    faulthandler.enable()
    faulthandler.dump_traceback_later(seconds, exit=False, file=stacks)
    faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)


def _all(test: dict[str, Any], state: steps.State, journal: str) -> list[Result]:
    found: list[Result] = []
    stopped = ""
    with open(journal, "w", encoding="utf-8", errors="backslashreplace") as file:
        for step in test["steps"]:
            if stopped:
                found.append(results.result(step["check"], NOT_RUN, stopped))
                continue
            _note(file, {"begin": step["check"]})
            one = _one(step, state)
            found.append(one)
            _note(file, {"result": one})
            if one["verdict"] == FAIL and step["do"] == "launch":
                stopped = "the app did not start"
    return found


def _one(step: dict[str, Any], state: steps.State) -> Result:
    began = time.monotonic()
    try:
        verdict, reason = steps.do(step, state)
        one = results.result(step["check"], verdict, reason)
    except KeyboardInterrupt:
        raise
    except steps.StepFailedError as error:
        one = results.result(step["check"], FAIL, str(error), lines=error.lines)
    except BaseException as error:  # noqa: BLE001 (SystemExit too: an app that gives up ends so)
        one = results.failed(step["check"], error, hidden=_HERE)
    one["seconds"] = round(time.monotonic() - began, 3)
    return one


def _note(file: IO[str], value: dict[str, Any]) -> None:
    """One line of the journal; a full disk is told of by the verdict."""
    with contextlib.suppress(OSError):
        file.write(f"{json.dumps(value)}\n")
        file.flush()


def _close(state: steps.State, code: int) -> None:
    """Close the app, if there is one; the interpreter's own end is then left out."""
    if state.app is None:
        return
    try:
        state.app.close()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
