"""The conda solver of a run, with the user's own conda settings."""

from __future__ import annotations

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
    from envbuild.tools.conda import Record


class CondaTool:
    """The conda solver, looked for when it is first wanted: a half that stands needs none.

    ``chosen`` is a program for conda-lock to use, empty for the solver that envbuild brings.
    """

    def __init__(self, *, offline: bool, refresh: bool, chosen: str = "") -> None:
        self._offline = offline
        self._refresh = refresh
        self._chosen = chosen
        self._turn = threading.Lock()
        self._made: CondaSolver | None = None

    def __call__(self) -> CondaSolver:
        """The solver to use.

        Raises:
            InputError: the user's conda settings cannot be read.
            ToolError: the chosen program is missing, or does not say its version.
        """
        with self._turn:
            if self._made is None:
                self._made = self._external() if self._chosen else self._embedded()
            return self._made

    def _embedded(self) -> CondaSolver:
        from envbuild.lock.conda import embedded
        from envbuild.tools.solving import Solver

        settings, cache = user_settings(), channels.cache_folder(os.environ)
        access = settings.access(cache, offline=self._offline, refresh=self._refresh)
        return embedded.solver(settings, Solver(access))

    def _external(self) -> CondaSolver:
        import shutil  # 2 ms that a half which stands does not need

        from envbuild.lock.conda import external

        off = {"CONDA_OFFLINE": "true", "MAMBA_OFFLINE": "true"} if self._offline else {}
        environment = tuple({**conda_environment(os.environ), **off}.items())
        path = shutil.which(self._chosen) or self._chosen
        program = external.program(path, environment, proc.run)
        return external.solver(program, user_settings(), environment, proc.run)


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
