"""Everything that is wrong with a tree, in words, once it did not decode.

The decoder stops at the first error; the JSON schema made from the same types finds them all.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from envbuild.errors import Mark, Problem
from envbuild.profile.model import Environment
from envbuild.profile.reader import Tree

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys and values",
    "null": "nothing",
}
_FOUND = {
    str: "text",
    int: "a number",
    bool: "true or false",
    list: "a list",
    dict: "keys and values",
}


def tidy(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Without repetitions (a parent's problem shows in every child), sorted by place."""

    def place(problem: Problem) -> tuple[str, int, int, str]:
        mark = problem.mark or Mark("", 0, 0)
        return (mark.file, mark.line, mark.column, problem.message)

    return tuple(sorted(dict.fromkeys(problems), key=place))


def problems(tree: Tree, error: msgspec.ValidationError) -> tuple[Problem, ...]:
    """Every problem of a tree that ``error`` stopped the decoder at."""
    from jsonschema import Draft202012Validator

    found = [
        problem
        for wrong in Draft202012Validator(_schema()).iter_errors(tree.value)
        for problem in _translated(_wrong(wrong), tree)
    ]
    return tuple(found) or (Problem(message=str(error), mark=tree.marks[()]),)


@functools.cache
def _schema() -> dict[str, Any]:
    return msgspec.json.schema(Environment)


class _Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One error of the schema: which keyword was broken, what it wanted, what stood there."""

    keyword: str
    wanted: Any
    found: Any
    properties: Mapping[str, object]
    description: str | None
    path: tuple[str | int, ...]
    inner: tuple[_Wrong, ...]


def _wrong(error: ValidationError) -> _Wrong:
    schema: dict[str, Any] = dict(error.schema)  # type: ignore[arg-type]
    return _Wrong(
        keyword=str(error.validator),
        wanted=error.validator_value,
        found=error.instance,
        properties=schema.get("properties", {}),
        description=schema.get("description"),
        path=tuple(error.absolute_path),
        inner=tuple(_wrong(inner) for inner in error.context or ()),
    )


def _translated(wrong: _Wrong, tree: Tree) -> Iterator[Problem]:
    path = wrong.path
    if wrong.keyword == "anyOf":
        yield from _alternatives(wrong, tree)
    elif wrong.keyword == "additionalProperties":
        yield from _unknown_keys(wrong, tree, path)
    elif wrong.keyword == "required":
        missing = next(key for key in wrong.wanted if key not in wrong.found)
        yield Problem(message=f"{_where(path)}{missing} is missing", mark=_mark(tree, path))
    else:
        message, hint = _plain(wrong)
        yield Problem(message=f"{_where(path)}{message}", mark=_mark(tree, path), hint=hint)


def _alternatives(wrong: _Wrong, tree: Tree) -> Iterator[Problem]:
    """The alternative that was meant: one whose type fits, rather than the null beside it."""
    meant = [inner for inner in wrong.inner if inner.keyword != "type"]
    for inner in meant or wrong.inner[:1]:
        yield from _translated(inner, tree)


def _unknown_keys(wrong: _Wrong, tree: Tree, path: tuple[str | int, ...]) -> Iterator[Problem]:
    allowed = wrong.properties
    for key in wrong.found:
        if key in allowed:
            continue
        near = difflib.get_close_matches(key, allowed, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(allowed))}"
        yield Problem(
            message=f"{_where(path)}{key!r} is not a known key",
            mark=_mark(tree, (*path, key)),
            hint=hint,
        )


def _plain(wrong: _Wrong) -> tuple[str, str | None]:
    found = _FOUND.get(type(wrong.found), "nothing")
    value = wrong.found
    shown = repr(value if len(str(value)) < 60 else str(value)[:57] + "...")
    match wrong.keyword:
        case "type":
            return f"expected {_TYPES[wrong.wanted]}, found {found}", _type_hint(wrong)
        case "enum" | "const":
            choices = wrong.wanted
            listed = choices if isinstance(choices, list) else [choices]
            return f"{shown} is none of {', '.join(map(str, listed))}", None
        case "pattern":
            return f"{shown} {_shape(wrong)}", wrong.description
        case "maxLength" | "maxItems":
            return f"longer than {wrong.wanted}", None
        case "minLength" | "minItems":
            return "empty", None
        case "minimum" | "maximum":
            return f"{shown} is out of range: {wrong.keyword} {wrong.wanted}", None
    return f"{shown} is not allowed here", None


def _shape(wrong: _Wrong) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in str(wrong.found)):
        return "has a control character; every value is one line of text"
    return "is not what is expected here" if wrong.description else f"is not like {wrong.wanted}"


def _type_hint(wrong: _Wrong) -> str | None:
    if wrong.wanted == "string" and isinstance(wrong.found, (int, bool)):
        return f'quote it to make it text: "{str(wrong.found).lower()}"'
    return None


def _where(path: tuple[str | int, ...]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return f"{text}: " if text else ""


def _mark(tree: Tree, path: tuple[str | int, ...]) -> Mark | None:
    while path not in tree.marks:
        path = path[:-1]
    return tree.marks[path]
