"""The wire: msgpack, with arrays as the bytes of an .npy file; every request names an endpoint."""

import io
from typing import Any

import msgpack
import numpy as np


def encoded(value: object) -> object:
    """An array as bytes, for msgpack's ``default``."""
    if isinstance(value, np.ndarray):
        file = io.BytesIO()
        np.save(file, value, allow_pickle=False)
        return {"__ndarray_class__": True, "as_npy": file.getvalue()}
    raise TypeError(f"{type(value)} is nothing for the wire")


def decoded(value: dict[str, Any]) -> object:
    """An array out of bytes, for msgpack's ``object_hook``."""
    if "__ndarray_class__" in value:
        return np.load(io.BytesIO(value["as_npy"]), allow_pickle=False)
    return value


def pack(value: object) -> bytes:
    """A message."""
    return bytes(msgpack.packb(value, default=encoded))


def unpack(data: bytes) -> Any:
    """What a message says."""
    return msgpack.unpackb(data, object_hook=decoded)
