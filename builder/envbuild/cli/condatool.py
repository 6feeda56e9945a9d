"""The conda solver of a run, with the user's own conda settings."""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING

from envbuild.lock.conda import channels
from envbuild.tools import files, proc
from envbuild.tools.env import conda_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.lock.conda.asking import CondaSolver
    from envbuild.lock.conda.channels import Settings
    from envbuild.lock.conda.external import Program
    from envbuild.tools.conda import Record
    from envbuild.tools.solving import Solver


class CondaTool:
    """The conda solver, looked for when it is first wanted: a half that stands needs none.

    ``chosen`` is a program for conda-lock to use, empty for the solver that envbuild brings.
    """

    def __init__(self, *, offline: bool, refresh: bool, chosen: str = "") -> None:
        self._offline = offline
        self._refresh = refresh
        self._chosen = chosen
        self._turn = threading.Lock()

    def __call__(self) -> CondaSolver:
        """The solver to use."""
        with self._turn:
            return self._found

    @functools.cached_property
    def _found(self) -> CondaSolver:
        if self._chosen:
            from envbuild.lock.conda import external

            return external.solver(self.program, self.settings, self._environment(), proc.run)
        from envbuild.lock.conda import embedded

        return embedded.solver(self.settings, self._solver)

    @functools.cached_property
    def settings(self) -> Settings:
        """The user's conda settings."""
        return user_settings()

    def _solver(self) -> Solver:
        with self._turn:
            return self._made

    @functools.cached_property
    def _made(self) -> Solver:
        from envbuild.tools.solving import Solver

        cache = channels.cache_folder(os.environ)
        access = self.settings.access(cache, offline=self._offline, refresh=self._refresh)
        return Solver(access)

    def program(self) -> Program:
        """The chosen program.

        Raises:
            ToolError: it is missing, or does not say its version.
        """
        return self._program

    @functools.cached_property
    def _program(self) -> Program:
        import shutil  # 2 ms that a half which stands does not need

        from envbuild.lock.conda import external

        path = shutil.which(self._chosen) or self._chosen
        return external.program(path, self._environment(), proc.run)

    def _environment(self) -> tuple[tuple[str, str], ...]:
        """What the chosen program sees; conda and mamba take the network away by a variable."""
        off = {"CONDA_OFFLINE": "true", "MAMBA_OFFLINE": "true"} if self._offline else {}
        return tuple({**conda_environment(os.environ), **off}.items())


def user_settings() -> Settings:
    """The user's conda settings.

    Raises:
        InputError: such a file cannot be read.
    """
    return channels.user_settings(os.environ, _read)


def read_lock(data: bytes) -> Mapping[str, tuple[Record, ...]]:
    """The packages of a ``conda-lock.yml``, by platform.

    Raises:
        InputError: it is not in conda-lock's format.
    """
    from envbuild.tools import condalock  # only where a file is written anew

    return condalock.records(data, label="conda-lock.yml")


def _read(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None
