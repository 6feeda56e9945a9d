"""Small files that can be had again: written whole or not at all, and never missed."""

from __future__ import annotations

import contextlib
import os


def keep(path: str, data: bytes) -> None:
    """Write a file of a cache. A cache that cannot be written makes the next time slower, and is
    no error."""
    beside = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(beside, "xb") as file:
                file.write(data)
            os.replace(beside, path)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.remove(beside)
