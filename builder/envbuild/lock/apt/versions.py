"""The order of Debian versions (Debian Policy 5.6.12). Pure."""

from __future__ import annotations

import re
from functools import cmp_to_key
from itertools import zip_longest

_PARTS = re.compile(r"([^0-9]*)([0-9]*)")


def compare(one: str, other: str) -> int:
    """Below 0 if ``one`` is the older version, above 0 if it is the newer, 0 if neither is."""
    first, second = _split(one), _split(other)
    if first[0] != second[0]:
        return first[0] - second[0]
    return _compare(first[1], second[1]) or _compare(first[2], second[2])


key = cmp_to_key(compare)
"""For ``sorted`` and ``max``."""


def _split(version: str) -> tuple[int, str, str]:
    """Epoch, upstream version and revision."""
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isdigit():
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    return (int(epoch), upstream, revision) if hyphen else (int(epoch), rest, "0")


def _compare(one: str, other: str) -> int:
    """Two upstream versions or revisions: text and numbers in turn."""
    parts = zip_longest(_PARTS.findall(one), _PARTS.findall(other), fillvalue=("", ""))
    for (text, digits), (other_text, other_digits) in parts:
        order = _compare_text(text, other_text) or int(digits or 0) - int(other_digits or 0)
        if order:
            return order
    return 0


def _compare_text(one: str, other: str) -> int:
    pairs = zip_longest(one, other, fillvalue="")
    return next((d for a, b in pairs if (d := _weight(a) - _weight(b))), 0)


def _weight(character: str) -> int:
    """A tilde sorts before the end, the end before letters, letters before all else."""
    if character == "~":
        return -1
    if not character:
        return 0
    return ord(character) if character.isalpha() else ord(character) + 256
