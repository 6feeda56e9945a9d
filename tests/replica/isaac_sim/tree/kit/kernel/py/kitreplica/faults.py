"""Faults that an image of the tests switches on by a variable ``REPLICA_…``; see REPLICA.md.

The real simulator shows each of them now and then; here they come when they are asked for.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from pathlib import Path


def asked(name: str) -> str:
    """The value of a switch; empty when it is off."""
    return os.environ.get(f"REPLICA_{name}", "")


def accept_eula() -> None:
    """Ask for the licence as Kit does, on standard input.

    Raises:
        RuntimeError: It is not accepted, or nobody answers.
    """
    answer = os.environ.get("OMNI_KIT_ACCEPT_EULA", "")
    while answer.lower() not in {"yes", "y", "1", "true"}:
        print("Do you accept the EULA? (Yes/No): ", end="", flush=True)
        answer = sys.stdin.readline().strip()
        if asked("EULA") == "again" and not answer:
            time.sleep(1)  # a release that does not take the end of its input for an answer
        elif answer.lower() not in {"yes", "y"}:
            raise RuntimeError("Unable to bootstrap inner kit kernel: EULA not accepted")


def hang() -> None:
    """Spin in several threads and never come back, as a start-up was seen to do."""
    if asked("START") != "hang":
        return

    def spin() -> None:
        while True:
            sum(range(1000))

    for number in range(3):
        threading.Thread(target=spin, name=f"replica-busy-{number}", daemon=True).start()
    spin()


def use_memory() -> None:
    """Take memory until the kernel has none left to give."""
    if asked("START") != "memory":
        return
    taken: list[bytearray] = []
    while True:
        block = bytearray(64 << 20)
        block[::4096] = b"x" * len(block[::4096])
        taken.append(block)


def leave_child() -> None:
    """Start a process that goes on when the app has ended."""
    if asked("CHILD") != "stays" or os.fork():
        return
    os.setsid()
    os.execv("/bin/sleep", ["replica-child", "3600"])


def warm_cache() -> None:
    """Write the shader cache, a file of 8 MB, below the user's home; first fill the disk it is on,
    which is that of an image whose home is a small file system."""
    folder = Path.home() / ".cache/ov/Kit"
    folder.mkdir(parents=True, exist_ok=True)
    if asked("START") == "full":
        _fill(folder / "replica-other-data.bin")
    cache = folder / "replica-shaders.bin"
    if not cache.exists() or cache.stat().st_size != 8 << 20:
        cache.write_bytes(bytes(8 << 20))


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 20)):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def close() -> None:
    """What may happen on the way out: nothing ends, or a crash."""
    if asked("CLOSE") == "never":
        threading.Event().wait()
    if asked("CLOSE") == "abort":
        os.abort()
