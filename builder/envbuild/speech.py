"""Small words for sentences. Imported on the way to a check: nothing heavy belongs here."""

from __future__ import annotations

_WIDTH = 98
"""Characters of a line; terminals that are split in two have 100."""


def counted(number: int, noun: str) -> str:
    """``1 profile``, ``2 profiles``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def wrapped(start: str, text: str) -> str:
    """A text in lines of a terminal, behind ``start``; the further ones begin under the first."""
    import textwrap  # it is on the way to a check, where nothing is wrapped

    return textwrap.fill(
        start + text,
        _WIDTH,
        subsequent_indent=" " * 5,
        break_long_words=False,
        break_on_hyphens=False,
    )
