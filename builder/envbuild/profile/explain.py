"""Everything that is wrong with a tree, in words, once it did not decode.

The decoder stops at the first error; the JSON schema made from the same types finds them all.
A message names its keys without the numbers of list items: the place says which item it is, and
the number depends on how many layers lie below.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from envbuild.errors import Mark, Problem
from envbuild.profile.reader import Plain, Tree
from envbuild.profile.resolved import KeyPath

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys and values",
}
_CONTROL = r"[\x00-\x1f\x7f\u0085\u2028\u2029]"
_OWN = (("schema",), ("name",))
"""Keys that neither a parent nor a variant can give."""

_NAMES = 20
"""A hint lists so many profiles."""

_SPELT = {"yes": True, "on": True, "no": False, "off": False}
"""Other spellings of true and false, which are text here."""


def tidy(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Without repetitions (a parent's problem shows in every child), sorted by place."""

    def place(problem: Problem) -> tuple[str, int, int, str]:
        mark = problem.mark or Mark("", 0, 0)
        return (mark.file, mark.line, mark.column, problem.message)

    return tuple(sorted(dict.fromkeys(problems), key=place))


def known_names(name: str, known: Iterable[str]) -> str:
    """A hint for a name that is not known: those that are near, else all."""
    from difflib import get_close_matches

    names = sorted(known)
    near = [one for one in names if name and name in one][:2]
    near = near or get_close_matches(name, names, n=2, cutoff=0.65)
    if near:
        return f"did you mean {' or '.join(near)}?"
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"known: {', '.join(names[:_NAMES]) or 'none'}{more}"


def unknown_key(path: KeyPath, key: str, *, known: Iterable[str], mark: Mark) -> Problem:
    """A key that stands where only ``known`` ones may."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(key.lower().replace("_", "-"), names, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return Problem(
        message=f"{where(path)}unknown key {shown(key)}",
        mark=mark,
        hint=f"{meant}known here: {', '.join(names)}",
    )


def shown(value: Plain) -> str:
    """What was found, as a message says it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int():
            return f"the number {value}"
        case str():
            return repr(value if len(value) <= 60 else f"{value[:57]}...")
        case list():
            return "a list"
    return "keys and values"


def where(path: KeyPath) -> str:
    """The keys of a path as the beginning of a message."""
    keys = ".".join(step for step in path if isinstance(step, str))
    return f"{keys}: " if keys else ""


def problems(
    tree: Tree, error: msgspec.ValidationError, *, kind: type[msgspec.Struct], complete: bool = True
) -> tuple[Problem, ...]:
    """Every problem of a tree that ``error`` stopped the decoder at, which wanted a ``kind``.

    In a tree that is not ``complete`` a key may be missing, unless it was emptied or is the
    file's own.
    """
    found = [_read(wrong) for wrong in _validator(kind).iter_errors(tree.value)]
    if not found:
        return (_decoders_own(tree, error),)
    return tuple(
        problem for wrong in found for problem in _translated(wrong, tree, complete=complete)
    )


@functools.cache
def _validator(kind: type[msgspec.Struct]) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # 100 ms, only for errors

    return Draft202012Validator(msgspec.json.schema(kind))


def _decoders_own(tree: Tree, error: msgspec.ValidationError) -> Problem:
    """The decoder's sentence, for what the schema cannot express; its path leads to the place."""
    message, _, at = str(error).partition(" - at `$")
    path: KeyPath = ()
    for key, index in re.findall(r"\.([a-z0-9-]+)|\[([0-9]+)\]", at):
        path = (*path, key or int(index))
    return Problem(message=f"{where(path)}{message}", mark=_mark(tree, path))


# --- What the schema's validator says, in plain values -------------------------------------------


class _Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One error of the schema: the rule that was broken, what it wanted, what stood there."""

    keyword: str
    wanted: Any
    found: Plain
    schema: Mapping[str, Any]
    path: KeyPath
    is_key: bool
    inner: tuple[_Wrong, ...]


def _read(error: ValidationError) -> _Wrong:
    schema: dict[str, Any] = dict(error.schema)  # type: ignore[arg-type]
    found: Any = error.instance
    return _Wrong(
        keyword=str(error.validator),
        wanted=error.validator_value,
        found=found,
        schema=schema,
        path=tuple(error.absolute_path),
        is_key="propertyNames" in error.absolute_schema_path,
        inner=tuple(_read(inner) for inner in error.context or ()),
    )


def _translated(wrong: _Wrong, tree: Tree, *, complete: bool) -> Iterator[Problem]:
    if wrong.keyword == "anyOf":
        for inner in wrong.inner:
            if inner.wanted != "null":  # the types offer null as the only other alternative
                yield from _translated(inner, tree, complete=complete)
    elif wrong.keyword == "additionalProperties":
        known = wrong.schema.get("properties", {})
        assert isinstance(wrong.found, dict)
        for key in wrong.found:
            if key not in known:
                yield unknown_key(
                    wrong.path, key, known=known, mark=_mark(tree, (*wrong.path, key))
                )
    elif wrong.keyword == "required":
        yield from _required(wrong, tree, complete=complete)
    elif wrong.schema.get("type") == "array" and _appends(wrong, tree):
        yield _appending(wrong, tree)
    else:
        path = (*wrong.path, str(wrong.found)) if wrong.is_key else wrong.path
        message, hint = _sentence(wrong)
        yield Problem(message=f"{where(wrong.path)}{message}", mark=_mark(tree, path), hint=hint)


def _required(wrong: _Wrong, tree: Tree, *, complete: bool) -> Iterator[Problem]:
    assert isinstance(wrong.found, dict)
    for key in wrong.wanted:
        path = (*wrong.path, key)
        certain = complete or path in tree.removed or path in _OWN
        if key not in wrong.found and certain:
            yield _missing(wrong, key, tree)


def _missing(wrong: _Wrong, key: str, tree: Tree) -> Problem:
    here = (*wrong.path, key)
    removed = tree.removed.get(here)
    wanted = wrong.schema.get("properties", {}).get(key, {})
    return Problem(
        message=f"{where(wrong.path)}{key} is {'empty' if removed else 'missing'}",
        mark=removed or _mark(tree, wrong.path),
        hint=f"{key} is {_expected(wanted)}",
    )


def _appends(wrong: _Wrong, tree: Tree) -> bool:
    """Whether ``append`` was written; a null in it has gone when the layers were merged."""
    found = wrong.found
    return isinstance(found, dict) and (
        "append" in found or (*wrong.path, "append") in tree.removed
    )


def _appending(wrong: _Wrong, tree: Tree) -> Problem:
    """An ``append`` that merging did not take: it has no list, company, or nothing below it."""
    assert isinstance(wrong.found, dict)
    items = wrong.found.get("append")
    others = [key for key in wrong.found if key != "append"]
    here: KeyPath = (*wrong.path, "append")
    mark = tree.removed.get(here) or _mark(tree, here)
    if others:
        mark = _mark(tree, (*wrong.path, others[0]))
        message = f"append stands alone; found {', '.join(map(shown, others))} beside it"
        hint = "{append: [...]} says all that there is to say"
    elif not isinstance(items, list):
        message = f"append: expected a list; found {shown(items)}"
        hint = f"append: [{items}]" if isinstance(items, str) else "append: [...]"
    else:
        message = "append has nothing to add to: no list is inherited here"
        hint = "write the whole list: [...]"
    return Problem(message=f"{where(wrong.path)}{message}", mark=mark, hint=hint)


# --- Sentences -----------------------------------------------------------------------------------


def _sentence(wrong: _Wrong) -> tuple[str, str | None]:
    """What was expected and found, and a hint."""
    found, limit = wrong.found, wrong.wanted
    if isinstance(found, str):
        control = re.search(_CONTROL, found)
        if control and wrong.keyword == "pattern":
            character = f"a control character (U+{ord(control[0]):04X}) in {shown(found)}"
            return (
                character,
                "every value is one line; >- ends without a line break, > and | do not",
            )
        if wrong.keyword == "maxLength":
            return f"{len(found)} characters are too many; at most {limit}", None
    if isinstance(found, list) and wrong.keyword == "maxItems":
        return f"{len(found)} items are too many; at most {limit}", None
    return f"expected {_expected(wrong.schema)}; found {shown(found)}", _hint(wrong)


def _expected(schema: Mapping[str, Any]) -> str:
    """What a value must be, from the schema of its place."""
    if "description" in schema and "properties" not in schema:
        return str(schema["description"])
    if "enum" in schema:
        choices = ", ".join(map(str, schema["enum"]))
        return choices if len(schema["enum"]) == 1 else f"one of {choices}"
    if "minimum" in schema:
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if schema.get("minLength", 0) > 1:
        return f"text of at least {schema['minLength']} characters"
    return _TYPES.get(str(schema.get("type")), "keys and values")


def _hint(wrong: _Wrong) -> str | None:
    found, schema = wrong.found, wrong.schema
    if "enum" in schema:
        return _choice(found, schema["enum"])
    kind = schema.get("type")
    if kind == "string" and isinstance(found, int):
        return f'quote it to make it text: "{str(found).lower()}"'
    if kind == "boolean" and isinstance(found, str) and found.lower() in (*_SPELT, "true", "false"):
        return f"write {str(_SPELT.get(found.lower(), found)).lower()}, without quotes"
    if kind == "integer" and isinstance(found, str) and found.isdecimal():
        return "write it without quotes"
    if kind == "array" and isinstance(found, str):
        return f"a list of one: [{found}]"
    if kind == "array" and isinstance(found, dict):
        return "a list, or {append: [...]} to add to the inherited one"
    if kind == "object" and isinstance(found, list):
        return "key: value; what is inherited stays"
    return None


def _choice(found: Plain, choices: list[object]) -> str | None:
    from difflib import get_close_matches

    near = get_close_matches(str(found).lower(), map(str, choices), n=1)
    return f"did you mean {near[0]}?" if near else None


def _mark(tree: Tree, path: KeyPath) -> Mark:
    while path not in tree.marks:
        path = path[:-1]
    return tree.marks[path]
