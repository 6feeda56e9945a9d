"""The reference page of the profile format, as Markdown: made from the types, never by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from envbuild.profile.model import Environment
from envbuild.profile.schema import prose

_INTRODUCTION = """\
# The profile format, schema version 1

One YAML file an environment, `envs/<name>.yaml`. Only `true`/`false`, null and whole numbers are
not text; two equal keys, anchors and tags are errors. Beside the keys of *Environment* a file has:

| key | what it is |
|---|---|
| `extends` | the one profile that this begins from |
| `variants` | a layer of the same keys for each variant; the first is the default |

A variant is a platform with an accelerator: `linux-amd64-cu128`, `linux-arm64-cpu`.

Layers are laid over each other, parent first, then the file, then the variant: a mapping key by
key, a list as a whole (`{append: […]}` adds to it), and null removes what was inherited. A key
without a default must be stated in one of the layers.
"""


def reference() -> str:
    """The page: every type of a profile with its meaning, and a table of its keys."""
    parts = [_INTRODUCTION]
    seen: list[type] = []
    waiting: list[type] = [Environment]
    while waiting:
        kind = waiting.pop(0)
        if kind in seen:
            continue
        seen.append(kind)
        info = msgspec.inspect.type_info(kind)
        assert isinstance(info, msgspec.inspect.StructType)
        parts.append(_section(kind, info))
        for field in info.fields:
            waiting += _structs(field.type)
    return "\n".join(parts)


def _section(kind: type, info: msgspec.inspect.StructType) -> str:
    lines = [f"## {kind.__name__}", "", prose(kind.__doc__ or ""), ""]
    lines += ["| key | value | default |", "|---|---|---|"]
    for field in info.fields:
        lines.append(f"| `{field.encode_name}` | {_words(field.type)} | {_default(field)} |")
    return "\n".join(lines) + "\n"


def _default(field: msgspec.inspect.Field) -> str:
    if field.required:
        return "must be stated"
    value = field.default
    if value is msgspec.NODEFAULT or value in (None, (), {}) or isinstance(value, msgspec.Struct):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _words(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.StructType():
            name = kind.cls.__name__
            return f"[{name}](#{name.lower()})"
        case msgspec.inspect.VarTupleType():
            return f"list of {_words(kind.item_type)}"
        case msgspec.inspect.DictType():
            return f"mapping to {_words(kind.value_type)}"
        case msgspec.inspect.LiteralType():
            return " · ".join(f"`{value}`" for value in sorted(kind.values, key=str))
        case msgspec.inspect.UnionType():
            named = [t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType)]
            return " or ".join(_words(t) for t in named)
        case msgspec.inspect.Metadata():
            return str((kind.extra_json_schema or {}).get("description") or _words(kind.type))
        case msgspec.inspect.StrType():
            return "text"
        case msgspec.inspect.IntType():
            return "whole number" + _range(kind)
        case msgspec.inspect.BoolType():
            return "`true` · `false`"
    return type(kind).__name__.removesuffix("Type").lower()


def _range(kind: msgspec.inspect.IntType) -> str:
    return "" if kind.ge is None else f" from {kind.ge} to {kind.le}"


def _structs(kind: Any) -> Iterator[type]:  # noqa: ANN401 (any type_info, or a part of one)
    if isinstance(kind, msgspec.inspect.StructType):
        yield kind.cls
    for name in ("item_type", "value_type"):
        if hasattr(kind, name):
            yield from _structs(getattr(kind, name))
    for part in getattr(kind, "types", ()):
        yield from _structs(part)
