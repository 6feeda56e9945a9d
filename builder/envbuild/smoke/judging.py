"""From what a container left to checks with a verdict. Pure."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import msgspec

from envbuild.smoke.journal import notes
from envbuild.smoke.model import (
    CheckResult,
    Ended,
    Intent,
    Planned,
    Ran,
    Told,
    Traces,
    Trial,
    Verdict,
    VerdictFile,
)
from envbuild.speech import counted
from envbuild.tools import typed

_UNWRITTEN = 74
"""The exit status of a child that could not write its verdict (probes/child.py)."""

_NOT_STARTED = re.compile(
    rb"^.*(?:Failed to (?:startup python extension|import python module)|"
    rb"Exception in extension startup|Failed to resolve extension dependencies).*$",
    re.MULTILINE,
)
"""What Kit logs of an extension that fails, while the app goes on (IsaacSim#69)."""

_SHOWN = 20
"""Lines of a log that are shown with a check."""

_WIDTH = 300


def checks(intent: Intent, ran: Ran) -> tuple[CheckResult, ...]:
    """Every check of the container, in the order of the report."""
    found = [*_static(intent, ran)]
    for test in intent.tests:
        if test.number is None:
            found += _not_run(test, test.reason)
        elif ran.static is None:
            found += _not_run(test, "the probes did not start")
        else:
            trial = intent.plan.tests[test.number]
            found += _test(test, trial, ran.tests[test.number], ran)
    return tuple(found)


def idle(intent: Intent, reason: str) -> tuple[CheckResult, ...]:
    """Every check of a container that is not started, because all of it is run elsewhere."""
    found = [CheckResult(test="image", name="interpreter", verdict="not-run", reason=reason)]
    for check, why in intent.left_out:
        found.append(CheckResult(test="static", name=check, verdict="not-run", reason=why))
    for test in intent.tests:
        found += _not_run(test, test.reason)
    return tuple(found)


def _static(intent: Intent, ran: Ran) -> Iterator[CheckResult]:
    name = "interpreter"
    if ran.static is not None:
        told = f"Python {ran.python} by {intent.interpreter}"
        yield CheckResult(test="image", name=name, verdict="pass", reason=told)
        for one in ran.static:
            yield _result("static", one)
        for check, reason in intent.left_out:
            yield CheckResult(test="static", name=check, verdict="not-run", reason=reason)
        return
    lines = tuple(ran.output.splitlines()[-_SHOWN:])
    why = _status(ran.code) if not ran.timed_out else "it did not end in time"
    told = f"{intent.interpreter} does not run the probes: {why}"
    yield CheckResult(test="image", name=name, verdict="fail", reason=told, lines=lines)
    for check in intent.plan.static.checks:
        told = "the probes did not start"
        yield CheckResult(test="static", name=check, verdict="not-run", reason=told)


def _not_run(test: Planned, reason: str) -> Iterator[CheckResult]:
    for name in test.checks:
        yield CheckResult(test=test.name, name=name, verdict="not-run", reason=reason)


def _result(test: str, told: Told) -> CheckResult:
    return CheckResult(
        test=test,
        name=told.check,
        verdict=told.verdict,
        reason=told.reason,
        seconds=told.seconds,
        lines=told.lines,
    )


# --- One test -------------------------------------------------------------------------------------


def _test(test: Planned, trial: Trial, traces: Traces, ran: Ran) -> Iterator[CheckResult]:
    results, wrong = _verdict(trial, traces)
    if results is None:
        wrong = wrong or _why_none(trial, traces, ran)
        results = _as_far_as_it_came(trial, traces, wrong)
    failing = _failing_extensions(traces)
    for told in results:
        yield _with_log(_result(test.name, told), failing)
    seconds = traces.ended.seconds if traces.ended else 0.0
    yield CheckResult(
        test=test.name,
        name="verdict",
        verdict="fail" if wrong else "pass",
        reason=wrong,
        seconds=seconds,
        lines=_around_the_end(traces) if wrong else (),
    )
    failed = sum(told.verdict == "fail" for told in results)
    yield _close(test.name, trial, traces, failed=failed, judged=not wrong)
    yield _processes(test.name, traces.ended)


def _verdict(trial: Trial, traces: Traces) -> tuple[tuple[Told, ...] | None, str]:
    """The results of the verdict file; None with what is wrong with it, or without one."""
    if traces.verdict is None:
        return None, ""
    try:
        results = typed.decode(traces.verdict, VerdictFile).results
    except msgspec.MsgspecError as error:
        return None, f"the verdict file cannot be read: {error}"
    names = [one.check for one in results]
    if names != [step["check"] for step in trial.steps]:
        return None, f"the verdict file has other checks than the test: {', '.join(names)}"
    return results, ""


def _as_far_as_it_came(trial: Trial, traces: Traces, wrong: str) -> tuple[Told, ...]:
    """The results of a test without a verdict: those of its journal, and what it was doing."""
    done, begun = notes(traces.journal)
    known = {one.check: one for one in done}
    found = []
    for step in trial.steps:
        name = step["check"]
        if name in known:
            found.append(known[name])
        elif name == begun:
            found.append(Told(check=name, verdict="fail", reason=wrong))
        else:
            found.append(Told(check=name, verdict="not-run", reason="the test ended before"))
    return tuple(found)


def _why_none(trial: Trial, traces: Traces, ran: Ran) -> str:
    """Why a test has no verdict."""
    ended = traces.ended
    _, begun = notes(traces.journal)
    where = f" in {begun}" if begun else ""
    if ended is None:
        why = "it did not end in time" if ran.timed_out else _status(ran.code)
        return f"the container ended before the test did{where}: {why}"
    if ended.stopped:
        return f"the test did not end within {trial.deadline:g} s and was stopped{where}"
    if ended.code == _UNWRITTEN or ended.full:
        places = ", ".join(ended.full) or "the verdict cannot be written"
        return f"the disk is full, No space left on device: {places}{where}"
    if ended.killed_for_memory:
        return f"the kernel killed the test{where}: out of memory in the container (oom_kill)"
    return f"the test wrote no verdict{where}: {_status(ended.code)}"


def _status(code: int) -> str:
    """How a process ended, in words."""
    sign = -code if code < 0 else code - 128 if 128 < code < 160 else 0
    if not sign:
        return f"it ended with status {code}"
    try:
        name = signal.Signals(sign).name
    except ValueError:
        name = f"signal {sign}"
    if name == "SIGKILL":
        return "ended by SIGKILL, which the probes did not send: most often for want of memory"
    return f"ended by {name}"


def _around_the_end(traces: Traces) -> tuple[str, ...]:
    """The threads of a test that had to be ended, and the last lines of its errors."""
    errors = dict(traces.logs).get("err", b"").decode(errors="replace").splitlines()
    return (*_threads(traces), *errors[-_SHOWN:])


def _threads(traces: Traces) -> tuple[str, ...]:
    """The stacks of a test that had to be ended, and its threads as the kernel saw them."""
    if traces.ended is None or not traces.ended.stopped:
        return ()
    return (*traces.stacks.splitlines(), *traces.ended.threads)


def _close(test: str, trial: Trial, traces: Traces, *, failed: int, judged: bool) -> CheckResult:
    """How a test ended after its verdict; what is wrong there is a warning."""
    ended = traces.ended
    lines: tuple[str, ...] = ()
    verdict: Verdict = "warn"
    if ended is None or not judged:
        verdict, reason = "not-run", "there was no verdict"
    elif ended.stopped == "close":
        reason = f"close() did not return within {trial.close:g} s: the process was ended"
        lines = _threads(traces)
    elif ended.code < 0:
        reason = f"after its verdict it was {_status(ended.code)}"
    elif ended.code == 0 and failed:  # so ends every SimulationApp (IsaacLab#6573)
        reason = f"its status is 0 although {counted(failed, 'check')} failed: it says nothing"
        verdict = "pass"
    elif ended.code not in (0, 1) or (ended.code == 1 and not failed):
        reason = f"after a good verdict it ended with status {ended.code}"
    else:
        verdict, reason = "pass", ""
    seconds = ended.closing if ended else 0.0
    return CheckResult(
        test=test, name="close", verdict=verdict, reason=reason, seconds=seconds, lines=lines
    )


def _processes(test: str, ended: Ended | None) -> CheckResult:
    name = "processes"
    if ended is None:
        return CheckResult(test=test, name=name, verdict="not-run", reason="nobody could look")
    if not ended.left:
        return CheckResult(test=test, name=name, verdict="pass")
    lines = tuple(f"{one.pid} {one.name}: {one.command}" for one in ended.left)
    count = "a process outlives" if len(lines) == 1 else f"{len(lines)} processes outlive"
    verdict: Verdict = "warn" if ended.stopped else "fail"  # a test that was stopped had no chance
    reason = f"{count} the test: {', '.join(one.command or one.name for one in ended.left)}"
    return CheckResult(test=test, name=name, verdict=verdict, reason=reason[:_WIDTH], lines=lines)


def _failing_extensions(traces: Traces) -> tuple[str, ...]:
    """What the logs say of extensions that did not start, each line once."""
    found: dict[str, None] = {}
    for _, data in traces.logs:
        for match in _NOT_STARTED.finditer(data):
            text = match.group().decode(errors="replace").strip()
            message = text[text.find("[Error]") :] if "[Error]" in text else text
            found.setdefault(message[:_WIDTH])
    return tuple(found)


def _with_log(check: CheckResult, failing: tuple[str, ...]) -> CheckResult:
    """The check of the extensions, with what Kit logged."""
    if check.name != "extensions" or not failing:
        return check
    return CheckResult(
        test=check.test,
        name=check.name,
        verdict="fail",
        reason=check.reason if check.verdict == "fail" else failing[0],
        seconds=check.seconds,
        lines=(*check.lines, *failing[:_SHOWN]),
    )
