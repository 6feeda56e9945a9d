"""A light profile vendored, and built again where there is no network at all: the same image."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.replica.light import Workspace
from tests.support.engine import Engine, need, private_engine
from tests.support.workspace import ENVBUILD

pytestmark = [pytest.mark.container, pytest.mark.network, pytest.mark.git]

PROFILE = "groot-inference-light"
IMAGE = f"{PROFILE}:linux-amd64-cpu"


def apart(workspace: Workspace, engine: Engine, folder: Path) -> dict[str, str]:
    """The environment of another machine: empty caches and storage, and no index's address."""
    named = ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "CONDARC")
    environment = {**workspace.environment, **engine.environment}
    environment = {name: text for name, text in environment.items() if name not in named}
    empty = {"XDG_CACHE_HOME": "cache", "HOME": "home", "RATTLER_CACHE_DIR": "conda"}
    return environment | {name: str(folder / place) for name, place in empty.items()}


def inspected(engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine("image", "inspect", IMAGE))[0]
    return found


def test_a_build_without_any_network_gives_the_same_image(
    light_workspace: Workspace, tmp_path: Path
) -> None:
    need("unshare")
    light_workspace.build(PROFILE)
    folder = tmp_path / "vendored"
    mirrors = light_workspace.registry.mirrors()
    done = light_workspace.run("vendor", PROFILE, str(folder), "--engine", "podman", *mirrors)
    assert done.returncode == 0, done.stderr
    root = tmp_path / "elsewhere"
    root.mkdir()
    for name in ("envs", "lockfiles", "Dockerfiles"):
        shutil.copytree(light_workspace.root / name, root / name)
    (tmp_path / "engine").mkdir()
    with private_engine(tmp_path / "engine") as engine:
        argv = ["build", PROFILE, "--engine", "podman", "--vendor", str(folder), *mirrors]
        built = subprocess.run(
            ["unshare", "--net", ENVBUILD, *argv],
            cwd=root, env=apart(light_workspace, engine, tmp_path), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert built.returncode == 0, built.stderr
        here, there = inspected(light_workspace.engine), inspected(engine)
    assert there["RootFS"]["Layers"] == here["RootFS"]["Layers"]
    assert there["Config"] == here["Config"]
    steps = [[one.get("created_by") for one in found["History"]] for found in (here, there)]
    assert steps[0] == steps[1]
