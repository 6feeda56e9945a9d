"""The files of facts as rows. A file is a list of groups, read when it is first asked for.

What stands in a group beside ``rows`` belongs to each row of it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any, TypeVar

import yaml

from envbuild.knowledge.model import Row
from envbuild.tools import files, typed

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "facts")
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""A loader that takes every scalar as text: ``python: 3.10`` and a date stay as written."""

_Kind = TypeVar("_Kind", bound=Row)


@functools.cache
def rows(name: str, kind: type[_Kind]) -> tuple[_Kind, ...]:
    """Every row of a file, as values of its kind."""
    return tuple(typed.convert(row, kind, strict=False) for row in flat(groups(name)))


def groups(name: str) -> list[dict[str, Any]]:
    """A file as it is written."""
    text = files.read_text(f"{_FOLDER}/{name}.yaml")
    return yaml.load(text, Loader=_LOADER)  # type: ignore[no-any-return]  # noqa: S506


def flat(groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every row with what its group shares, and with the packages of a bundle it includes."""
    named: dict[str, dict[str, Any]] = {}
    for group in groups:
        shared = {key: value for key, value in group.items() if key != "rows"}
        for row in group["rows"]:
            whole = {**shared, **row}
            if "says" in shared:
                whole["says"] = shared["says"] | row.get("says", {})
            included = whole.pop("includes", None)
            if included:
                whole["packages"] = named[included]["packages"] | whole.get("packages", {})
            if "name" in whole:
                named[whole["name"]] = whole
            yield whole


def paths() -> tuple[str, ...]:
    """The paths of all files of facts, sorted."""
    names = sorted(entry.name for entry in os.scandir(_FOLDER) if entry.name.endswith(".yaml"))
    return tuple(f"{_FOLDER}/{name}" for name in names)
