"""The errors that envbuild shows, each with its exit code, and the place that an error points at.

Exit codes: 1 the answer is no, 2 the input is wrong, 3 an outside program is missing, too old or
failed. Status 4 (a bug in envbuild) and 130 (interrupted) are given by ``envbuild.cli`` alone.
"""

from __future__ import annotations

from msgspec import Struct


class Mark(Struct, frozen=True, order=True):
    """A place in a file: path as the user would type it, 1-based line and column."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(Struct, frozen=True, kw_only=True):
    """One thing wrong with an input: what, where, and what to do about it."""

    message: str
    mark: Mark | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = f"{self.mark}: " if self.mark else ""
        return f"{place}{self.message}"


class EnvbuildError(Exception):
    """The base of every error that is expected; ``exit_code`` is the process's exit status."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(EnvbuildError):
    """The user's input is wrong: usage, profile, template, or a stale lock."""

    exit_code = 2

    def __init__(
        self, message: str, *, hint: str | None = None, problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class ToolError(EnvbuildError):
    """An outside program is missing, too old, or failed.

    ``command`` is what was run, already masked; ``output`` the last lines that it printed.
    """

    exit_code = 3

    def __init__(
        self, message: str, *, hint: str | None = None, command: str = "", output: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.command = command
        self.output = output
