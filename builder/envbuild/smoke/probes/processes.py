"""Processes of a container: who is there, whose they are, and their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from typing import NamedTuple

_PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans among the descendants become children of this process."""

_TICKS = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """One row of ``/proc``: ``state`` as ps shows it, ``session`` the process that leads it."""

    pid: int
    name: str
    state: str
    parent: int
    session: int


def adopt_orphans() -> bool:
    """Let whatever a child leaves behind become a child of this process; False: not possible."""
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def table() -> list[Process]:
    """Every process that can be seen."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                found.append(_process(int(name)))
    return found


def _process(pid: int) -> Process:
    name, fields = _stat(f"/proc/{pid}/stat")
    return Process(pid, name, fields[0], int(fields[1]), int(fields[3]))


def _stat(path: str) -> tuple[str, list[str]]:
    """The name, and the fields behind it (the name may hold anything, brackets too)."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    begin, end = text.index("("), text.rindex(")")
    return text[begin + 1 : end], text[end + 2 :].split()


def left_by(child: int) -> list[Process]:
    """What lives of an ended child: its session, and every descendant of this process.

    Dead ones that wait for their parent are buried where this process is the parent.
    """
    me, rows = os.getpid(), table()
    ours = {me}
    grown = True
    while grown:
        more = {row.pid for row in rows if row.parent in ours} - ours
        ours |= more
        grown = bool(more)
    left = []
    for row in rows:
        if row.pid == me or not (row.pid in ours or row.session == child):
            continue
        if row.state != "Z":
            left.append(row)
        elif row.parent == me:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(row.pid, os.WNOHANG)
    return left


def end_left(child: int, *, patience: float) -> list[dict[str, object]]:
    """End what a child left behind; who was still there after ``patience`` seconds, named."""
    until = time.monotonic() + patience
    left = left_by(child)
    while left and time.monotonic() < until:
        time.sleep(0.02)
        left = left_by(child)
    named = [{"pid": one.pid, "name": one.name, "command": _command(one)} for one in left]
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for one in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one.pid, sign)
        until = time.monotonic() + 2.0
        while left and time.monotonic() < until:
            time.sleep(0.02)
            left = left_by(child)
    return named


def signal_group(leader: int, sign: int) -> None:
    """Send to the process group of a child that leads one; nothing where it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, sign)


def threads(pid: int) -> list[str]:
    """The threads of a process as the kernel sees them, busiest first: name, state, seconds."""
    rows = []
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                called, fields = _stat(f"/proc/{pid}/task/{name}/stat")
                seconds = (int(fields[11]) + int(fields[12])) / _TICKS
                rows.append((seconds, f"thread {name} ({called}) {fields[0]} {seconds:.1f} s"))
    return [text for _, text in sorted(rows, reverse=True)]


def _command(process: Process) -> str:
    with contextlib.suppress(OSError):
        with open(f"/proc/{process.pid}/cmdline", "rb") as file:
            words = file.read(2000).decode("utf-8", "replace").split("\0")
        return " ".join(words).strip()[:200]
    return ""
