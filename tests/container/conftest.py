"""A container engine of the tests' own: private storage, a base image, nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import engine as engines
from tests.support.engine import Engine, index_options, private_engine

__all__ = ["Engine", "index_options"]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine; its whole storage is removed at the end."""
    with private_engine(tmp_path_factory.mktemp("engine")) as podman:
        yield podman


@pytest.fixture(scope="session")
def base_tar() -> Path:
    """A Debian root file system with python3, python3-venv and ca-certificates."""
    return engines.base_tar()


@pytest.fixture(scope="session")
def debian(engine: Engine, base_tar: Path) -> str:
    """The base image's name in the engine."""
    return engines.import_base(engine, base_tar)
