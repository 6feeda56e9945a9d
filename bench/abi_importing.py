"""Run by ``python -I -S``: import modules, each in a process of its own, and print what came.

``abi_importing.py SITE[:SITE...] < modules.json``; the modules are pairs of a dotted name and a
path. A line of JSON for each: ``[name, outcome]``, where the outcome is ``ok``, how it failed by
NumPy's ABI (``cython``: the size of a type; ``since``: a C-API that is too new; ``c-api``: one that
is too old) or ``unknown`` (for another reason, or killed).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import sys
import tempfile
import traceback

SECONDS = 120
"""That one import may take."""

SIZE = re.compile(rb"numpy\.\w+ size changed, may indicate binary incompat")
FEATURE = re.compile(rb"compiled against (?:NumPy C-)?API version")
ARRAY = re.compile(
    rb"compiled using NumPy 1\.x cannot be run"
    rb"|numpy\._?core\.\w+ failed to import"
    rb"|compiled against ABI version"
    rb"|_ARRAY_API not found"
)

HALF = re.compile(rb"SystemError: <built-in function __import__> returned a result with an exc")
"""A module says that it has failed, and that it has not: NumPy's C-API is a null pointer in it."""


def main() -> None:
    """Import all of them."""
    sys.path[:0] = sys.argv[1].split(":")
    for name, path in json.load(sys.stdin):
        outcome = tried(name, "")
        if outcome == "unknown":  # its package does not come up: the module alone
            outcome = tried(name, path)
        print(json.dumps([name, outcome]), flush=True)


def tried(name: str, path: str) -> str:
    """What a child says of one import, by name or (with a path) of the file alone."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if not child:
            imported(name, path, said.fileno())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        text = said.read()
    # What was printed on the way may be of an import that somebody has caught.
    printed, found, error = text.partition(b"\0raised\0")
    if status == 0:
        return "c-api" if HALF.search(printed) and ARRAY.search(printed) else "ok"
    error = error if found else text
    if SIZE.search(error):
        return "cython"
    if FEATURE.search(error) or (ARRAY.search(error) and FEATURE.search(printed)):
        return "since"
    return "c-api" if ARRAY.search(error) else "unknown"


def imported(name: str, path: str, said: int) -> None:
    """In the child: import, and end."""
    os.dup2(said, 1)
    os.dup2(said, 2)
    import signal

    signal.alarm(SECONDS)
    try:
        if path:
            short = name.rpartition(".")[2]
            spec = importlib.util.spec_from_file_location(short, path)
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        else:
            importlib.import_module(name)
    except BaseException:  # noqa: BLE001 - whatever it is, the outcome is what is asked for
        error = traceback.format_exc().encode("utf-8", "replace")
        os.write(2, b"\0raised\0" + error)
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
