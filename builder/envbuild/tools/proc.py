"""The one place that starts processes.

No shell; standard input closed or given whole; one reader thread a pipe, to its end, so that
neither can block the other and no line is lost; a process group of its own, ended as a group.
What is heard line by line, and logged, stands in :mod:`envbuild.tools.following`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from envbuild.tools import interrupts
from envbuild.tools.pipes import Pipes, Sink, Whole

GRACE = 3.0
"""Seconds that a group usually has to end after SIGINT, and again after SIGTERM, before SIGKILL."""

_POLL = 0.02
"""Seconds between two looks at a group whose first process has ended."""

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
    """What to run. ``environment`` is the child's whole environment; ``timeout`` in seconds.

    ``inner_first``: to end it, SIGINT goes to what it has started before it goes to itself. podman
    dies of a signal and leaves the step of a build running that it has begun; when the step fails
    by itself, it cleans up. ``grace`` are the seconds that it has to end after each of SIGINT and
    SIGTERM: a program that ends children of its own needs more than they do.
    """

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None
    stdin: str = ""
    timeout: float = 600.0
    inner_first: bool = False
    grace: float = GRACE

    def text(self) -> str:
        """The command line as a shell would read it, secrets masked."""
        return masked(shlex.join(self.argv))


class Outcome(Struct, frozen=True, kw_only=True):
    """What happened. ``code`` is negative for a signal, 127 when the program is ``missing``.

    ``stopped``: it was never started, since :meth:`Processes.stop_all` had been called.
    """

    command: Command
    code: int
    stdout: str
    stderr: str
    seconds: float
    missing: bool = False
    timed_out: bool = False
    stopped: bool = False


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
        self._running: dict[subprocess.Popen[bytes], Command] = {}
        self._stopped = False

    def run(self, command: Command, sinks: tuple[Sink, Sink] | None = None) -> Outcome:
        """Run a command to its end. A missing program and a failure are outcomes, no exceptions.

        ``sinks`` take its output and its errors; without them the outcome holds both whole. After
        :meth:`stop_all` nothing is started any more: the outcome is that of a command which
        SIGINT has ended, and is marked as ``stopped``.
        """
        heard = sinks or (Whole(), Whole())
        started = time.monotonic()
        process: subprocess.Popen[bytes] | None = None
        pipes: Pipes | None = None
        timed_out = False
        try:
            with interrupts.held():
                process = self._start(command)
                if process is None:
                    return _stopped(command)
                pipes = Pipes(process, command.stdin, heard)
            timed_out = not pipes.wait(started + command.timeout)
            if timed_out:
                _end({process: command})
        except OSError as error:
            if process is None:
                return _not_started(command, error)
            _end({process: command})
            raise
        except BaseException:
            if process is not None:
                _end({process: command})
            raise
        finally:
            if pipes is not None and process is not None and not pipes.drained():
                _signal(process, signal.SIGKILL)  # whoever holds a pipe now is of its group
                pipes.drained()
            with self._lock:
                if process is not None:
                    self._running.pop(process, None)
        return Outcome(
            command=command,
            code=process.returncode,
            stdout=heard[0].text(),
            stderr=heard[1].text(),
            seconds=time.monotonic() - started,
            timed_out=timed_out,
        )

    def stop_all(self) -> None:
        """End every process that :meth:`run` has started and that still lives; start no more."""
        with self._lock:
            self._stopped = True
            processes = dict(self._running)
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
            self._running[process] = command
            return process


_ours = Processes()


def run(command: Command, sinks: tuple[Sink, Sink] | None = None) -> Outcome:
    """:meth:`Processes.run` for the processes of this program."""
    return _ours.run(command, sinks)


def stop_all() -> None:
    """:meth:`Processes.stop_all` for the processes of this program."""
    _ours.stop_all()


def clean(command: Command) -> Outcome:
    """Run a command that tidies up: after :func:`stop_all` too, and whole before another Ctrl-C."""
    with interrupts.held():
        return Processes().run(command)


def _not_started(command: Command, error: OSError) -> Outcome:
    program = command.argv[0]
    words = (error.strerror or str(error)).lower()
    if command.cwd is not None and error.filename == command.cwd:
        return _failed(command, 126, f"{command.cwd}: {words}")
    missing = isinstance(error, (FileNotFoundError, NotADirectoryError, PermissionError))
    return _failed(command, 127 if missing else 126, f"{program}: {words}", missing=missing)


def _stopped(command: Command) -> Outcome:
    return Outcome(
        command=command,
        code=-signal.SIGINT,
        stdout="",
        stderr="stopped before it was started",
        seconds=0.0,
        stopped=True,
    )


def _failed(command: Command, code: int, stderr: str, *, missing: bool = False) -> Outcome:
    return Outcome(
        command=command, code=code, stdout="", stderr=stderr, seconds=0.0, missing=missing
    )


def _end(processes: Mapping[subprocess.Popen[bytes], Command]) -> None:
    """INT, TERM, KILL to the groups, each only as long as the one before did not help.

    A group is waited for, not its first process alone: podman ends at once, while a child of it
    still ends the step of a build, which runs outside of the group.
    """
    inner = [one for one, command in processes.items() if command.inner_first and _interrupt(one)]
    grace = max((command.grace for command in processes.values()), default=GRACE)
    deadline = time.monotonic() + grace
    living = [one for one in processes if one not in inner or not _ended(one, deadline)]
    for sign in (signal.SIGINT, signal.SIGTERM):
        living = [process for process in living if _signal(process, sign)]
        deadline = time.monotonic() + grace
        living = [process for process in living if not _ended(process, deadline)]
    for process in processes:  # also what a program has left behind in its group
        _signal(process, signal.SIGKILL)
        process.wait()


def _interrupt(process: subprocess.Popen[bytes]) -> bool:
    """Send SIGINT to the group without its first process; False when that is alone."""
    inner = [number for number in _members(process) if number != process.pid]
    for number in inner:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGINT)
    return bool(inner)


def _members(process: subprocess.Popen[bytes]) -> list[int]:
    """Who lives in the group. An ended one may stay in it until somebody asks how it ended."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            state, _, group = file.read().rpartition(b")")[2].split()[:3]
            if int(group) == process.pid and state != b"Z":
                found.append(int(name))
    return found


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    while left := _members(process):
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL)
    return not left


def _signal(process: subprocess.Popen[bytes], sign: signal.Signals) -> bool:
    """Send to the group; False when nobody is left in it."""
    try:
        os.killpg(process.pid, sign)
    except (ProcessLookupError, PermissionError):
        process.poll()
        return False
    return True
