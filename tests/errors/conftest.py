"""A small world of packages, and a workspace whose index it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index import PackageIndex, serving
from tests.support.workspace import Folder


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """An index with a small world: alpha asks for beta, gamma cannot live with new betas."""
    world = (
        PackageIndex()
        .add("alpha", "1.0", requires=("beta>=2",))
        .add("alpha", "2.0", requires=("beta>=2",), uploaded="2027-01-01T00:00:00Z")
        .add("beta", "1.0")
        .add("beta", "2.0")
        .add("gamma", "1.0", requires=("beta<2",))
        .add("delta", "1.0")
        .add("delta", "1.1")
    )
    with serving(world) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, index: PackageIndex) -> Folder:
    return Folder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url)
