"""What the replica promises the other tests: sizes, both orders, Isaac Lab's own launcher."""

from __future__ import annotations

import json

import pytest

from tests.support.engine import Engine

pytestmark = [pytest.mark.container, pytest.mark.network]

APP = """
import importlib, json, os, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
from isaacsim import SimulationApp
app = SimulationApp({"headless": True})
for name in ("isaacsim.sensors.camera", "omni.syntheticdata", "omni.replicator.core",
             "numpy.random", "numpy.testing", "numpy.ma", "numpy.lib.recfunctions"):
    importlib.import_module(name)
import numpy
loaded = [m for n, m in list(sys.modules.items()) if n.partition(".")[0] == "numpy"]
files = [m.__file__ for m in loaded if getattr(m, "__file__", None)]
roots = sorted({os.path.realpath(file).partition("/numpy/")[0] for file in files})
os.write(1, (json.dumps([numpy.__version__, roots]) + "\\n").encode())
app.close()
"""

LAB = """
import os
from isaaclab.app import AppLauncher
launcher = AppLauncher(headless=True, enable_cameras=True)
import omni.kit.app
manager = omni.kit.app.get_app().get_extension_manager()
before = manager.is_extension_enabled("isaacsim.sensors.camera")
manager.set_extension_enabled_immediate("isaacsim.sensors.camera", True)
import isaacsim.sensors.camera
from isaaclab.sensors import TiledCamera, TiledCameraCfg
from isaaclab_assets.robots.franka import FRANKA_PANDA_CFG
import json, torch, carb
said = {
    "app": AppLauncher.__module__,
    "camera extension": [before, manager.is_extension_enabled("isaacsim.sensors.camera")],
    "cameras": carb.settings.get_settings().get("/isaaclab/cameras_enabled"),
    "tiled": TiledCameraCfg.__name__ + " for " + TiledCamera.__mro__[1].__name__,
    "usd": FRANKA_PANDA_CFG.spawn.usd_path.rpartition("/")[2],
    "actuators": sorted(FRANKA_PANDA_CFG.actuators),
    "torch": [torch.__version__, str(torch.ones(2).numpy().dtype)],
}
os.write(1, (json.dumps(said) + "\\n").encode())
launcher.app.close()
"""


def run(engine: Engine, image: str, code: str, *arguments: str) -> list[str]:
    """The lines that a script says in the simulator's Python."""
    return engine(
        "run", "--rm", "--network=none", "--env=OMNI_KIT_ACCEPT_EULA=YES",
        "--entrypoint=/isaac-sim/python.sh", image, "-c", code, *arguments,
    ).splitlines()  # fmt: skip


def size(engine: Engine, image: str) -> float:
    """In MB, unpacked."""
    return int(engine("image", "inspect", "--format={{.Size}}", image)) / 1e6


@pytest.mark.parametrize("first", [[], ["numpy"]], ids=["app-first", "numpy-first"])
def test_the_healthy_layout_works_in_both_orders(
    engine: Engine, layout: str, first: list[str]
) -> None:
    lines = run(engine, layout, APP, *first)
    version, roots = json.loads(next(line for line in lines if line.startswith('["1.26')))
    assert version == "1.26.0"
    assert len(roots) == 1
    assert roots[0].startswith("/isaac-sim/extscache/omni.kit.pip_archive-")
    assert any("[ext: isaacsim.sensors.camera-" in line for line in lines)
    assert not [line for line in lines if "[Error]" in line]


def test_the_layout_is_small(engine: Engine, layout: str) -> None:
    assert size(engine, layout) < 500


def test_a_command_given_to_the_image_is_swallowed(engine: Engine, layout: str) -> None:
    done = engine.run(
        "run", "--rm", "--network=none", "--env=ACCEPT_EULA=Y", "--stop-signal=KILL",
        "--timeout=5", layout, "echo", "hello", timeout=60,
    )  # fmt: skip
    assert "arguments: echo hello" in done.stdout
    assert "hello" not in done.stdout.splitlines()
    assert done.returncode != 0


def test_isaac_labs_own_launcher_starts_and_its_parts_import(engine: Engine, lab: str) -> None:
    lines = run(engine, lab, LAB)
    said = json.loads(next(line for line in lines if line.startswith("{")))
    assert said == {
        "app": "isaaclab.app.app_launcher",
        "camera extension": [False, True],
        "cameras": True,
        "tiled": "TiledCameraCfg for Camera",
        "usd": "panda_instanceable.usd",
        "actuators": ["panda_forearm", "panda_hand", "panda_shoulder"],
        "torch": ["2.13.0+cpu", "float32"],
    }
    assert not [line for line in lines if "[Error]" in line]


def test_the_lab_is_not_too_large(engine: Engine, lab: str) -> None:
    assert size(engine, lab) < 1500


def test_what_was_never_run_is_said_in_the_image(engine: Engine, layout: str) -> None:
    said = run(engine, layout, "print(open('/isaac-sim/REPLICA.md').read())")
    assert "# A replica of Isaac Sim's layout" in said
    assert any("never run on the real thing" in line for line in said)
