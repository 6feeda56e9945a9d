"""The bytes of a file that is examined: read where they are asked for, never mapped.

A mapped file that another process cuts off kills who reads it; a read only comes up short.
"""

from __future__ import annotations

import os
from typing import Protocol


class Content(Protocol):
    """The bytes of one file."""

    @property
    def size(self) -> int:
        """How many there are."""

    def read(self, start: int, size: int) -> bytes:
        """The bytes from ``start`` on, ``size`` of them at most; fewer, or none, at the end."""


class Held:
    """Bytes that are in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self._data)

    def read(self, start: int, size: int) -> bytes:
        """The bytes from ``start`` on, ``size`` of them at most."""
        return self._data[start : start + size] if start >= 0 and size > 0 else b""


class OnDisk:
    """``size`` bytes of an open file from ``offset`` on; the descriptor stays who opened it's."""

    def __init__(self, descriptor: int, size: int, *, offset: int = 0) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self.size = size

    def read(self, start: int, size: int) -> bytes:
        """The bytes from ``start`` on, ``size`` of them at most.

        Raises:
            OSError: the disk fails.
        """
        size = min(size, self.size - start)
        if start < 0 or size <= 0:
            return b""
        return os.pread(self._descriptor, size, self._offset + start)
