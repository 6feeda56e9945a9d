"""One test in a fresh child: its start, its deadline, its end, and what it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Any

from . import machine, processes

_START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "supervise.py")
_FILES = ("out", "err", "journal", "stacks", "verdict.json", "kit.log")
_GRACE = 2.0
"""Seconds that a test has to end after SIGINT, and again after SIGTERM, before SIGKILL."""

_DUMPING = 1.0
"""Seconds that a test has to write down the stacks of its threads, at most."""

_PATIENCE = 1.0
"""Seconds that what a test has started may live longer than the test."""


class Place:
    """Where the files of a test are: ``place.of("verdict.json")``."""

    def __init__(self, out: str, number: int) -> None:
        self._start = os.path.join(out, f"{number:02d}")
        self.out = out

    def of(self, name: str) -> str:
        """The path of a file of this test."""
        return f"{self._start}.{name}"

    def open_to_all(self) -> None:
        """Let the host read the files, whoever it is and whatever the image's umask."""
        for name in _FILES:
            with contextlib.suppress(OSError):
                os.chmod(self.of(name), 0o644)


class Running:
    """A child that was started."""

    def __init__(self, plan: str, out: str, number: int, seed: str) -> None:
        self.place = Place(out, number)
        self.began = time.monotonic()
        self.began_at = time.time()
        with open(self.place.of("out"), "wb") as told, open(self.place.of("err"), "wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, _START, "--child", plan, out, str(number)],
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=errors,
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self.judged: float | None = None
        """When the verdict was seen."""

    def wait(self, until: float) -> bool:
        """Wait for the end of the child; False when it still runs at a moment."""
        while self.process.poll() is None:
            now = time.monotonic()
            if now >= until:
                return False
            time.sleep(0.005 if now - self.began < 0.5 else 0.02)
        return True

    def wait_for_verdict(self, until: float) -> bool:
        """Wait for the verdict or the end of the child; False when there is neither in time."""
        while not os.path.exists(self.place.of("verdict.json")):
            if self.wait(min(until, time.monotonic() + 0.02)):
                break
            if time.monotonic() >= until:
                return os.path.exists(self.place.of("verdict.json"))
        self.judged = time.monotonic()
        return True

    def stop(self) -> list[str]:
        """End the child and its group; first its threads are written down, by itself and here."""
        pid = self.process.pid
        rows = processes.threads(pid)
        until = time.monotonic() + _DUMPING
        with contextlib.suppress(ProcessLookupError):
            if not _size(self.place.of("stacks")):
                os.kill(pid, signal.SIGUSR1)
            while not _size(self.place.of("stacks")) and time.monotonic() < until:
                if self.wait(time.monotonic() + 0.02):
                    break
        for sign in (signal.SIGINT, signal.SIGTERM):
            processes.signal_group(pid, sign)
            if self.wait(time.monotonic() + _GRACE):
                break
        processes.signal_group(pid, signal.SIGKILL)
        self.process.wait()
        return rows


def run(plan: str, out: str, number: int, *, test: dict[str, Any], seed: str) -> dict[str, Any]:
    """Run one test of a plan to its end; what became of its process.

    ``code`` is the exit status, negative for a signal; ``stopped`` says that it had to be ended
    from here, while it ran (``run``) or after its verdict (``close``).
    """
    killed_before = machine.killed_for_memory()
    child = Running(plan, out, number, seed)
    stopped, rows = "", []
    if not child.wait_for_verdict(child.began + float(test["deadline"]) + 0.5):
        stopped, rows = "run", child.stop()
    elif not child.wait((child.judged or child.began) + float(test["close"])):
        stopped, rows = "close", child.stop()
    ended = time.monotonic()
    left = processes.end_left(child.process.pid, patience=0.0 if stopped else _PATIENCE)
    machine.copy_ends(
        machine.kit_logs(test["logs"], since=child.began_at), child.place.of("kit.log")
    )
    child.place.open_to_all()
    killed_after = machine.killed_for_memory()
    whole = os.path.exists(child.place.of("verdict.json"))
    return {
        "code": child.process.returncode,
        "stopped": stopped,
        "seconds": round((child.judged or ended) - child.began, 3),
        "closing": round(ended - (child.judged or ended), 3),
        "killed_for_memory": (killed_after or 0) > (killed_before or 0),
        "full": [] if whole and child.process.returncode == 0 else machine.full_disks(out),
        "left": left,
        "threads": rows,
    }


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
