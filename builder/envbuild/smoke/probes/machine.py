"""What the machine around a test says: memory, disks, Kit's logs."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile

_COUNTERS = (
    "/sys/fs/cgroup/memory.events",  # cgroup 2
    "/sys/fs/cgroup/memory/memory.oom_control",  # cgroup 1
)
_LITTLE = 64 * 1024
"""Bytes: with less than that free, a disk is full."""

_MOST = 8 << 20
"""Bytes of the end of a log that are kept."""

_DEPTH = 6
"""Folders below a log folder in which Kit's logs are looked for."""


def killed_for_memory() -> int | None:
    """How many processes of this container the kernel has ended for memory; None: not known."""
    for path in _COUNTERS:
        with contextlib.suppress(OSError):
            with open(path, encoding="ascii", errors="replace") as file:
                found = re.search(r"^oom_kill (\d+)$", file.read(), re.MULTILINE)
            if found:
                return int(found[1])
    return None


def full_disks(out: str) -> list[str]:
    """The folders that programs write to and that have no room: home, temporary files, here."""
    places = [out, os.path.expanduser("~"), os.curdir, "/tmp", "/dev/shm"]  # noqa: S108
    with contextlib.suppress(OSError):
        places.append(tempfile.gettempdir())
    full = []
    for place in dict.fromkeys(os.path.abspath(place) for place in places):
        with contextlib.suppress(OSError):
            room = os.statvfs(place)
            if room.f_blocks and room.f_bavail * room.f_frsize < _LITTLE:
                full.append(place)
    return full


def kit_logs(folders: list[str], *, since: float) -> list[str]:
    """The logs of Kit below folders that were written to since a moment, oldest first."""
    found = []
    for folder in folders:
        top = os.path.expanduser(folder)
        for place, below, names in os.walk(top):
            if place[len(top) :].count(os.sep) >= _DEPTH:
                below.clear()
            for name in names:
                path = os.path.join(place, name)
                with contextlib.suppress(OSError):
                    written = os.stat(path).st_mtime
                    if name.endswith(".log") and written >= since:
                        found.append((written, path))
    return [path for _, path in sorted(set(found))]


def copy_ends(paths: list[str], into: str) -> None:
    """Write the ends of logs into one file; what cannot be read is left out."""
    parts = []
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST))
            parts.append(file.read(_MOST))
    if parts:
        with contextlib.suppress(OSError), open(into, "wb") as file:
            file.write(b"\n".join(parts))
