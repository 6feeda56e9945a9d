"""A night as the bytes of its file, with a seal: what was cut off or edited is known as that. Pure.

The file is one line of JSON, ``{"seal":"<sha256 of the night's bytes>","night":{…}}``.
"""

from __future__ import annotations

import hashlib
import json
import re

import msgspec

from envbuild.errors import InputError
from envbuild.history.judging import ID
from envbuild.history.model import SCHEMA, Night
from envbuild.tools import typed

_FRAME = re.compile(rb'\{"seal":"([0-9a-f]{64})","night":')
_END = b"}\n"
_CONFLICT = re.compile(rb"^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMED = re.compile(rb"sha256:[0-9a-f]{64}")


class BrokenError(Exception):
    """A file that holds no night, and why."""


def sealed(night: Night) -> bytes:
    """The file of a night: equal nights give equal bytes.

    Raises:
        InputError: its id is none.
        ValueError: it could not be read again (JSON holds no infinite number).
    """
    if ID.fullmatch(night.id) is None:
        raise InputError(f"{night.id!r} is no id of a night")
    body = _encoded(night)
    try:
        _decoded(memoryview(body))
    except BrokenError as error:
        raise ValueError(f"the night {night.id} cannot be kept: {error}") from None
    return b'{"seal":"%s","night":%s}\n' % (hashlib.sha256(body).hexdigest().encode(), body)


def unsealed(data: bytes, name: str) -> Night:
    """The night of a file whose name, without its ending, is ``name``.

    Raises:
        BrokenError: it is cut off, edited, of a newer envbuild, or of another night.
    """
    frame = _FRAME.match(data)
    if frame is None or not data.endswith(_END):
        raise BrokenError(_why(data, framed=frame is not None))
    body = memoryview(data)[frame.end() : -len(_END)]
    if hashlib.sha256(body).hexdigest().encode() != frame[1]:
        raise BrokenError(_why(data, framed=False))
    night = _decoded(body)
    if night.id != name:
        raise BrokenError(f"it holds the night {night.id!r}: it was renamed")
    return night


def named(data: bytes) -> frozenset[str]:
    """Every digest that the file of a night names, also where nothing else of it can be read."""
    return frozenset(found.decode() for found in _NAMED.findall(data))


def _encoded(night: Night) -> bytes:
    try:
        return msgspec.json.encode(night)
    except UnicodeEncodeError:  # a byte of a path that is no UTF-8 came as a surrogate
        text = json.dumps(msgspec.to_builtins(night), ensure_ascii=False, separators=(",", ":"))
        return _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text).encode()


def _decoded(body: memoryview) -> Night:
    try:
        night = typed.decode(body, Night)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        _refuse_newer(_schema(body))
        raise BrokenError(f"it holds no night: {error}") from None
    _refuse_newer(night.schema)
    return night


def _schema(body: memoryview) -> int:
    try:
        return typed.decode(body, _Peek).schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0


def _refuse_newer(schema: int) -> None:
    if schema > SCHEMA:
        raise BrokenError(f"it has format {schema}, of a newer envbuild: upgrade envbuild")


def _why(data: bytes, *, framed: bool) -> str:
    if not data:
        return "it is empty"
    if _CONFLICT.search(data):
        return "it holds the marks of a merge conflict"
    if framed or not data.endswith(_END):
        return "it is cut off"
    return "it was edited, or is no night: its seal does not fit"


class _Peek(msgspec.Struct):
    schema: int
