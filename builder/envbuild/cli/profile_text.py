"""A resolved profile as YAML that our own reader takes back, with where each value came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import msgspec

from envbuild.errors import Mark
from envbuild.profile.resolved import KeyPath, Variant

_PLAIN = re.compile(
    r"[A-Za-z0-9_./]([A-Za-z0-9_./+=@~<>!*,;()\[\]: -]*[A-Za-z0-9_./+=@~<>!*,;()\]-])?"
)
_NO_TEXT = re.compile(
    r"(?i)true|false|yes|no|on|off|null|~|[.+-]?[0-9][0-9a-fxo_.:+-]*|[0-9-]+T.*|\.inf|\.nan|.*: .*"
)
"""What our own reader or any other takes for something else than text."""

_INDENT = "  "

Line = tuple[str, KeyPath | None]
"""A line of YAML, and the value that it shows (None for a line that only opens a level)."""


def yaml_lines(variant: Variant) -> tuple[Line, ...]:
    """The YAML of a variant with all defaults; what is empty or not there is left out."""
    value = msgspec.to_builtins(variant.environment)
    return tuple(_mapping(value, (), ""))


def origins(variant: Variant) -> dict[KeyPath, str]:
    """Where every shown value came from: ``file:line``, or ``default``."""
    return {
        path: _origin(path, variant.marks) for _, path in yaml_lines(variant) if path is not None
    }


def dotted(path: KeyPath) -> str:
    """A path as people write it: ``python.requirements[3]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _origin(path: KeyPath, marks: Mapping[KeyPath, Mark]) -> str:
    mark = marks.get(path)
    return f"{mark.file}:{mark.line}" if mark else "default"


def _mapping(value: Mapping[str, object], path: KeyPath, indent: str) -> Iterator[Line]:
    for key, inner in value.items():
        if inner is None or (isinstance(inner, (dict, list, tuple)) and not inner):
            continue
        yield from _entry(f"{indent}{scalar(key)}:", inner, path=(*path, key), indent=indent)


def _entry(head: str, value: object, *, path: KeyPath, indent: str) -> Iterator[Line]:
    if isinstance(value, dict):
        lines = list(_mapping(value, path, indent + _INDENT))
        if lines:
            yield head, None
            yield from lines
    elif isinstance(value, (list, tuple)):
        yield head, None
        for number, item in enumerate(value):
            yield from _item(item, (*path, number), indent + _INDENT)
    else:
        yield f"{head} {scalar(value)}", path


def _item(value: object, path: KeyPath, indent: str) -> Iterator[Line]:
    if not isinstance(value, dict):
        yield f"{indent}- {scalar(value)}", path
        return
    lines = list(_mapping(value, path, indent + _INDENT)) or [("{}", path)]
    (first, origin), *rest = lines
    yield f"{indent}- {first.lstrip()}", origin
    yield from rest


def scalar(value: object) -> str:
    """One value as YAML; text that could be read as anything else is quoted."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and not _NO_TEXT.fullmatch(value)
        return value if plain else json.dumps(value, ensure_ascii=False)
    return str(value)
