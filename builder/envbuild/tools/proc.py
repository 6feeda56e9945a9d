"""The one place that starts processes.

No shell; standard input closed or given whole; one reader thread a pipe, to its end, so that
neither can block the other and no line is lost; a process group of its own, ended as a group.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO

from msgspec import Struct

from envbuild.tools import interrupts

_GRACE = 3.0
"""Seconds that a group has to end after SIGINT, and again after SIGTERM, before SIGKILL."""

_LINGER = 2.0
"""Seconds that the children of a program which has ended may still hold its pipes open."""

_MASKS = (
    (r"(?<=://)[^/\s'\"]+(?=@)", "***"),
    (r"(?<=/t/)[^/\s'\"]+(?=/)", "***"),
    (
        r"(?i)\b(\w*(?:token|password|passwd|secret|api[_-]?key)[=:] ?)[^\s&'\"]+",
        r"\1***",
    ),
    (r"(?i)\b((?:bearer|basic) )[\w.~+/=-]{8,}", r"\1***"),
    (r"\b(?:gh[pousr]_|github_pat_|glpat-|pypi-|hf_|nvapi-)[\w-]{8,}", "***"),
)
"""What opens doors and what stands for it; compiled when something is printed."""


class Command(Struct, frozen=True, kw_only=True):
    """What to run. ``environment`` is the child's whole environment; ``timeout`` in seconds."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None
    stdin: str = ""
    timeout: float = 600.0

    def text(self) -> str:
        """The command line as a shell would read it, secrets masked."""
        return masked(shlex.join(self.argv))


class Outcome(Struct, frozen=True, kw_only=True):
    """What happened. ``code`` is negative for a signal, 127 when the program is ``missing``."""

    command: Command
    code: int
    stdout: str
    stderr: str
    seconds: float
    missing: bool = False
    timed_out: bool = False


Runner = Callable[[Command], Outcome]


def masked(text: str) -> str:
    """The text without what opens doors.

    Hidden are user names and passwords in URLs, values of settings that are called token,
    password, secret or key, and tokens that show what they are by their first letters.
    """
    for pattern, mask in _MASKS:
        text = re.sub(pattern, mask, text)
    return text


class Processes:
    """The processes of one owner: run from any thread, stopped together from another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes] | None] = set()
        self._stopped = False

    def run(self, command: Command) -> Outcome:
        """Run a command to its end. A missing program and a failure are outcomes, no exceptions.

        After :meth:`stop_all` nothing is started any more: the outcome is that of a command which
        SIGINT has ended.
        """
        started = time.monotonic()
        process: subprocess.Popen[bytes] | None = None
        pipes: _Pipes | None = None
        timed_out = False
        try:
            with interrupts.held():
                process = self._start(command)
                if process is None:
                    return _failed(command, -signal.SIGINT, "stopped before it was started")
                pipes = _Pipes(process, command.stdin)
            timed_out = not pipes.wait(started + command.timeout)
            if timed_out:
                _end((process,))
        except OSError as error:
            if process is None:
                return _not_started(command, error)
            _end((process,))
            raise
        except BaseException:
            if process is not None:
                _end((process,))
            raise
        finally:
            if pipes is not None:
                pipes.drain()
            with self._lock:
                self._running.discard(process)
        return Outcome(
            command=command,
            code=process.returncode,
            stdout=pipes.text("stdout"),
            stderr=pipes.text("stderr"),
            seconds=time.monotonic() - started,
            timed_out=timed_out,
        )

    def stop_all(self) -> None:
        """End every process that :meth:`run` has started and that still lives; start no more."""
        with self._lock:
            self._stopped = True
            processes = tuple(filter(None, self._running))
        _end(processes)

    def _start(self, command: Command) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(
                command.argv,
                stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=command.cwd,
                env=dict(command.environment),
                start_new_session=True,
            )
            self._running.add(process)
            return process


_ours = Processes()


def run(command: Command) -> Outcome:
    """:meth:`Processes.run` for the processes of this program."""
    return _ours.run(command)


def stop_all() -> None:
    """:meth:`Processes.stop_all` for the processes of this program."""
    _ours.stop_all()


class _Pipes:
    """The threads at the pipes of one process; what was read so far is never lost."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: str) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._read: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._threads = [
            threading.Thread(
                target=_drain, args=(process.stdout, self._read["stdout"]), daemon=True
            ),
            threading.Thread(
                target=_drain, args=(process.stderr, self._read["stderr"]), daemon=True
            ),
        ]
        if process.stdin is not None:
            feed = threading.Thread(target=_feed, args=(process.stdin, stdin.encode()), daemon=True)
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

    def drain(self) -> None:
        """Read what is left; who still holds a pipe after that belongs to the group, and ends."""
        deadline = time.monotonic() + _LINGER
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            _signal(self._process, signal.SIGKILL)
            for thread in self._threads:
                thread.join(_LINGER)

    def text(self, name: str) -> str:
        return bytes(self._read[name]).decode("utf-8", "replace")


def _drain(pipe: IO[bytes], into: bytearray) -> None:
    with pipe:
        while data := os.read(pipe.fileno(), 65536):
            into += data


def _feed(pipe: IO[bytes], data: bytes) -> None:
    try:
        with pipe:
            pipe.write(data)
    except BrokenPipeError:
        pass  # the program did not want all of it: its exit code tells the rest


def _not_started(command: Command, error: OSError) -> Outcome:
    program = command.argv[0]
    words = (error.strerror or str(error)).lower()
    if command.cwd is not None and error.filename == command.cwd:
        return _failed(command, 126, f"{command.cwd}: {words}")
    missing = isinstance(error, (FileNotFoundError, NotADirectoryError, PermissionError))
    return _failed(command, 127 if missing else 126, f"{program}: {words}", missing=missing)


def _failed(command: Command, code: int, stderr: str, *, missing: bool = False) -> Outcome:
    return Outcome(
        command=command, code=code, stdout="", stderr=stderr, seconds=0.0, missing=missing
    )


def _end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """INT, TERM, KILL to the groups, each only as long as the one before did not help."""
    started = tuple(processes)
    living = list(started)
    for sign in (signal.SIGINT, signal.SIGTERM):
        living = [process for process in living if _signal(process, sign)]
        deadline = time.monotonic() + _GRACE
        living = [process for process in living if not _ended(process, deadline)]
    for process in started:  # also what a program has left behind in its group
        _signal(process, signal.SIGKILL)
        process.wait()


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _signal(process: subprocess.Popen[bytes], sign: signal.Signals) -> bool:
    """Send to the group; False when nobody is left in it."""
    try:
        os.killpg(process.pid, sign)
    except (ProcessLookupError, PermissionError):
        process.poll()
        return False
    return True
