"""Started by the interpreter of an image: loads the probes beside this file and hands over.

``PYTHON supervise.py PLAN OUT`` runs all that a plan says, ``PYTHON supervise.py --child PLAN OUT
N`` the test of that number, in the process that the former starts for it.

The probes are a package with a name of its own, and their folder leaves ``sys.path``: a module of
the image that is called ``sites`` or ``steps`` stays what it is.
"""

from __future__ import annotations

import importlib.util
import os
import sys

NAME = "envbuild_smoke_probes"


def load(folder: str) -> None:
    """Make the package of the probes importable under its own name."""
    path = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(NAME, path, submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)


def main(arguments: list[str]) -> int:
    """The exit status of a whole run, or of one test."""
    folder = os.path.dirname(os.path.abspath(__file__))
    here = [os.path.abspath(place) for place in sys.path[:1]]
    if here == [folder]:
        del sys.path[0]
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    load(folder)
    if arguments[:1] == ["--child"]:
        child = importlib.import_module(f"{NAME}.child")
        sys.dont_write_bytecode = before
        return int(child.main(arguments[1], arguments[2], int(arguments[3])))
    supervising = importlib.import_module(f"{NAME}.supervising")
    return int(supervising.main(arguments[0], arguments[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
