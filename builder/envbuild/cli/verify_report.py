"""What ``envbuild verify`` says of its answers: lines for people, data for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.cli.rebuilding import Rebuilt
from envbuild.cli.verifying import Verdict
from envbuild.errors import EnvbuildError, InputError, ToolError
from envbuild.speech import counted
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.build.layout import Comparison, Group
    from envbuild.cli.console import Console
    from envbuild.lock.moves import Move

_LAST_LINES = 40
"""Lines of a failed program that are shown."""

_NOTED = 5
"""Packages beside the lock's that are named."""

_SHORT = 19
"""Characters of a digest that people compare: ``sha256:`` and twelve digits."""

_INSTRUCTION = 60


class Failure(Struct, frozen=True, kw_only=True):
    """What could not be looked at, or not be built, and why."""

    profile: str
    error: EnvbuildError
    variant: str = ""

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.profile}/{self.variant}" if self.variant else self.profile


Answer = Verdict | Rebuilt | Failure


def good(answer: Answer) -> bool:
    """Whether nothing is to be said against an image."""
    if isinstance(answer, Rebuilt):
        return answer.comparison.identical
    return isinstance(answer, Verdict) and answer.status == "same"


def say(console: Console, answer: Answer) -> None:
    """An answer as lines: what is wrong even with ``--quiet``."""
    if isinstance(answer, Failure):
        _say_failure(console, answer)
    elif isinstance(answer, Verdict):
        _say_verdict(console, answer)
    else:
        _say_rebuilt(console, answer)


def _say_failure(console: Console, failure: Failure) -> None:
    error = failure.error
    for problem in error.problems if isinstance(error, InputError) else ():
        console.problem(problem)
    said = error.message
    console.fail(said if said.startswith(failure.profile) else f"{failure.name}: {said}")
    if isinstance(error, ToolError) and error.output:
        if error.command:
            console.say(f"  command: {error.command}")
        for line in proc.masked(error.output).splitlines()[-_LAST_LINES:]:
            console.say(f"  | {line}")
    console.hint(error.hint)


# --- An image and its lock -----------------------------------------------------------------------


def _say_verdict(console: Console, one: Verdict) -> None:
    name = f"{one.profile}/{one.variant}"
    if one.status == "same":
        still = f", and as it was built ({one.by})" if one.as_built == "same" else ""
        console.say(f"{name}: {_short(one.image)} is what the lock says{still}", style="good")
    elif one.status == "missing":
        console.fail(f"{name}: there is no image {one.image}")
    elif one.as_built == "other" and not one.moves:
        console.fail(f"{name}: {_short(one.image)} is not the image that was built")
    else:
        console.fail(f"{name}: {_short(one.image)} is not what the lock says")
    for line in (*one.reasons, *map(_move, one.moves)):
        console.always(f"  {line}")
    if one.notes:
        names = sorted({move.what for move in one.notes})
        shown = ", ".join(names[:_NOTED]) + (", …" if len(names) > _NOTED else "")
        console.detail(f"  beside the lock, as a base brings them: {shown} ({len(names)})")
    if one.status != "missing" and one.as_built == "unknown":
        console.say(f"  not known: whether it is as it was built: {one.by}")
    if one.signature:
        console.say(f"  signed: {one.signature}")
    if one.as_built == "other" and not one.moves:
        console.hint("was it built elsewhere? --attestation names what was said of that build")
    elif one.status != "same":
        console.hint(f"envbuild build {one.profile} --variant {one.variant}")


def _move(move: Move) -> str:
    here = move.new or "nothing"
    return f"{move.what}: {move.old or 'nothing'} in the lock, {here} in the image"


def _short(image: str) -> str:
    return image[:_SHORT] if image.startswith("sha256:") else image


# --- Two builds ----------------------------------------------------------------------------------


def _say_rebuilt(console: Console, one: Rebuilt) -> None:
    found = one.comparison
    how = f"two builds by {one.engine}" + (", normalised," if one.normalised else "")
    times = ", ".join(f"{seconds:.1f} s" for seconds in one.seconds)
    if found.identical:
        console.say(f"{one.name}: {how} are one image: {found.digests[0]} ({times})", style="good")
        return
    console.fail(f"{one.name}: {how} differ ({times})")
    for group in found.groups:
        for line in _group(group, found, verbose=console.volume > 0):
            console.always(line)
        console.hint(group.hint)


def _group(group: Group, found: Comparison, *, verbose: bool) -> Iterable[str]:
    yield f"  {group.title}: {counted(group.count, 'difference')}"
    shown = group.shown if verbose else group.shown[:_NOTED]
    for one in shown:
        words = " ".join(filter(None, (one.path, one.detail)))
        yield f"    {words}{_where(one.layer, found)}"
    if group.count > len(shown):
        yield f"    … {group.count - len(shown)} more"


def _where(layer: int, found: Comparison) -> str:
    if not layer:
        return ""
    made = " ".join(found.instructions.get(layer, "").split())
    made = made if len(made) <= _INSTRUCTION else f"{made[: _INSTRUCTION - 1]}…"
    return f"  [layer {layer}{': ' if made else ''}{made}]"


# --- For programs --------------------------------------------------------------------------------


def as_data(answer: Answer) -> dict[str, object]:
    """An answer as JSON data: one object a variant."""
    if isinstance(answer, Failure):
        error = answer.error
        problems = error.problems if isinstance(error, InputError) else ()
        return {
            "profile": answer.profile,
            "variant": answer.variant,
            "status": "failed",
            "message": error.message,
            "hint": error.hint,
            "problems": [str(problem) for problem in problems],
        }
    data: dict[str, object] = msgspec.to_builtins(answer)
    if isinstance(answer, Rebuilt):
        return {**data, "status": "identical" if answer.comparison.identical else "differs"}
    return data


def summary(answers: list[Answer]) -> str:
    """All in one line."""
    fine = sum(good(one) for one in answers)
    failed = sum(isinstance(one, Failure) for one in answers)
    wrong = "not the same" if any(isinstance(one, Rebuilt) for one in answers) else "not as locked"
    parts = [f"{fine} good", f"{len(answers) - fine - failed} {wrong}", f"{failed} failed"]
    return f"{counted(len(answers), 'image')}: {', '.join(p for p in parts if p[0] != '0')}"


def exit_status(answers: list[Answer]) -> int:
    """3 where a program failed, else 2 for wrong input, else 1 for an image that is another."""
    errors = (one.error.exit_code for one in answers if isinstance(one, Failure))
    return max((*errors, 0 if all(map(good, answers)) else 1))
