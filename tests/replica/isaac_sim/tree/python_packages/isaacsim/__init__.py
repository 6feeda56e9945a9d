"""A stand-in for the package isaacsim: its parts lie in the folders of extensions."""

import os
import sys
from pathlib import Path
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
__replica__ = True


def _find_app() -> None:
    """Let the parts be found where python.sh has not done it: as the wheel does when imported."""
    root = next(p for p in Path(__file__).resolve().parents if (p / "kit/kernel/py").is_dir())
    for name, folder in (("CARB_APP_PATH", "kit"), ("ISAAC_PATH", ""), ("EXP_PATH", "apps")):
        os.environ.setdefault(name, str(root / folder))
    for folder in (root / "kit/kernel/py", root / "exts/isaacsim.simulation_app"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    inside = str(root / "exts/isaacsim.simulation_app/isaacsim")
    if inside not in __path__:
        __path__.append(inside)


_find_app()


def __getattr__(name: str) -> object:
    if name == "SimulationApp":
        from isaacsim.simulation_app import SimulationApp

        return SimulationApp
    raise AttributeError(name)
