"""The user's own ways to registries, archives and repositories, for the pins of a lock."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from envbuild.lock.pin_world import Doors
from envbuild.lock.pinning import Pinner
from envbuild.tools import files, proc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.tools.manifests import Manifest
    from envbuild.tools.references import Mirror


class PinTool:
    """The doors, made when something is first asked: pins that stand need none."""

    def __init__(self, mirrors: Iterable[Mirror]) -> None:
        self._mirrors = tuple(mirrors)
        self._turn = threading.Lock()
        self._made: Doors | None = None

    def __call__(self) -> Doors:
        """The ways to the world outside."""
        with self._turn:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> Doors:
        from envbuild.lock.apt import image  # with HTTP 100 ms, which pins that stand do not need
        from envbuild.lock.apt.archive import Archives
        from envbuild.tools import gitremote
        from envbuild.tools.logins import Logins
        from envbuild.tools.net import Http
        from envbuild.tools.registry import Registry
        from envbuild.tools.store import cache_folder

        environ = dict(os.environ)
        http, cache = Http(environ), cache_folder(environ)
        registry = Registry(http, Logins(environ, _read, proc.run), self._mirrors)

        def system(reference: str, manifest: Manifest) -> image.ImageSystem:
            return image.read(registry, reference, manifest, cache)

        return Doors(
            manifest=registry.manifest,
            system=system,
            suite=Archives(http, cache).suite,
            commit=lambda url, ref: gitremote.commit_of(url, ref, environ, proc.run),
        )


def pinner(*, offline: bool, anew: bool, mirrors: Iterable[Mirror]) -> Pinner:
    """Who asks for pins: nobody is asked ``offline``; ``anew`` asks for what is pinned too."""
    return Pinner(None if offline else PinTool(mirrors), anew=anew)


def _read(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None
