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
from collections.abc import Callable

from msgspec import Struct

_GRACE = (3.0, 3.0)
"""Seconds that a group has to end after SIGINT, and then after SIGTERM, before SIGKILL."""

_MASKS = (
    (re.compile(r"(?<=://)[^/\s@]+(?=@)"), "***"),
    (re.compile(r"(?i)\b((?:\w*(?:token|password|secret|api[_-]?key))=)\S+"), r"\1***"),
)

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


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
    """The text with user names and passwords of URLs and values of secret-like settings hidden."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def run(command: Command) -> Outcome:
    """Run a command to its end. A missing program and a failure are outcomes, not exceptions."""
    started = time.monotonic()
    try:
        process = _start(command)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        return Outcome(
            command=command, code=127, stdout="", stderr=str(error), seconds=0.0, missing=True
        )
    streams: dict[str, bytes] = {}
    readers = [
        threading.Thread(target=_drain, args=(pipe, streams, name), daemon=True)
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr))
    ]
    feeder = threading.Thread(target=_feed, args=(process, command.stdin.encode()), daemon=True)
    for thread in (*readers, feeder):
        thread.start()
    timed_out = False
    try:
        process.wait(timeout=command.timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        _end(process)
    except BaseException:
        _end(process)
        raise
    finally:
        with _lock:
            _running.discard(process)
    for thread in (*readers, feeder):
        thread.join(timeout=5.0)
    return Outcome(
        command=command,
        code=process.returncode,
        stdout=streams.get("stdout", b"").decode("utf-8", "replace"),
        stderr=streams.get("stderr", b"").decode("utf-8", "replace"),
        seconds=time.monotonic() - started,
        timed_out=timed_out,
    )


def stop_all() -> None:
    """End every process that :func:`run` has started and that still lives."""
    with _lock:
        processes = tuple(_running)
    for process in processes:
        _end(process)


def _start(command: Command) -> subprocess.Popen[bytes]:
    with _lock:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=command.cwd,
            env=dict(command.environment),
            start_new_session=True,
        )
        _running.add(process)
        return process


def _drain(pipe: object, streams: dict[str, bytes], name: str) -> None:
    streams[name] = pipe.read()  # type: ignore[attr-defined]


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        pass  # the program did not want all of it: its exit code tells the rest


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign, grace in ((signal.SIGINT, _GRACE[0]), (signal.SIGTERM, _GRACE[1])):
        if not _signal(process, sign):
            return
        try:
            process.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            continue
        return
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], sign: signal.Signals) -> bool:
    try:
        os.killpg(process.pid, sign)
    except ProcessLookupError:
        process.wait()
        return False
    return True
