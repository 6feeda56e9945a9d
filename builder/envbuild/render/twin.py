"""The inert twin of a context: the same values with every character that could mean something gone.

A template that is filled from both must give Dockerfiles of one shape; where it does not, a value
has changed the shape, because some filter is missing.
"""

from __future__ import annotations

import functools
from typing import TypeVar

import msgspec

from envbuild.render.context import Context
from envbuild.render.words import ACTIVE

T = TypeVar("T")


def inert(context: Context) -> Context:
    """The context with every string made inert; the patterns of its types no longer hold."""
    return _walk(context)


@functools.lru_cache(maxsize=10_000)
def inert_text(text: str) -> str:
    """Text with every character that means something to a shell or a builder as ``x``."""
    return ACTIVE.sub("x", text)


def _walk(value: T) -> T:
    if isinstance(value, str):
        return type(value)(inert_text(value))
    if isinstance(value, tuple):
        return type(value)(_walk(item) for item in value)
    if isinstance(value, msgspec.Struct):
        fields = {name: _walk(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    return value
