"""Replica: the extension manager. It reads config/extension.toml and starts what is asked for."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from kitreplica import log
from omni.ext import IExt
from omni.ext._impl import custom_importer, fast_importer


@dataclass
class Extension:
    """One folder with an extension."""

    name: str
    version: str
    path: Path
    dependencies: dict[str, dict[str, object]]
    modules: tuple[dict[str, object], ...]
    running: list[IExt] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.name}-{self.version}"


def _read(path: Path) -> Extension:
    told = tomllib.loads((path / "config/extension.toml").read_text())
    name, _, version = path.name.partition("-")
    package = told.get("package", {})
    return Extension(
        name=name,
        version=str(package.get("version", version or "0.0.0")),
        path=path,
        dependencies=told.get("dependencies", {}),
        modules=tuple(told.get("python", {}).get("module", ())),
    )


class Manager:
    """The extensions of some folders, and which of them were started."""

    def __init__(self) -> None:
        self._known: dict[str, Extension] = {}
        self._enabled: dict[str, Extension] = {}

    def add_path(self, folder: Path) -> None:
        """Know the extensions of a folder."""
        for config in sorted(folder.glob("*/config/extension.toml")):
            extension = _read(config.parent.parent)
            self._known.setdefault(extension.name, extension)

    def has(self, name: str) -> bool:
        """Whether there is such an extension."""
        return name in self._known

    def is_extension_enabled(self, name: str) -> bool:
        return name in self._enabled

    def get_enabled_extension_id(self, name: str) -> str | None:
        found = self._enabled.get(name)
        return found.id if found else None

    def get_extension_path(self, ext_id: str) -> str:
        found = [one for one in self._known.values() if ext_id in (one.id, one.name)]
        return str(found[0].path) if found else ""

    def get_extensions(self) -> tuple[dict[str, object], ...]:
        return tuple(
            {
                "id": one.id,
                "name": one.name,
                "enabled": one.name in self._enabled,
                "path": str(one.path),
            }
            for one in self._known.values()
        )

    def set_extension_enabled_immediate(self, name: str, enabled: bool) -> bool:
        """Start an extension and what it depends on; True when it is there."""
        if not enabled or name in self._enabled:
            return name in self._known
        extension = self._known.get(name)
        missing = self._missing(name, set())
        if extension is None or missing:
            log.write(
                "Error", "omni.ext.plugin", f"Failed to resolve extension dependencies. {missing}"
            )
            return False
        self._enabled[name] = (
            extension  # as in Kit, a failure of its Python part does not undo this
        )
        for dependency in extension.dependencies:
            self.set_extension_enabled_immediate(dependency, True)
        self._start(extension)
        return True

    set_extension_enabled = set_extension_enabled_immediate

    def _missing(self, name: str, seen: set[str]) -> str:
        if name not in self._known:
            return f"Failure hints: dependency: '{name}' = {{}} can't be satisfied. Available versions: (none found)"
        seen.add(name)
        for dependency, told in self._known[name].dependencies.items():
            if dependency not in seen and not told.get("optional"):
                reason = self._missing(dependency, seen)
                if reason:
                    return reason
        return ""

    def _start(self, extension: Extension) -> None:
        for module in extension.modules:
            fast_importer.finder.add(str(extension.path / str(module.get("path", "."))))
        log.started(extension.id)
        for name in (str(module["name"]) for module in extension.modules if "name" in module):
            found = custom_importer.import_module(name)
            if found is None:
                self._failed(extension, name)
                continue
            for value in list(vars(found).values()):
                if isinstance(value, type) and issubclass(value, IExt) and value is not IExt:
                    extension.running.append(value())
                    extension.running[-1].on_startup(extension.id)

    def _failed(self, extension: Extension, module: str) -> None:
        said = (
            f"Exception: Extension python module: '{module}' in '{extension.path}' failed to load."
        )
        log.write(
            "Error", "carb.scripting-python.plugin", f"{said}\n\nAt:\n  {__file__}(0): startup\n"
        )
        said = f"[ext: {extension.id}] Failed to startup python extension."
        log.write("Error", "omni.ext.plugin", said)


manager = Manager()
