"""A process that ends with the one that started it, whatever ended that: also SIGKILL."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import signal

PARENT = "ENVBUILD_ENDS_WITH"
"""The variable that tells a process the number of the one that it is to end with."""

_PR_SET_PDEATHSIG = 1
"""``linux/prctl.h``."""


def told(number: int, held: str = "") -> str:
    """The value of :data:`PARENT`. ``held`` is the path of a file that the child holds while it
    lives: whoever waits for that file waits for every child."""
    return f"{number}:{held}" if held else str(number)


def end_with_parent(said: str) -> None:
    """Be sent SIGTERM when the process that has started this one ends; ``said`` is what
    :func:`told` gives.

    A process that is somebody else's child already is sent it at once.
    """
    number, _, held = said.partition(":")
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if str(os.getppid()) != number:
        os.kill(os.getpid(), signal.SIGTERM)
    if held:
        _hold(held)


def _hold(path: str) -> None:
    """Share the hold on a file until this process ends, however it does."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
    except OSError:
        return  # a disk that is full, or somebody who waits: no reason not to do the work


def end_container(identity: str) -> None:
    """Kill each process whose control group bears the id of a container (64 hex digits).

    An engine that is killed while it begins a container leaves a process that waits for the word
    to go on, for ever, and does not know of it afterwards.
    """
    if re.fullmatch(r"[0-9a-f]{64}", identity) is None:
        return
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/cgroup", encoding="utf-8", errors="replace") as file:
                groups = file.read()
            if identity in groups:
                os.kill(int(name), signal.SIGKILL)
