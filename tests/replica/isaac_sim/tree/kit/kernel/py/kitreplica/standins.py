"""Stand-ins for modules of the simulator that nothing here works with, only imports.

``standins.txt`` names every one of them: another module of the simulator is missing here as it
would be in an app that does not load it. Each stand-in says that it is one: ``__replica__``.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Self

_NAMES = frozenset(
    line.split()[0]
    for line in Path(__file__).with_name("standins.txt").read_text().splitlines()
    if line and not line.startswith("#")
)


class _Kind(type):
    """The type of stand-in classes: they have any attribute."""

    def __getattr__(cls, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return thing(f"{cls.__module__}.{cls.__qualname__}.{name}")

    def __int__(cls) -> int:
        return 0

    __index__ = __int__

    def __iter__(cls) -> Iterator[object]:
        return iter(())


class Anything:
    """A value that can be called, asked for attributes and turned into text."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"replica:{self._path}"

    __str__ = __repr__

    def __call__(self, *_: object, **__: object) -> object:
        return Anything(f"{self._path}()")

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return thing(f"{self._path}.{name}")

    def __getitem__(self, key: object) -> object:
        return Anything(f"{self._path}[{key!r}]")

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def thing(path: str) -> object:
    """A stand-in by its dotted path: a class if its name begins like one, else a value."""
    module, _, name = path.rpartition(".")
    if not name[:1].isupper():
        return Anything(path)

    def init(self: object, *_: object, **__: object) -> None:
        return None

    def get(self: object, wanted: str) -> object:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        return thing(f"{path}().{wanted}")

    members = {"__module__": module, "__init__": init, "__getattr__": get, "__replica__": True}
    return _Kind(name, (), members)


class _Module(ModuleType):
    """A stand-in module."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        made = thing(f"{self.__name__}.{name}")
        setattr(self, name, made)
        return made


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the named stand-ins, after everyone else was asked."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of a stand-in; None for any other name."""
        if fullname not in _NAMES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True, origin="replica")

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """An empty stand-in."""
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Mark it."""
        module.__dict__["__replica__"] = True


def install() -> None:
    """Let the named modules be found from now on."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())
