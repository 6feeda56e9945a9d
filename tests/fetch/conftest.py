"""The container engine of the tests, for those here that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import engine as engines
from tests.support.engine import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """podman with a storage of its own, which is gone at the end."""
    with engines.private_engine(tmp_path_factory.mktemp("engine")) as made:
        yield made


@pytest.fixture(scope="session")
def debian(engine: Engine) -> str:
    """The base image's name in the engine."""
    return engines.import_base(engine, engines.base_tar())
