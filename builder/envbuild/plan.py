"""A plan: what a command would do, as data. Deciding makes one, doing takes one."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


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
