"""What the extra ``supply-chain`` brings: said where it is missing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from envbuild.errors import ToolError


def missing(name: str) -> ToolError:
    """The error where a library of the extra is not installed."""
    return ToolError(f"{name} is not installed", hint="pip install 'envbuild[supply-chain]'")


@contextlib.contextmanager
def needed() -> Iterator[None]:
    """Imports of libraries that only the extra brings.

    Raises:
        ToolError: one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise missing((error.name or "a library").partition(".")[0]) from None
