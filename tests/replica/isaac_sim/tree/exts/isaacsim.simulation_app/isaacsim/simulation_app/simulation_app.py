"""Replica of SimulationApp: starts the stand-in of Kit and the extensions of an experience file."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import carb
from kitreplica import ROOT, VERSION, faults, log, standins
from omni.ext._impl import fast_importer
from omni.ext._impl._internal import manager

_FOLDERS = ("kit/exts", "kit/extscore", "exts", "extsDeprecated", "extscache", "extsPhysics")


class SimulationApp:
    """The app of a process: extensions are there once it is made."""

    DEFAULT_LAUNCHER_CONFIG: ClassVar[dict[str, object]] = {
        "headless": True,
        "fast_shutdown": True,
        "width": 1280,
        "height": 720,
    }

    def __init__(
        self, launch_config: Mapping[str, object] | None = None, experience: str = ""
    ) -> None:
        self.config = {**self.DEFAULT_LAUNCHER_CONFIG, **(launch_config or {})}
        faults.accept_eula()
        early = sorted({name.partition(".")[0] for name in sys.modules} & {"pxr"})
        self._start(Path(experience or ROOT / "apps/isaacsim.exp.base.python.kit"))
        if early:
            log.write("Warning", "isaacsim.simulation_app", f"imported before the app: {early}")
        signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
        self._running = True

    def _start(self, experience: Path) -> None:
        log.begin()
        if (ROOT / "kit/libcarb.so").exists():
            ctypes.CDLL(str(ROOT / "kit/libcarb.so"))
        faults.leave_child()
        faults.hang()
        faults.use_memory()
        faults.warm_cache()
        fast_importer.install()
        standins.install()
        for folder in _FOLDERS:
            manager.add_path(ROOT / folder)
        log.write("Info", "isaacsim.simulation_app", f"{VERSION}-replica, experience {experience}")
        wanted, settings = _experience(experience)
        for path, value in (*settings, *_arguments(sys.argv)):
            carb.settings.get_settings().set(path, value)
        for name in (*wanted, *_after(sys.argv, "--enable")):
            if manager.has(name):
                manager.set_extension_enabled_immediate(name, True)
            else:
                log.write("Info", "kitreplica", f"not part of the replica: {name}")
        log.write("Info", "omni.kit.app.plugin", "app ready")
        log.console("app ready")

    def update(self) -> None:
        """A frame; nothing is drawn."""

    def is_running(self) -> bool:
        """Whether it was not closed."""
        return self._running

    def set_setting(self, path: str, value: object) -> None:
        """Change a setting of carb."""
        carb.settings.get_settings().set(path, value)

    def close(self, wait_for_replicator: bool = True) -> None:
        """End the app. With ``fast_shutdown`` the process ends here, with status 0."""
        self._running = False
        log.console("Simulation App Shutting Down")
        log.flush()
        faults.close()
        if self.config["fast_shutdown"]:
            sys.stdout.flush()
            os._exit(0)


def _experience(path: Path) -> tuple[list[str], list[tuple[str, object]]]:
    """The extensions and settings of an experience file, after those of the files it names."""
    told = _read(path.read_text())
    wanted: list[str] = []
    settings: list[tuple[str, object]] = []
    for name in told.get("dependencies", {}):
        below = path.with_name(f"{name}.kit")
        if below.exists():
            more, set_there = _experience(below)
            wanted += more
            settings += set_there
        else:
            wanted.append(name)
    return wanted, settings + list(_flat(told.get("settings", {}), ""))


def _read(text: str) -> dict[str, object]:
    """An experience file; unlike TOML it may open a table twice."""
    whole: dict[str, object] = {}
    for table in re.split(r"^(?=\[)", text, flags=re.MULTILINE):
        _lay(whole, tomllib.loads(table))
    return whole


def _lay(whole: dict[str, object], more: Mapping[str, object]) -> None:
    for name, value in more.items():
        below = whole.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            _lay(below, value)
        else:
            whole[name] = value


def _flat(values: Mapping[str, object], above: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        path = f"{above}/{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, value


def _arguments(argv: list[str]) -> Iterator[tuple[str, object]]:
    for text in argv:
        path, is_setting, value = text.removeprefix("--").partition("=")
        if text.startswith("--/") and is_setting:
            yield path, {"true": True, "false": False}.get(value, value)


def _after(argv: list[str], option: str) -> Iterator[str]:
    for here, text in enumerate(argv[:-1]):
        if text == option:
            yield argv[here + 1]
