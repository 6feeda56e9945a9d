"""The replica's images, a registry that has them under the vendors' names, and light profiles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.replica import light
from tests.replica.light import Workspace
from tests.support import registry as registries
from tests.support import replica
from tests.support.engine import Engine, need, private_engine
from tests.support.registry import Registry


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine; its whole storage is removed at the end."""
    with private_engine(tmp_path_factory.mktemp("engine")) as podman:
        yield podman


@pytest.fixture(scope="session")
def layout(engine: Engine) -> str:
    """The image of the bare layout."""
    return replica.tier(engine, "layout")


@pytest.fixture(scope="session")
def lab(engine: Engine) -> str:
    """The image with torch, OpenUSD and Isaac Lab."""
    return replica.tier(engine, "lab")


@pytest.fixture(scope="session")
def registry(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry on loopback, empty, which the engine trusts."""
    need("docker-registry", "skopeo")
    with registries.serve(tmp_path_factory.mktemp("registry")) as served:
        engine.trust(served.place)
        yield served


@pytest.fixture(scope="session")
def stocked(
    registry: Registry, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Registry:
    """The registry, with what stands for the vendors' images."""
    light.fill(registry, engine, tmp_path_factory.mktemp("programs"))
    return registry


@pytest.fixture(scope="session")
def light_workspace(
    stocked: Registry, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """The light profiles, locked and rendered."""
    return light.make(tmp_path_factory.mktemp("light") / "workspace", engine, stocked)
