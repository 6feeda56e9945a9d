"""What is to be done, as data: a plan of steps, and the part of a work that one machine has.

Deciding makes a plan, doing takes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from envbuild.errors import InputError


class Step(Struct, frozen=True, kw_only=True):
    """One step of a plan: what would be done to what, or why it need not be.

    ``kind`` is the verb (``lock``, ``render``), ``target`` its object
    (``isaac-g1/linux-amd64-cu128``).
    """

    kind: str
    target: str
    action: Literal["run", "skip"]
    reason: str


Plan = tuple[Step, ...]


class Shard(Struct, frozen=True, kw_only=True):
    """One of several parts of a work that several machines share: ``index`` from 1 to ``count``."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names that this part has: every one in exactly one part, whoever asks, and whatever
        order they come in."""
        return tuple(sorted(set(names)))[self.index - 1 :: self.count]


def shard(text: str) -> Shard:
    """``2/3`` as a value.

    Raises:
        InputError: it is no such text.
    """
    index, slash, count = text.partition("/")
    if slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count):
        return Shard(index=int(index), count=int(count))
    raise InputError(f"--shard {text!r} is no part", hint="--shard 2/3: the second of three")
