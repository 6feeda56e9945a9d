"""A user's command in an image, and the order of what it imports."""

from __future__ import annotations

import pytest

from envbuild.smoke import launching
from tests.unit.smoke.values import BASE, SIMULATOR, SMOKE, profile

VENV = profile(BASE + SMOKE).environment
ISAAC = profile(SIMULATOR + SMOKE).environment


@pytest.mark.parametrize(
    ("words", "run"),
    [
        (("python", "a.py", "--x"), ("/isaac-sim/python.sh", "a.py", "--x")),
        (("python3", "-m", "a"), ("/isaac-sim/python.sh", "-m", "a")),
        (("python3.11", "-c", "1"), ("/isaac-sim/python.sh", "-c", "1")),
        (("python",), ("/isaac-sim/python.sh",)),
        (("scripts/a.py", "--x"), ("/isaac-sim/python.sh", "scripts/a.py", "--x")),
        (("-m", "pytest"), ("/isaac-sim/python.sh", "-m", "pytest")),
        (("-c", "1"), ("/isaac-sim/python.sh", "-c", "1")),
        (("bash", "-c", "python x"), ("bash", "-c", "python x")),
        (("/isaac-sim/python.sh", "a.py"), ("/isaac-sim/python.sh", "a.py")),
        (("./isaaclab.sh", "-p", "a.py"), ("./isaaclab.sh", "-p", "a.py")),
        (("python2", "a.py"), ("python2", "a.py")),
        (("pythonic",), ("pythonic",)),
    ],
)
def test_python_is_the_profiles_own_and_the_rest_is_as_it_is_written(words, run):
    assert launching.command(words, ISAAC) == run


def test_a_virtual_environment_has_its_own():
    assert launching.command(("python", "x"), VENV) == ("/opt/venv/bin/python", "x")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("python", "a.py"), "a.py"),
        (("/isaac-sim/python.sh", "/m/a.py", "x"), "/m/a.py"),
        (("a.py",), "a.py"),
        (("python", "-m", "a"), ""),
        (("python",), ""),
        (("bash", "a.sh"), ""),
    ],
)
def test_the_script_of_a_command(words, name):
    assert launching.script(words) == name


@pytest.mark.parametrize(
    ("text", "early"),
    [
        ("import torch\nfrom isaaclab.app import AppLauncher\nAppLauncher()", ((1, "torch"),)),
        ("from isaaclab.app import AppLauncher\nAppLauncher()\nimport torch", ()),
        (
            "import numpy as np, os\nfrom isaacsim import SimulationApp\napp = SimulationApp({})",
            ((1, "numpy"),),
        ),
        (
            "from omni.isaac.core import World\nfrom x import AppLauncher\nAppLauncher().app",
            ((1, "omni.isaac.core"),),
        ),
        ("import torch", ()),
        ("import torch\ndef main():\n    AppLauncher()", ()),
        ("import numpy\nif True:\n    app = kit.SimulationApp({})", ((1, "numpy"),)),
        ("from . import torch\nAppLauncher()", ()),
        ("import isaaclab.app\nimport argparse\nAppLauncher()", ()),
        ("this is no python", ()),
        ("nul \0", ()),
    ],
)
def test_what_is_imported_before_the_app_is_seen(text, early):
    assert launching.early(text) == early
