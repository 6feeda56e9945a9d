"""The uv of the user's machine, with the user's own index settings."""

from __future__ import annotations

import functools
import os
import sys
import threading

from envbuild.lock import indexes, uv
from envbuild.tools import files, proc, uvcache
from envbuild.tools.env import solver_environment


def prepare_tool(*, offline: bool, refresh: bool) -> tuple[uv.Uv, str]:
    """The uv to use with the user's own index settings, and which setting names the index.

    Whether it is there and new enough is not known yet: :func:`envbuild.lock.uv.version` asks it.
    """
    environ = dict(os.environ)
    settings = indexes.user_indexes(environ, _read_settings)
    own = solver_environment(environ, offline=offline)
    environment = tuple({**own, **settings.environment}.items())
    beside = f"{os.path.dirname(sys.executable)}/uv"
    executable = environ.get("ENVBUILD_UV") or (beside if os.path.exists(beside) else "uv")
    tool = uv.Uv(
        executable=executable,
        python=sys.executable,
        environment=environment,
        configuration=settings.configuration,
        offline=offline,
        refresh=refresh,
    )
    return tool, settings.origin


def checked_tool(*, offline: bool) -> uv.Uv:
    """The same, where what it is needed for comes late or is long.

    Raises:
        ToolError: it is missing, too old, or does not answer.
    """
    tool, _ = prepare_tool(offline=offline, refresh=False)
    uv.version(tool.executable, tool.environment, proc.run)
    return tool


def _read_settings(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None


class Tool:
    """uv, looked for when it is first wanted: a lock that stands needs none."""

    def __init__(self, *, offline: bool, refresh: bool) -> None:
        self._turn = threading.Lock()
        self._prepare = functools.partial(prepare_tool, offline=offline, refresh=refresh)
        self._found: tuple[uv.Uv, str] | None = None
        self._version = ""

    def __call__(self) -> uv.Uv:
        """The uv to use."""
        return self._both()[0]

    def version(self) -> str:
        """Its version: asked for once, and not before the first resolution is on its way.

        Raises:
            ToolError: it is missing, too old, or does not answer.
        """
        tool = self()
        with self._turn:
            if not self._version:
                self._version = uv.version(tool.executable, tool.environment, proc.run)
            return self._version

    def index_origin(self) -> str:
        """Which setting names the default index."""
        return self._both()[1]

    def metadata(self) -> uvcache.MetadataFiles:
        """What its cache holds now."""
        tool = self()
        environ = dict(tool.environment)
        cache = uvcache.folder(environ, tool.configuration.get("cache-dir"))
        return uvcache.MetadataFiles(cache)

    def _both(self) -> tuple[uv.Uv, str]:
        with self._turn:
            if self._found is None:
                self._found = self._prepare()
            return self._found
