"""The three shipped profiles in their light form: locked, built without network, smoke-tested."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.replica.light import PROFILES, Workspace

pytestmark = [pytest.mark.container, pytest.mark.network, pytest.mark.git]

ROOT = Path(__file__).parents[2]
VARIANT = "linux-amd64-cpu"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_built_from_its_lock_and_works(
    light_workspace: Workspace, profile: str
) -> None:
    light_workspace.build(profile)
    done = light_workspace.run("smoke", profile, "--engine", "podman", "--json")
    assert done.stdout, done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    wrong = [one for one in report["checks"] if one["verdict"] in {"fail", "warn"}]
    assert wrong == []
    assert done.returncode == 0
    passed = {one["id"] for one in report["checks"] if one["verdict"] == "pass"}
    assert passed >= EXPECTED[profile]


ORDERS = {
    f"{order}/{check}"
    for order in ("app-first", "numpy-first")
    for check in ("launch", "extensions", "numpy-one-root", "numpy-submodules", "close")
}
EXPECTED = {
    "isaac-g1-light": ORDERS
    | {"static/packages", "static/bundle", "image/entrypoint", "wire/codec"},
    "isaaclab-light": ORDERS | {"static/packages", "image/lock"},
    "groot-inference-light": {
        "stack/import:gr00t.policy.server_client",
        "wire/codec",
        "service/port",
    },
}
"""Checks that must have been made."""


def test_the_same_checks_are_tests_of_pytest(light_workspace: Workspace) -> None:
    """A team's own checks stand beside them."""
    light_workspace.build("isaac-g1-light")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/smoke",
         "--smoke-profile", "isaac-g1-light", "--smoke-engine", "podman",
         "--smoke-workspace", str(light_workspace.root)],
        cwd=ROOT, env=dict(light_workspace.environment), capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    counted = re.search(r"(\d+) passed", done.stdout)
    assert counted
    assert int(counted[1]) > 20


def test_a_command_runs_by_the_profiles_own_interpreter(light_workspace: Workspace) -> None:
    """Not as arguments of the image's entrypoint, and its status is the command's."""
    light_workspace.build("isaac-g1-light")
    code = "import sys, numpy; print(numpy.__version__); sys.exit(7)"
    done = light_workspace.run(
        "run", "isaac-g1-light", "--engine", "podman", "--network", "none", "--",
        "python", "-c", code,
    )  # fmt: skip
    assert done.stdout.split() == ["1.26.0"], done.stderr
    assert done.returncode == 7


def test_the_lock_pins_what_was_read_under_the_vendors_name(light_workspace: Workspace) -> None:
    path = light_workspace.root / "lockfiles/isaac-g1-light/envbuild.lock.json"
    (base,) = [
        image
        for image in json.loads(path.read_text())["variants"][VARIANT]["images"]
        if image["role"] == "base"
    ]
    assert base["reference"] == "nvcr.io/nvidia/isaac-sim:5.0.0"
    assert base["digest"].startswith("sha256:")
