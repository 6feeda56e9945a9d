"""The steps of a test, by the name that a plan gives them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from .results import PASS


class StepFailedError(Exception):
    """A check says no; ``lines`` are what it saw."""

    def __init__(self, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.lines = lines


class State:
    """What one step leaves to the next: the app, and what the plan says of all."""

    def __init__(self, *, numpy: str, network: bool) -> None:
        self.app: Any = None
        self.numpy = numpy
        self.network = network


Answer = tuple[str, str]
"""A verdict and its reason."""

Step = Callable[[dict[str, Any], State], Answer]


def do(step: dict[str, Any], state: State) -> Answer:
    """Do a step.

    Raises:
        BaseException: whatever the image's own code raises; the check has failed then.
    """
    module, name = _STEPS[step["do"]]
    found: Step = getattr(importlib.import_module(f".{module}", __package__), name)
    return found(step, state)


_STEPS = {
    "import": ("steps", "import_module"),
    "code": ("steps", "run_code"),
    "launch": ("app", "launch"),
    "cameras": ("app", "cameras"),
    "extensions": ("app", "extensions"),
    "franka": ("assets", "franka"),
    "franka-usd": ("assets", "franka_usd"),
    "numpy-submodules": ("numpys", "submodules"),
    "numpy-one-root": ("numpys", "one_root"),
    "numpy-round-trip": ("numpys", "round_trip"),
    "torch-architectures": ("torches", "architectures"),
    "torch-operation": ("torches", "operation"),
    "wire-codec": ("wire", "codec"),
    "wire-pickle": ("wire", "numpy_2_pickle"),
    "service-port": ("service", "port"),
}
"""A step is imported when it is done, so that a test pays for its own alone."""


def first_of(names: tuple[str, ...]) -> Any:
    """The first module that is there, under the names that it has had.

    Raises:
        ImportError: none is, or one is there and something that it imports is not.
    """
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            absent = error.name is not None and f"{name}.".startswith(f"{error.name}.")
            if not absent or name == names[-1]:
                raise
    raise ImportError("no name was given")


def import_module(step: dict[str, Any], _: State) -> Answer:
    """Import a module; its version where it says one."""
    name: str = step["module"]
    importlib.import_module(name)
    module = sys.modules.get(name)
    version = getattr(module, "__version__", "")
    return PASS, version if isinstance(version, str) else ""


def run_code(step: dict[str, Any], _: State) -> Answer:
    """Run a piece of Python, as a file of that name would run."""
    space = {"__name__": "__main__", "__file__": step["file"], "__builtins__": __builtins__}
    exec(compile(step["code"], step["file"], "exec"), space)  # noqa: S102 (the user's own check)
    return PASS, ""
