"""A stand-in for carb: settings that are kept, messages that are logged, other names by stand-ins."""

from __future__ import annotations

from collections.abc import Callable

from kitreplica import log, standins

from carb import settings

__replica__ = True


def _said(level: str) -> Callable[[str], None]:
    def say(text: str) -> None:
        log.write(level, "python", str(text))

    return say


log_verbose = log_info = _said("Info")
log_warn = _said("Warning")
log_error = _said("Error")


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    return standins.thing(f"carb.{name}")


__all__ = ["log_error", "log_info", "log_verbose", "log_warn", "settings"]
