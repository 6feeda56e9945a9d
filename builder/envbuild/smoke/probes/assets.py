"""The Franka arm of Isaac Lab: its configuration, and the file that it names."""

from __future__ import annotations

import importlib
import os
import urllib.error
import urllib.request
from typing import Any

from .results import NOT_RUN, PASS, WARN
from .steps import Answer, State, StepFailedError, first_of

_MODULES = ("isaaclab_assets.robots.franka", "omni.isaac.lab_assets.franka")
_PATIENCE = 10.0
"""Seconds for an answer of the asset server."""


def franka(_: dict[str, Any], __: State) -> Answer:
    """The configuration has what a robot needs: a file, and actuators."""
    config = _config()
    path = getattr(config.spawn, "usd_path", None)
    if not isinstance(path, str) or not path:
        raise StepFailedError(f"FRANKA_PANDA_CFG.spawn.usd_path is {path!r}")
    actuators = getattr(config, "actuators", None)
    if not actuators:
        raise StepFailedError(f"FRANKA_PANDA_CFG.actuators is {actuators!r}")
    return PASS, f"{', '.join(sorted(actuators))}; {path}"


def franka_usd(_: dict[str, Any], state: State) -> Answer:
    """The file is there: the import of the configuration does not say so."""
    path: str = _config().spawn.usd_path
    if path.startswith("None/"):
        raise StepFailedError(f"the root of the assets is not set: {path}")
    if os.path.isabs(path):
        return _local(path)
    if not state.network:
        return NOT_RUN, f"the container has no network, and the file is {path}"
    if path.startswith(("http://", "https://")):
        return _http(path)
    return _omniverse(path)


def _config() -> Any:
    return first_of(_MODULES).FRANKA_PANDA_CFG


def _local(path: str) -> Answer:
    if not os.path.isfile(path):
        raise StepFailedError(f"there is no {path}")
    with open(path, "rb") as file:
        head = file.read(64)
    if head.startswith(b"version https://git-lfs.github.com/spec/v1"):
        raise StepFailedError(f"{path}: version https://git-lfs.github.com/spec/v1, a pointer")
    return PASS, f"{path}, {os.path.getsize(path):,} bytes"


def _http(path: str) -> Answer:
    request = urllib.request.Request(path, method="HEAD")  # noqa: S310 (http alone comes here)
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
            return PASS, f"{path}, status {answer.status}"
    except urllib.error.HTTPError as error:
        raise StepFailedError(f"{path}: status {error.code}") from None
    except (OSError, ValueError) as error:
        raise StepFailedError(f"{path} cannot be reached: {error}") from None


def _omniverse(path: str) -> Answer:
    client = importlib.import_module("omni.client")
    answer, _ = client.stat(path)
    if str(answer).rpartition(".")[2] != "OK":
        return WARN, f"{path}: {answer}"
    return PASS, path
