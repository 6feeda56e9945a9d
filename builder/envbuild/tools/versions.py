"""Asking a program for its version."""

from __future__ import annotations

import re

from envbuild.errors import ToolError
from envbuild.tools.proc import Command, Runner

_TIMEOUT = 60.0
"""Seconds to answer; conda, the slowest, takes one."""


def ask(
    executable: str,
    environment: tuple[tuple[str, str], ...],
    runner: Runner,
    *,
    pattern: str,
    hint: str,
) -> re.Match[str]:
    """Where the answer to ``--version`` fits a pattern.

    Raises:
        ToolError: the program is missing, or does not say its version.
    """
    argv = (executable, "--version")
    outcome = runner(Command(argv=argv, environment=environment, timeout=_TIMEOUT))
    name = executable.rpartition("/")[2]
    if outcome.missing:
        raise ToolError(f"{name} is missing: {executable}", hint=hint)
    found = re.search(pattern, outcome.stdout)
    if outcome.code or not found:
        raise ToolError(
            f"{name} does not say its version (exit code {outcome.code})",
            hint=hint,
            command=outcome.command.text(),
            output=outcome.stdout + outcome.stderr,
        )
    return found
