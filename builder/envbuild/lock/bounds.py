"""With which bounds one package asks for another, as the package's own metadata says.

uv keeps the metadata of every package it resolved in its cache, as MessagePack arrays that begin
``[name, version, requires-dist, …]``. That form is uv's own and may change: whatever cannot be
read is *not known* (None), never guessed, and nothing but the ``bounds`` of a lock depends on it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import msgpack

from envbuild.names import canonical_name, requirement_name

Find = Callable[[str, str], Iterable[bytes]]
"""The cached metadata files of a package (name, version), as bytes."""


def requires(name: str, version: str, find: Find) -> dict[str, str] | None:
    """What a package asks for: name to bounds; None when its metadata is not in the cache.

    Conditions on the environment and extras are left out; of several bounds on one package the
    last stands.
    """
    for data in find(name, version):
        listed = _requires_dist(data, name)
        if listed is not None:
            return {requirement_name(text): _bounds(text) for text in listed}
    return None


def _requires_dist(data: bytes, name: str) -> list[str] | None:
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(data), 1))
    unpacker.feed(data)
    try:
        value = unpacker.unpack()
    except (msgpack.UnpackException, ValueError):
        return None
    match value:
        case [str(found), str(), [*listed], *_] if canonical_name(found) == name:
            return [text for text in listed if isinstance(text, str)]
    return None


@functools.cache
def _bounds(requirement: str) -> str:
    head = requirement.partition(";")[0].strip()
    name_end = next((i for i, c in enumerate(head) if not (c.isalnum() or c in "-_.")), len(head))
    rest = head[name_end:].strip()
    if rest.startswith("["):
        rest = rest.partition("]")[2].strip()
    parts = (part.strip() for part in rest.strip("() ").split(","))
    return ",".join(sorted("".join(part.split()) for part in parts if part))
