"""Commands that take minutes: heard line by line as they speak, and logged whole.

With all that :mod:`envbuild.tools.proc` promises: the process is started and ended there.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

from envbuild.tools import proc
from envbuild.tools.proc import Command, Outcome, masked
from envbuild.tools.trouble import cannot_write

LAST = 200
"""Lines of each stream that an outcome holds."""

_LONGEST = 64 * 1024
"""Bytes after which a line without an end is cut, so that memory stays bounded."""

Follower = Callable[[Command, str, Callable[[str], None]], Outcome]
"""What :func:`follow` is: command, path of the log, what hears each line."""


def follow(command: Command, log: str, line: Callable[[str], None]) -> Outcome:
    """Run a command to its end; each line of both streams goes to ``log`` and then to ``line``.

    ``log`` is a path; the command line and what comes is added to its end, each line on disk
    before the next. Lines are masked (:func:`envbuild.tools.proc.masked`) and without their ends;
    of a line that was written over by carriage returns it is what stood there last. ``line`` is
    called by one thread at a time, not by the caller's; what it raises is raised here when the
    command has ended, and no further line is handed to it. The outcome's texts are the last
    :data:`LAST` lines of each stream.

    Raises:
        ToolError: the log cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(os.path.abspath(log)), exist_ok=True)
        file = open(log, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 (closed by _Log)
    except OSError as error:
        raise cannot_write(log, error) from None
    writing = _Log(file, line)
    writing.put(f"$ {command.text()}", heard=False)
    streams = (Lines(writing.put), Lines(writing.put))
    try:
        outcome = proc.run(command, streams)
        if outcome.stderr and not streams[1].text():  # why it was not started
            writing.put(outcome.stderr)
    finally:
        writing.close()
    if isinstance(writing.error, OSError):
        raise cannot_write(log, writing.error)
    if writing.error is not None:
        raise writing.error
    return outcome


class _Log:
    """The log and who hears it: one line at a time, whichever stream it came from."""

    def __init__(self, file: IO[str], line: Callable[[str], None]) -> None:
        self._file = file
        self._line = line
        self._turn = threading.Lock()
        self.error: Exception | None = None
        """The first thing that went wrong in a reader's thread."""

    def put(self, text: str, *, heard: bool = True) -> None:
        with self._turn:
            if self._file.closed:
                return  # a thread at a pipe may outlive the command
            try:
                self._file.write(f"{text}\n")
                if heard and self.error is None:
                    self._line(text)
            except Exception as error:  # noqa: BLE001 (raised by follow, when the command has ended)
                self.error = self.error or error

    def close(self) -> None:
        with self._turn:
            try:
                self._file.close()
            except OSError as error:
                self.error = self.error or error


class Lines:
    """One stream as lines, each given to ``put``; a :class:`envbuild.tools.pipes.Sink`.

    Lines are masked. ``last`` are the last of them, ``size`` the bytes that came.
    """

    def __init__(self, put: Callable[[str], None], *, kept: int = LAST) -> None:
        self._hand_on = put
        self._rest = b""
        self.last: deque[str] = deque(maxlen=kept)
        self.size = 0

    def write(self, data: bytes, /) -> None:
        """Take what came."""
        self.size += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        for one in whole:
            self._put(one)
        if len(self._rest) > _LONGEST:
            self._put(self._rest)
            self._rest = b""

    def text(self) -> str:
        """The last lines, when all has come."""
        if self._rest:
            self._put(self._rest)
            self._rest = b""
        return "".join(f"{one}\n" for one in self.last)

    def _put(self, line: bytes) -> None:
        shown = line.rstrip(b"\r").rpartition(b"\r")[2]
        text = masked(shown.decode("utf-8", "replace"))
        self.last.append(text)
        self._hand_on(text)
