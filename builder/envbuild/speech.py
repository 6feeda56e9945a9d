"""Small words for sentences. Imported on the way to a check: nothing heavy belongs here."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 profile``, ``2 profiles``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
