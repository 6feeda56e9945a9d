"""The simulator: its start, its extensions, its cameras."""

from __future__ import annotations

import importlib
from typing import Any

from .results import PASS
from .steps import Answer, State, StepFailedError, first_of

_LAUNCHERS = {  # the modules that have the class, the newest name first
    "simulation-app": (("isaacsim", "omni.isaac.kit"), "SimulationApp"),
    "app-launcher": (("isaaclab.app", "omni.isaac.lab.app"), "AppLauncher"),
}


def launch(step: dict[str, Any], state: State) -> Answer:
    """Start the app without a window, as the profile says."""
    kind: str = step["with"]
    modules, name = _LAUNCHERS[kind]
    module = first_of(modules)
    launcher = getattr(module, name)
    if kind == "simulation-app":
        state.app = launcher({"headless": True})
    else:
        state.app = launcher(headless=True, enable_cameras=bool(step["cameras"])).app
    if state.app is None:
        raise StepFailedError(f"{name} gave no app")
    return PASS, f"{module.__name__}.{name}"


def cameras(_: dict[str, Any], __: State) -> Answer:
    """Isaac Lab refuses to make a camera in an app that was started without them."""
    settings = importlib.import_module("carb.settings").get_settings()
    if not settings.get("/isaaclab/cameras_enabled"):
        raise StepFailedError(
            "the app was started without cameras (/isaaclab/cameras_enabled is not set): every "
            "camera would be refused, enable_cameras=True or ENABLE_CAMERAS=1 is missing"
        )
    return PASS, ""


def extensions(step: dict[str, Any], state: State) -> Answer:
    """Enable extensions through Kit's own manager, and ask it whether they are."""
    if not step["extensions"]:
        return PASS, "none is asked for"
    app = importlib.import_module("omni.kit.app").get_app()
    manager = app.get_extension_manager()
    refused = []
    for name in step["extensions"]:
        if not manager.is_extension_enabled(name):
            manager.set_extension_enabled_immediate(name, True)  # noqa: FBT003 (Kit's own)
        if not manager.is_extension_enabled(name):
            refused.append(name)
    update = getattr(state.app, "update", None)
    if update is not None:
        update()
    if refused:
        raise StepFailedError(f"not enabled: {', '.join(refused)}")
    return PASS, ", ".join(step["extensions"])
