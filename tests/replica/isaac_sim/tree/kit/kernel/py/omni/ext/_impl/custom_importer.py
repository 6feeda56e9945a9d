"""Replica: imports an extension's Python module; a failure is logged, and the app goes on."""

from __future__ import annotations

import importlib
import traceback
from types import ModuleType

from kitreplica import log

_CHANNEL = "omni.ext._impl.custom_importer"


def import_module(name: str) -> ModuleType | None:
    """The module; None when its import failed, which the log tells."""
    try:
        return importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 (whatever an extension raises must not end the app)
        said = f"Failed to import python module {name}. Error: {error}. Traceback:"
        log.write("Error", _CHANNEL, f"{said}\n{traceback.format_exc()}")
        return None
