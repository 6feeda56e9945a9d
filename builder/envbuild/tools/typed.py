"""Plain data made into values of a type, one thread at a time."""

from __future__ import annotations

import threading
from typing import TypeVar

import msgspec

_Kind = TypeVar("_Kind")

_turn = threading.Lock()
"""msgspec 0.22 learns a type when it first makes a value of it, and lets a second thread use what
the first has half learnt: the interpreter ends in a segmentation fault."""


def convert(value: object, kind: type[_Kind], *, strict: bool = True) -> _Kind:
    """``msgspec.convert``: a value of a type from dictionaries, lists and scalars.

    Raises:
        msgspec.ValidationError: the data does not fit the type.
    """
    with _turn:
        return msgspec.convert(value, kind, strict=strict)


def decode(data: bytes | memoryview | str, kind: type[_Kind]) -> _Kind:
    """``msgspec.json.decode``: a value of a type from JSON.

    Raises:
        msgspec.MsgspecError: it is not JSON, or does not fit the type.
    """
    with _turn:
        return msgspec.json.decode(data, type=kind)
