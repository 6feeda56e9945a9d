"""NumPy in a running process: its submodules, where they come from, whether arrays survive."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from .results import PASS, WARN
from .sites import numpy_version, same_version
from .steps import Answer, State, StepFailedError

_SUBMODULES = ("random", "testing", "ma", "lib.recfunctions", "linalg", "fft")
"""Those that break where two releases are mixed."""

_NAMED = 6
"""Modules that are named of those that come from elsewhere."""

_DTYPES = (("f8", 8), ("f4", 4), ("i8", 8), ("u1", 1), ("?", 1), ("c16", 16))


def submodules(_: dict[str, Any], __: State) -> Answer:
    """Import them, each for itself; all that fail are told of."""
    errors: list[tuple[str, BaseException]] = []
    for name in _SUBMODULES:
        try:
            importlib.import_module(f"numpy.{name}")
        except Exception as error:  # noqa: BLE001 (each is told of)
            errors.append((name, error))
    if errors:
        lines = tuple(f"numpy.{name}: {type(error).__name__}: {error}" for name, error in errors)
        raise StepFailedError("; ".join(lines), lines)
    return PASS, ", ".join(_SUBMODULES)


def one_root(_: dict[str, Any], state: State) -> Answer:
    """Every loaded module of NumPy comes from one folder, and its version is the expected one."""
    numpy = importlib.import_module("numpy")
    found = _roots()
    main = _root(numpy)
    others = {root: names for root, names in found.items() if root != main}
    total = sum(map(len, found.values()))
    foreign = {
        root: names
        for root, names in others.items()
        if not same_version(numpy_version(root), numpy.__version__)
    }
    if foreign:
        lines = tuple(_mixed(numpy.__version__, *one, total) for one in foreign.items())
        raise StepFailedError(f"{lines[0]}; NumPy {numpy.__version__} is {main}", lines)
    if state.numpy and not same_version(numpy.__version__, state.numpy):
        raise StepFailedError(f"NumPy {numpy.__version__} of {main} runs, and not {state.numpy}")
    if others and {os.path.realpath(root) for root in found} != {os.path.realpath(main)}:
        where = ", ".join(sorted(others))
        told = f"{total} modules of NumPy {numpy.__version__}, some of a second copy of the same"
        return WARN, f"{told} version in {where}: harmless as long as both stay"
    return PASS, f"{total} modules of NumPy {numpy.__version__}, all from {main}"


def _mixed(running: str, root: str, names: list[str], total: int) -> str:
    named = ", ".join(sorted(names)[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return (
        f"modules of NumPy {numpy_version(root) or '(unknown)'} run under NumPy {running}: "
        f"{len(names)} of {total} come from {root} ({named})"
    )


def _roots() -> dict[str, list[str]]:
    """The loaded modules of NumPy by the folder of the copy that they come from."""
    found: dict[str, list[str]] = {}
    for name, module in list(sys.modules.items()):
        if name == "numpy" or name.startswith("numpy."):
            root = _root(module)
            if root:
                found.setdefault(root, []).append(name)
    return found


def _root(module: Any) -> str:
    """The ``numpy`` folder that a module's file lies in; empty where it has no file."""
    path = getattr(module, "__file__", None)
    if not isinstance(path, str):
        return ""
    place, middle, _rest = path.rpartition("/numpy/")
    return f"{place}/numpy" if middle else ""


def round_trip(_: dict[str, Any], __: State) -> Answer:
    """Arrays keep dtype, size and values through bytes, buffers, and torch where it is loaded."""
    numpy = importlib.import_module("numpy")
    for code, size in _DTYPES:
        array = numpy.arange(6).astype(code)
        again = numpy.frombuffer(array.tobytes(), dtype=code)
        view = memoryview(array)
        if array.dtype.itemsize != size or view.itemsize != size or again.size != array.size:
            raise StepFailedError(f"dtype {code} has size {array.dtype.itemsize}, not {size}")
        if not (again == array).all():
            raise StepFailedError(f"an array of dtype {code} comes back changed from its bytes")
    torch = sys.modules.get("torch")
    if torch is None:
        return PASS, "through bytes"
    array = numpy.arange(6, dtype="f4")
    if not (torch.from_numpy(array.copy()).numpy() == array).all():
        raise StepFailedError("an array comes back changed from torch")
    return PASS, "through bytes and torch"
