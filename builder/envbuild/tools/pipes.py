"""The pipes of one process: read and fed by a thread each, so that none can block another.

Processes are started, and ended, by :mod:`envbuild.tools.proc` alone.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from typing import IO, Protocol

_LINGER = 2.0
"""Seconds that the children of a program which has ended may still hold its pipes open."""


class Sink(Protocol):
    """Where the bytes of one pipe go; called by one thread."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes; must not raise, since nobody would read the pipe any more."""

    def text(self) -> str:
        """What the outcome shall say of it, when all has come."""


class Whole(bytearray):
    """A sink that keeps everything."""

    def write(self, data: bytes, /) -> None:
        """Keep the next bytes."""
        self += data

    def text(self) -> str:
        """All of it as text; bytes that are none are replaced."""
        return bytes(self).decode("utf-8", "replace")


class Pipes:
    """The threads at the pipes of one process; what was read so far is never lost."""

    def __init__(
        self, process: subprocess.Popen[bytes], stdin: str, sinks: tuple[Sink, Sink]
    ) -> None:
        self._process = process
        self._threads = [
            threading.Thread(target=_drain, args=(pipe, sink), daemon=True)
            for pipe, sink in zip((process.stdout, process.stderr), sinks, strict=True)
        ]
        if process.stdin is not None:
            data = stdin.encode("utf-8", "surrogateescape")  # bytes that are no text come as that
            feed = threading.Thread(target=_feed, args=(process.stdin, data), daemon=True)
            self._threads.append(feed)
        for thread in self._threads:
            thread.start()

    def wait(self, deadline: float) -> bool:
        """Wait until the process has ended; False when it still runs at ``deadline``.

        The ends of the pipes are waited for first: Popen.wait with a timeout polls, which costs
        up to 50 ms a process. A process may also end while its children hold the pipes.
        """
        while time.monotonic() < deadline:
            for thread in self._threads:
                thread.join(min(_LINGER, max(0.0, deadline - time.monotonic())))
                if thread.is_alive() and self._process.poll() is not None:
                    return True
            if not any(thread.is_alive() for thread in self._threads):
                break
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def drained(self) -> bool:
        """Read what is left; False when somebody still holds a pipe."""
        deadline = time.monotonic() + _LINGER
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)


def _drain(pipe: IO[bytes], into: Sink) -> None:
    with pipe:
        while data := os.read(pipe.fileno(), 65536):
            into.write(data)


def _feed(pipe: IO[bytes], data: bytes) -> None:
    try:
        with pipe:
            pipe.write(data)
    except BrokenPipeError:
        pass  # the program did not want all of it: its exit code tells the rest
