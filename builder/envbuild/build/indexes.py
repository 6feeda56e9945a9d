"""What uv's settings say of indexes, for who fetches files that uv has named. Pure but for a look
whether a folder is there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

import msgspec

from envbuild.lock.uv import Uv

_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
_NAMED = re.compile(r"([A-Za-z0-9._-]+)=(\w+://.*)")
"""An index with a name of its own, as uv takes it in a variable."""


def with_find_links(tool: Uv, environ: Mapping[str, str]) -> Uv:
    """uv that looks where pip's setting names files too: what is locked is told by its hash."""
    places = [
        one
        for one in environ.get("PIP_FIND_LINKS", "").split()
        if "://" in one or os.path.isdir(one)
    ]
    if not places:
        return tool
    variables = dict(tool.environment)
    own = variables.pop("UV_FIND_LINKS", "").split(",")
    configured = tool.configuration.get("find-links")
    named = map(str, configured) if isinstance(configured, list) else ()
    every = list(dict.fromkeys(filter(None, (*own, *named, *places))))
    return msgspec.structs.replace(
        tool,
        configuration={**tool.configuration, "find-links": every},
        environment=tuple(variables.items()),
    )


def addresses(tool: Uv) -> Iterator[str]:
    """Every index that uv's settings name, with the user name and the password that are known for
    it before an ``@``."""
    variables = dict(tool.environment)
    for name, url in _indexes(tool, variables):
        prefix = "UV_INDEX_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper()
        user = variables.get(f"{prefix}_USERNAME", "")
        password = variables.get(f"{prefix}_PASSWORD", "")
        if name and (user or password):
            scheme, _, rest = url.partition("://")
            yield f"{scheme}://{_quoted(user)}:{_quoted(password)}@{rest}"
        else:
            yield url


def _indexes(tool: Uv, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The name (empty without one) and the address of each."""
    for variable in _VARIABLES:
        for word in variables.get(variable, "").split():
            named = _NAMED.fullmatch(word)
            yield (named[1], named[2]) if named else ("", word)
    tables = tool.configuration.get("index")
    for table in tables if isinstance(tables, list) else ():
        yield str(table.get("name", "")), str(table.get("url", ""))
    for key in ("index-url", "extra-index-url"):
        configured = tool.configuration.get(key, ())
        listed = configured if isinstance(configured, list | tuple) else (configured,)
        yield from (("", str(one)) for one in listed)
    yield from tool.indexes.items()


def _quoted(text: str) -> str:
    """The text with what ends a user name or a password in an address written as ``%xx``."""
    return re.sub(r"[^A-Za-z0-9._~-]", lambda found: f"%{ord(found[0]):02X}", text)
