"""What ``envbuild build`` says of its outcomes: lines for people, data for programs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from envbuild.errors import EnvbuildError, InputError, ToolError
from envbuild.speech import counted
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.cli.building import Outcome
    from envbuild.cli.console import Console
    from envbuild.diagnose.diagnosis import Finding
    from envbuild.workspace import Workspace

_LAST_LINES = 40
"""Lines of a failed build that are shown; the log has them all."""

_FINDINGS = 2
"""Diagnoses that are shown: the causes come first."""


def say(console: Console, outcome: Outcome, workspace: Workspace) -> None:
    """How a variant ended."""
    target = f"{outcome.profile}/{outcome.variant}" if outcome.variant else outcome.profile
    if outcome.error is not None:
        _say_error(console, target, outcome.error)
        if outcome.log:
            _say_diagnosis(console, workspace, outcome.log)
        console.hint(outcome.error.hint)
        return
    built = outcome.built
    if built is None:
        console.say(f"{target}: {outcome.status}: {outcome.reason}")
    elif outcome.status == "unchanged":
        console.say(f"{target}: {outcome.reason}")
    else:
        size = f"{built.size / 1e6:.0f} MB"
        names = ", ".join(built.tags)
        console.say(f"{target}: {names} ({built.seconds:.1f} s, {size})", style="good")
        console.detail(f"  {built.identity}")
    if built is not None and built.digest:
        console.say(f"  pushed: {built.digest}")


def _say_error(console: Console, target: str, error: EnvbuildError) -> None:
    problems = error.problems if isinstance(error, InputError) else ()
    for problem in problems:
        console.problem(problem)
    if len(problems) != 1 or problems[0].message not in error.message:
        said = error.message
        console.fail(said if said.startswith(target.partition("/")[0]) else f"{target}: {said}")
    if isinstance(error, ToolError):
        lines = proc.masked(error.output).splitlines()
        if error.command:
            console.say(f"  command: {error.command}")
        for line in lines if console.volume > 0 else lines[-_LAST_LINES:]:
            console.say(f"  | {line}")


def _say_diagnosis(console: Console, workspace: Workspace, log: str) -> None:
    """What the log of a failed build proves, where a signature fits."""
    for finding in diagnosis(workspace, log)[:_FINDINGS]:
        console.say(f"  diagnosis: {finding.title} [{finding.id}]", style="hint")
        console.say(f"    cause: {finding.cause}")
        console.say(f"    fix: {finding.fix}")


def diagnosis(workspace: Workspace, log: str) -> tuple[Finding, ...]:
    """The failures that a log shows for certain, causes first; ``log`` is relative to the
    workspace. Signatures of the user that cannot be read are left out."""
    from envbuild.diagnose.diagnosis import diagnose  # 60 ms, for a build that has failed
    from envbuild.diagnose.index import Index
    from envbuild.diagnose.lines import blocks
    from envbuild.diagnose.scan import Scan
    from envbuild.knowledge import signaturebook
    from envbuild.tools import logs

    signatures = signaturebook.shipped()
    with contextlib.suppress(InputError):  # envbuild explain tells of those
        signatures += signaturebook.own(workspace.knowledge("signatures")).signatures
    try:
        with logs.opened(workspace.path(log)) as opened:
            scan = Scan(Index(signatures))
            scan.read(blocks(opened.chunks()))
            found = diagnose(scan, log=opened.label, notes=tuple(opened.notes))
    except InputError:
        return ()
    return tuple(one for one in found.findings if not one.generic)


def as_data(outcome: Outcome, workspace: Workspace) -> dict[str, object]:
    """An outcome as JSON data: one object a variant."""
    built, error = outcome.built, outcome.error
    found: dict[str, object] = {
        "profile": outcome.profile,
        "variant": outcome.variant,
        "status": outcome.status,
        "reason": outcome.reason,
    }
    if built is not None:
        found |= {
            "reference": built.reference,
            "tags": built.tags,
            "identity": built.identity,
            "digest": built.digest,
            "engine": built.origin.engine,
            "builder": built.builder,
            "base-digest": built.base_digest,
            "lock-digest": built.lock_digest,
            "seconds": built.seconds,
            "size": built.size,
            "fetched": outcome.fetched,
            "hermetic": built.origin.network == "none",
            "not-hermetic": outcome.online,
        }
    if error is not None:
        problems = error.problems if isinstance(error, InputError) else ()
        found |= {"message": error.message, "hint": error.hint}
        found |= {"problems": [str(one) for one in problems]} if problems else {}
        if outcome.log:
            findings = diagnosis(workspace, outcome.log)
            found["diagnosis"] = [
                {"id": one.id, "title": one.title, "fix": one.fix} for one in findings
            ]
    found["log"] = outcome.log or (built.log if built else "")
    return found


def summary(outcomes: list[Outcome]) -> str:
    """All in one line."""
    order = ("built", "unchanged", "failed", "skipped")
    counts = {status: sum(one.status == status for one in outcomes) for status in order}
    parts = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    return f"{counted(len(outcomes), 'variant')}: {parts or 'none'}"


def exit_status(outcomes: list[Outcome]) -> int:
    """3 where a program failed, else 2 for wrong input, else 1 for an image that was refused."""
    return max((one.error.exit_code for one in outcomes if one.error), default=0)
