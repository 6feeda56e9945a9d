"""Kit's log: lines on file descriptor 1 whatever Python calls stdout, and more of them in a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from kitreplica import ROOT, VERSION

_SHOWN = {"Warning", "Error", "Fatal"}


class _Log:
    """The log of a process, once it was begun."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.file: int | None = None


_log = _Log()


def begin() -> None:
    """Open the log file, and say where it is."""
    _log.began = time.monotonic()
    stamp = time.strftime("%Y%m%d_%H%M%S")
    short = VERSION.rpartition(".")[0]
    for home in (ROOT / "kit/logs", Path.home() / ".nvidia-omniverse/logs"):
        path = home / "Kit/Isaac-Sim" / short / f"kit_{stamp}.log"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _log.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        except OSError:
            continue
        console(f"[Info] [carb] Logging to file: {path}")
        return
    write("Warning", "carb", "no log file could be opened")


def console(text: str) -> None:
    """Write a line where C++ writes: on the descriptor."""
    os.write(1, f"{text}\n".encode())


def write(level: str, channel: str, text: str) -> None:
    """Write a message as Kit does; what is only ``Info`` stands in the file alone."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    spent = f"{int((time.monotonic() - _log.began) * 1000):,}"
    line = f"{now} [{spent}ms] [{level}] [{channel}] {text}"
    if _log.file is not None:
        os.write(_log.file, f"{line}\n".encode())
    if level in _SHOWN:
        console(line)


def started(extension: str) -> None:
    """Say on the console, too, that an extension starts."""
    write("Info", "omni.ext.plugin", f"[ext: {extension}] startup")
    console(f"[{time.monotonic() - _log.began:.3f}s] [ext: {extension}] startup")


def flush() -> None:
    """Bring the file to the disk."""
    if _log.file is not None:
        os.fsync(_log.file)
