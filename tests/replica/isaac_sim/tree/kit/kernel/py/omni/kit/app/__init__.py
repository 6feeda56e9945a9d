"""A stand-in for omni.kit.app: the running app and its extension manager."""

from __future__ import annotations

import os

from kitreplica import ROOT, VERSION, log
from omni.ext._impl._internal import Manager, manager

__replica__ = True


class _App:
    """The one app of a process."""

    def get_extension_manager(self) -> Manager:
        return manager

    def get_build_version(self) -> str:
        return f"{VERSION}-replica"

    def get_app_version(self) -> str:
        return VERSION

    def is_running(self) -> bool:
        return True

    def update(self) -> None:
        """Nothing moves here."""

    def shutdown(self) -> None:
        log.flush()


_app = _App()


def get_app() -> _App:
    """The app."""
    return _app


def get_app_interface() -> _App:
    """The app, by its older name."""
    return _app


def crash(status: int) -> None:
    """End the process at once."""
    log.flush()
    os._exit(status)


__all__ = ["ROOT", "crash", "get_app", "get_app_interface"]
