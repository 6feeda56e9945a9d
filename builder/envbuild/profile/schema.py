"""The JSON schema of a profile file, for editors: made from the types, never by hand."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from envbuild.profile.model import Environment, Name, VariantName

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOT_IN_VARIANTS = ("schema", "name", "extends", "variants")


def profile_schema() -> dict[str, Any]:
    """The schema of one YAML file.

    A file may leave out what its parent states, append to a list and remove a key with null, so
    this is wider than what a resolved profile must be.
    """
    (root,), parts = msgspec.json.schema_components([Environment], ref_template="#/$defs/{name}")
    definitions = {name: _partial(part) for name, part in sorted(parts.items())}
    name = root["$ref"].rpartition("/")[2]
    layer = definitions.pop(name)
    variant = copy.deepcopy(layer)
    for key in _NOT_IN_VARIANTS:
        variant["properties"].pop(key, None)
    variant["title"] = "Variant"
    definitions["Variant"] = variant
    layer["properties"]["extends"] = {
        **_plain(Name),
        "description": "The profile this one begins from.",
    }
    layer["properties"]["variants"] = {
        "type": "object",
        "description": "One layer for each platform and accelerator.",
        "propertyNames": _plain(VariantName),
        "additionalProperties": {"$ref": "#/$defs/Variant"},
    }
    return {
        "$schema": _DIALECT,
        **layer,
        "title": "envbuild profile",
        "required": ["schema", "name"],
        "$defs": definitions,
    }


def _plain(kind: object) -> dict[str, Any]:
    return msgspec.json.schema(kind)


def _partial(part: dict[str, Any]) -> dict[str, Any]:
    """A type with nothing required, lists that may be appended to, keys that may be removed."""
    changed = copy.deepcopy(part)
    changed.pop("required", None)
    for key, field in changed.get("properties", {}).items():
        changed["properties"][key] = _or_null(_appendable(field))
    return changed


def _appendable(field: dict[str, Any]) -> dict[str, Any]:
    if field.get("type") != "array":
        return field
    kept = {key: field.pop(key) for key in ("description", "default") if key in field}
    appended = {
        "type": "object",
        "properties": {"append": copy.deepcopy(field)},
        "required": ["append"],
        "additionalProperties": False,
    }
    return {**kept, "anyOf": [field, appended]}


def _or_null(field: dict[str, Any]) -> dict[str, Any]:
    options = field.get("anyOf", [])
    if {"type": "null"} in options:
        return field
    if options:
        return {**field, "anyOf": [*options, {"type": "null"}]}
    kept = {key: field.pop(key) for key in ("description", "default") if key in field}
    return {**kept, "anyOf": [field, {"type": "null"}]}
