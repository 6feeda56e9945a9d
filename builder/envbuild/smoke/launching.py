"""A command of the user's as it runs in an image: by the profile's own interpreter. Pure."""

from __future__ import annotations

import ast
import re

from envbuild.profile.model import Environment
from envbuild.smoke.planning import interpreter

_PYTHON = re.compile(r"^python(3(\.\d+)?)?$")

_STARTERS = frozenset({"SimulationApp", "AppLauncher"})

_TOO_EARLY = frozenset({"numpy", "torch", "torchvision", "scipy", "pandas", "cv2", "pinocchio"})
"""What a simulator must be started before: it brings its own (IsaacLab#2090, #5008)."""

_NOT_YET = frozenset({"omni", "carb", "pxr", "isaaclab_assets", "isaaclab_tasks"})
"""What is there only when the app runs."""


def command(words: tuple[str, ...], environment: Environment) -> tuple[str, ...]:
    """The command line inside the image.

    What begins with ``python``, with a ``.py`` file, ``-m`` or ``-c`` is started by the profile's
    interpreter (Isaac Sim's is ``python.sh``, without which nothing of it is found); anything else
    runs as it is written.
    """
    first = words[0]
    start = interpreter(environment.python)
    if _PYTHON.match(first):
        return (start, *words[1:])
    if first.endswith(".py") or first in ("-m", "-c"):
        return (start, *words)
    return words


def script(words: tuple[str, ...]) -> str:
    """The file of Python that a command runs; empty where it runs none."""
    rest = words[1:] if _PYTHON.match(words[0]) or words[0].endswith("/python.sh") else words
    return rest[0] if rest and rest[0].endswith(".py") else ""


def early(text: str) -> tuple[tuple[int, str], ...]:
    """What a program imports before it starts its simulator: line and module.

    Nothing where it starts none, or cannot be read. Only what stands at the top of the file is
    looked at: what a function imports comes when it is called.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return ()
    start = next((place for place, one in enumerate(body) if _starts(one)), None)
    if start is None:
        return ()
    return tuple(
        (one.lineno, name)
        for one in body[:start]
        for name in _imported(one)
        if name.partition(".")[0] in _TOO_EARLY | _NOT_YET
    )


def _starts(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    return any(
        isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in _STARTERS
        for node in ast.walk(statement)
    )


def _imported(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.Import):
        return tuple(one.name for one in statement.names)
    if isinstance(statement, ast.ImportFrom) and not statement.level:
        return (statement.module or "",)
    return ()
