"""Commands that print data on stdout and talk on stderr: the data whole, the talk line by line.

With all that :mod:`envbuild.tools.proc` promises: the process is started and ended there. Neither
a flood of data nor one of talk takes memory or disk beyond a bound.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import IO

from msgspec import Struct

from envbuild.tools import proc
from envbuild.tools.following import Lines
from envbuild.tools.proc import Command, Outcome
from envbuild.tools.trouble import cannot_write

ANSWER = 64 << 20
"""Bytes of data that are kept; an answer that is longer is none."""

HEAD = 1 << 20
TAIL = 3 << 20
"""Bytes of talk that a log holds of its beginning and of its end: what fails stands at the end."""

LAST = 40
"""Lines that :class:`Heard` holds."""


class Heard(Struct, frozen=True, kw_only=True):
    """What a command said. ``answer`` is its data, None where that was too much; ``last`` are the
    last lines of its talk, masked; ``size`` the bytes of the talk before anything was left out."""

    outcome: Outcome
    answer: bytes | None
    last: tuple[str, ...]
    size: int


Hearer = Callable[[Command, str, Callable[[str], None]], Heard]
"""What :func:`hear` is: command, path of the log, what hears each line."""


def hear(command: Command, log: str, line: Callable[[str], None]) -> Heard:
    """Run a command to its end; each line of its talk goes to ``log`` and then to ``line``.

    ``log`` is a path; the command line and what comes is added to its end, masked, the first
    :data:`HEAD` bytes at once and the last :data:`TAIL` when the command has ended; a line between
    says how many are missing. ``line`` is called by another thread and must not raise.

    Raises:
        ToolError: the log cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(os.path.abspath(log)), exist_ok=True)
        file = open(log, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 (closed by _Log)
    except OSError as error:
        raise cannot_write(log, error) from None
    writing = _Log(file)
    writing.put(f"$ {command.text()}")
    answer = _Answer()

    def put(text: str) -> None:
        writing.put(text)
        line(text)

    talk = Lines(put, kept=LAST)
    try:
        outcome = proc.run(command, (answer, talk))
        if outcome.stderr and not talk.size:  # why it was not started
            talk.write(f"{outcome.stderr}\n".encode())
    finally:
        talk.text()
        writing.close()
    if writing.error is not None:
        raise cannot_write(log, writing.error)
    return Heard(outcome=outcome, answer=answer.whole(), last=tuple(talk.last), size=talk.size)


def add(log: str, lines: Iterable[str]) -> None:
    """Add lines to the end of a log.

    Raises:
        ToolError: it cannot be written.
    """
    try:
        with open(log, "a", encoding="utf-8") as file:
            file.writelines(f"{one}\n" for one in lines)
    except OSError as error:
        raise cannot_write(log, error) from None


class _Answer:
    """Data up to a bound; a :class:`envbuild.tools.pipes.Sink`."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._over = False

    def write(self, data: bytes, /) -> None:
        self._over = self._over or len(self._data) + len(data) > ANSWER
        if self._over:
            self._data.clear()  # half an answer is none
        else:
            self._data += data

    def text(self) -> str:
        return ""

    def whole(self) -> bytes | None:
        """All of it; None where it was too much."""
        return None if self._over else bytes(self._data)


class _Log:
    """A log with a beginning on the disk and an end in memory; what is between is counted."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._room = HEAD
        self._held: deque[str] = deque()
        self._holding = 0
        self._lost = 0
        self._turn = threading.Lock()
        self.error: OSError | None = None
        """The first thing that went wrong."""

    def put(self, text: str) -> None:
        with self._turn:
            if self._file.closed:
                return  # a thread at a pipe may outlive the command
            if self._room > 0:
                self._room -= len(text) + 1
                self._write(text)
                return
            self._held.append(text)
            self._holding += len(text) + 1
            while self._holding > TAIL:
                gone = len(self._held.popleft()) + 1
                self._holding -= gone
                self._lost += gone

    def close(self) -> None:
        with self._turn:
            if self._lost:
                self._write(f"[… {self._lost:,} bytes are left out here …]")
            for text in self._held:
                self._write(text)
            try:
                self._file.close()
            except OSError as error:
                self.error = self.error or error

    def _write(self, text: str) -> None:
        if self.error is None:
            try:
                self._file.write(f"{text}\n")
            except OSError as error:
                self.error = error
