"""Replica: the finder that stands before Python's own once the app runs.

It has a table of full dotted names, filled from the folders of extensions (``pip_prebundle``
among them), and asks neither ``sys.path`` nor the ``__path__`` of a parent package. A submodule
of a package that came from elsewhere is therefore taken from the extension's folder.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder

_SUFFIXES = (*importlib.machinery.EXTENSION_SUFFIXES, ".py")
_NO_MODULES = {"__pycache__", "include", "share", "bin", "config"}


class FastFinder:
    """Finds modules by name in a table."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._namespaces: dict[str, list[str]] = {}

    def add(self, folder: str) -> None:
        """Take over every module below a folder; who was there first stays."""
        for here, folders, files in os.walk(folder):
            folders[:] = sorted(
                name for name in folders if name.isidentifier() and name not in _NO_MODULES
            )
            package = os.path.relpath(here, folder).replace(os.sep, ".")
            prefix = "" if package == "." else f"{package}."
            for file in files:
                name = _module(file)
                if name == "__init__":
                    self._files.setdefault(package, os.path.join(here, file))
                elif name:
                    self._files.setdefault(prefix + name, os.path.join(here, file))
            if prefix and "__init__.py" not in files:
                self._namespaces.setdefault(package, []).append(here)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        """The file of a name; ``path``, where Python would look, does not count."""
        file = self._files.get(fullname)
        if file is not None:
            inside = (
                [os.path.dirname(file)] if _module(os.path.basename(file)) == "__init__" else None
            )
            return importlib.util.spec_from_file_location(
                fullname, file, submodule_search_locations=inside
            )
        if fullname in self._namespaces and "." in fullname:
            elsewhere = PathFinder.find_spec(fullname, path)
            if elsewhere is not None and elsewhere.loader is not None:
                return None  # a package of its own, not a folder that extensions share
            spec = ModuleSpec(fullname, None, is_package=True)
            more = list(elsewhere.submodule_search_locations or ()) if elsewhere else []
            spec.submodule_search_locations = [*self._namespaces[fullname], *more]
            return spec
        return None


def _module(file: str) -> str:
    for suffix in _SUFFIXES:
        if file.endswith(suffix):
            return file.removesuffix(suffix)
    return ""


finder = FastFinder()


def install() -> None:
    """Put the finder before all others."""
    if finder not in sys.meta_path:
        sys.meta_path.insert(0, finder)
