"""The JSON schema of a profile file, for editors: made from the types, never by hand."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from envbuild.profile.model import Environment
from envbuild.profile.sheet import OWN
from envbuild.profile.words import Name, VariantName

Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}
_HEADER = ("schema", "name")


def profile_schema() -> Schema:
    """The schema of one YAML file, draft 2020-12.

    A file may leave out what its parent states, append to a list and remove a key with null, so
    this is wider than what a resolved profile must be. Items of lists are never merged: they are
    as strict as the types.
    """
    (root,), parts = msgspec.json.schema_components([Environment], ref_template="#/$defs/{name}")
    top = _referred(root)
    header = {key: parts[top]["properties"][key] for key in _HEADER}
    layers = frozenset(_layers(parts, top))
    definitions = {
        name: _described(_as_layer(part) if name in layers else part)
        for name, part in parts.items()
    }
    environment = definitions.pop(top)
    fields = {key: field for key, field in environment["properties"].items() if key not in OWN}
    definitions["Variant"] = {
        **environment,
        "title": "Variant",
        "description": "What is different on one platform with one accelerator.",
        "properties": fields,
    }
    shared = {key: {"$ref": f"#/$defs/Variant/properties/{key}"} for key in fields}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "envbuild profile",
        "description": "A profile of envbuild: what an environment must be.",
        "type": "object",
        "properties": {**header, "extends": _extends(), **shared, "variants": _variants()},
        "required": list(_HEADER),
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def prose(docstring: str) -> str:
    """A docstring as Markdown, with the names of fields as files spell them (not ``sm_90``)."""
    text = inspect.cleandoc(docstring)
    text = re.sub(r"``(sm_[^`]+)``", r"`\1`", text)
    return re.sub(r"``([^`]+)``", _spelled, text)


def _spelled(code: re.Match[str]) -> str:
    """A name as files have it; virtual packages (``__glibc``) are no fields."""
    named = code[1] if code[1].startswith("__") else code[1].replace("_", "-")
    return f"`{named}`"


def _referred(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _layers(parts: dict[str, Schema], name: str) -> Iterator[str]:
    """The types that are merged key by key: those that no list stands above."""
    yield name
    for field in parts[name]["properties"].values():
        for choice in field.get("anyOf", [field]):
            if "$ref" in choice:
                yield from _layers(parts, _referred(choice))


def _described(part: Schema) -> Schema:
    return {**part, "description": prose(part["description"])}


def _as_layer(part: Schema) -> Schema:
    """A type with nothing required, lists that may be appended to, keys that may be removed."""
    fields = {key: _as_layer_field(field) for key, field in part["properties"].items()}
    return {key: value for key, value in part.items() if key != "required"} | {"properties": fields}


def _as_layer_field(field: Schema) -> Schema:
    said: Schema = {key: field[key] for key in ("description", "default") if key in field}
    if not isinstance(said.get("default"), str | int):
        said.pop("default", None)  # an empty default says nothing, and null would remove the key
    bare = {key: value for key, value in field.items() if key not in ("description", "default")}
    choices = [choice for choice in bare.get("anyOf", [bare]) if choice != _NULL]
    return {**said, "anyOf": [*(form for c in choices for form in _forms(c)), _NULL]}


def _forms(choice: Schema) -> Iterator[Schema]:
    """How a layer may write a value."""
    if choice.get("type") == "array":
        yield choice
        yield {
            "description": "Added to the end of the inherited list.",
            "type": "object",
            "properties": {"append": choice},
            "required": ["append"],
            "additionalProperties": False,
        }
    elif choice.get("type") == "object":
        yield {**choice, "additionalProperties": {"anyOf": [choice["additionalProperties"], _NULL]}}
    else:
        yield choice


def _extends() -> Schema:
    name = msgspec.json.schema(Name)
    return {"description": "The profile that this one begins from.", "anyOf": [name, _NULL]}


def _variants() -> Schema:
    name = msgspec.json.schema(VariantName)["pattern"]
    return {
        "description": "One layer for each platform and accelerator; the first is the default.",
        "type": "object",
        "patternProperties": {name: {"anyOf": [{"$ref": "#/$defs/Variant"}, _NULL]}},
        "additionalProperties": False,
    }
