"""The wire between two environments: arrays as ``.npy`` inside msgpack, or pickles."""

from __future__ import annotations

import base64
import importlib
import io
import pickle
from typing import Any

from .results import PASS, WARN
from .steps import Answer, State, StepFailedError

_FIXED = base64.b64decode(
    "gaVzdGF0ZYKxX19uZGFycmF5X2NsYXNzX1/DpmFzX25wecSYk05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRy"
    "YW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
    "ICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEAAAEBAAACAQAAAoEA="
)
"""``{"state": [[0, 1, 2], [3, 4, 5]]}`` in float32, as GR00T's server_client.py writes it."""

_PICKLE = base64.b64decode(
    "gASVlQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJh"
    "eZSTlEsAhZRDAWKUh5RSlChLAUsDhZRoA4wFZHR5cGWUk5SMAmY0lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0"
    "lGKJQwwAAAAAAACAPwAAAECUdJRiLg=="
)
"""The float32 array ``[0, 1, 2]``, pickled by NumPy 2."""


def codec(_: dict[str, Any], __: State) -> Answer:
    """An array through msgpack and back, and the bytes of a peer read."""
    numpy = importlib.import_module("numpy")
    msgpack = importlib.import_module("msgpack")
    state = numpy.arange(6, dtype="f4").reshape(2, 3)
    sent = {"state": state, "image": numpy.full((4, 5, 3), 7, dtype="u1"), "text": "go"}
    came = unpack(msgpack, numpy, pack(msgpack, numpy, sent))
    for name in ("state", "image"):
        if came[name].dtype != sent[name].dtype or not (came[name] == sent[name]).all():
            raise StepFailedError(f"{name} comes back changed: {came[name].dtype} {came[name]!r}")
    fixed = unpack(msgpack, numpy, _FIXED)["state"]
    if fixed.shape != (2, 3) or fixed.dtype != state.dtype or not (fixed == state).all():
        raise StepFailedError(f"an array of a peer is read as {fixed!r}")
    version = ".".join(map(str, getattr(msgpack, "version", ())))
    return PASS, f"msgpack {version}, NumPy {numpy.__version__}"


def pack(msgpack: Any, numpy: Any, value: Any) -> bytes:
    """A value with arrays, as GR00T's ``MsgSerializer`` (server_client.py) writes it."""

    def encoded(one: Any) -> Any:
        if not isinstance(one, numpy.ndarray):
            raise TypeError(f"{type(one).__name__} has no form on the wire")
        file = io.BytesIO()
        numpy.save(file, one, allow_pickle=False)
        return {"__ndarray_class__": True, "as_npy": file.getvalue()}

    return bytes(msgpack.packb(value, default=encoded))


def unpack(msgpack: Any, numpy: Any, data: bytes) -> Any:
    """What :func:`pack` has written, or a peer."""

    def decoded(one: dict[str, Any]) -> Any:
        if "__ndarray_class__" not in one:
            return one
        return numpy.load(io.BytesIO(one["as_npy"]), allow_pickle=False)

    return msgpack.unpackb(data, object_hook=decoded)


def numpy_2_pickle(_: dict[str, Any], __: State) -> Answer:
    """A pickle that NumPy 2 wrote: 1.26.0 and older cannot read it."""
    numpy = importlib.import_module("numpy")
    try:
        came = pickle.loads(_PICKLE)  # noqa: S301 (our own bytes, above)
    except ModuleNotFoundError as error:
        told = f"NumPy {numpy.__version__} cannot read a pickle of NumPy 2 ({error})"
        return WARN, f"{told}: harmless while the peer has NumPy 1"
    if came.tolist() != [0.0, 1.0, 2.0]:
        raise StepFailedError(f"a pickle of NumPy 2 is read as {came!r}")
    return PASS, f"NumPy {numpy.__version__}"
