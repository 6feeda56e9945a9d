"""How an engine is called: its program, its environment, and what it says when it fails."""

from __future__ import annotations

from collections.abc import Mapping

from envbuild.engines.model import Engine
from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Command, Outcome, Runner, masked

MINUTES = 60.0
HOURS = 3600.0

LONG = 6 * HOURS
"""Seconds for what moves or builds whole images; Isaac Sim's have 20 GB."""

_LINES = 40
"""Lines of a program's output that an error shows."""


def environment(engine: Engine, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The whole environment of a call: the user's own, and what the engine needs beside it.

    Without SOURCE_DATE_EPOCH: newer builders take it from there and set times by it; the moment
    of a build is what its request says, or none.
    """
    whole = {**environ, **dict(engine.environment)}
    whole.pop("SOURCE_DATE_EPOCH", None)
    return tuple(whole.items())


def call(
    engine: Engine,
    argv: tuple[str, ...],
    *,
    runner: Runner,
    environ: Mapping[str, str],
    timeout: float = 5 * MINUTES,
) -> Outcome:
    """Call the engine with arguments; a failure is an outcome. ``timeout`` in seconds."""
    whole = (*engine.program, *engine.global_options, *argv)
    return runner(Command(argv=whole, environment=environment(engine, environ), timeout=timeout))


def plain(text: str, what: str) -> str:
    """The text, if it can stand alone in a command line.

    Raises:
        InputError: it is empty, begins like an option, or holds a control character.
    """
    if not text or text.startswith("-") or not text.isprintable():
        raise InputError(
            f"{text!r} is no {what}",
            hint=f"a {what} must not be empty, begin with '-' or hold control characters",
        )
    return text


def reference(text: str) -> str:
    """The name or identity of an image, if it can stand alone in a command line.

    Raises:
        InputError: it cannot.
    """
    if " " in text:
        raise InputError(f"{text!r} is no image reference: it holds a blank")
    return plain(text, "image reference")


def last_line(text: str) -> str:
    """The last line that says something, masked, without the words that stand before each error."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("See 'docker", "Run 'docker"))]
    last = lines[-1] if lines else ""
    for prefix in ("docker: ", "Error: ", "ERROR: ", "Error response from daemon: "):
        last = last.removeprefix(prefix)
    return masked(last)


def failed(engine: Engine, doing: str, outcome: Outcome, *, hint: str | None = None) -> ToolError:
    """The error for a call that did not do what it was for; ``doing`` ends ``podman cannot …``."""
    said = outcome.stderr.strip() or outcome.stdout.strip()
    if outcome.missing:
        why = "it is not installed"
    elif outcome.timed_out:
        why = f"no end after {outcome.seconds:.0f} s"
    else:
        why = last_line(said) or f"exit code {outcome.code}"
    return ToolError(
        f"{engine.name} cannot {doing}: {why}",
        hint=hint,
        command=outcome.command.text(),
        output=masked("\n".join(said.splitlines()[-_LINES:])),
    )
