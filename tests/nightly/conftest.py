"""A workspace that is locked, for nights without an engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index import PackageIndex, serving
from tests.support.workspace import Folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A workspace that is locked, to be copied, and the address of its index."""
    index = PackageIndex().add("alpha", "1.0", requires=("beta>=2",)).add("gamma", "1.0")
    index.add("beta", "2.0").add("beta", "2.1", uploaded="2026-06-01T00:00:00Z")
    with serving(index) as served:
        made = Folder(tmp_path_factory.mktemp("world") / "ws", UV_DEFAULT_INDEX=served.url)
        made.profile("one", "alpha")
        made.profile("two", "gamma")
        done = made.run("lock")
        assert done.returncode == 0, done.stderr
        yield made.root, served.url


@pytest.fixture
def folder(world: tuple[Path, str], tmp_path: Path) -> Folder:
    root, url = world
    shutil.copytree(root, tmp_path / "ws", ignore=shutil.ignore_patterns("cache", "home"))
    return Folder(tmp_path / "ws", UV_DEFAULT_INDEX=url, UV_CACHE_DIR=str(root / "cache"))
