"""Channels over HTTP, and workspaces that read them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import conda_packages, conda_server
from tests.support.conda_packages import Record, record
from tests.support.conda_real import real_channel
from tests.support.conda_server import Fault, Served
from tests.support.conda_workspace import CondaFolder

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "envbuild-tests"

WORLD: tuple[Record, ...] = (
    record("python", "3.11.7", depends=["__glibc >=2.17,<3.0.a0"]),
    record("python", "3.11.7", subdir="linux-aarch64", depends=["__glibc >=2.17,<3.0.a0"]),
    record("pip", "24.0", subdir="noarch", depends=["python >=3.8"]),
    record("tool", "1.0"),
    record("tool", "1.1"),
    record("tool", "1.1", subdir="linux-aarch64"),
    record("app", "1.0", depends=["tool >=1.0", "lib"]),
    record("lib", "1.0"),
    record("future", "1.0", depends=["__glibc >=2.99"]),
    record("picky", "1.0", depends=["tool <1.1"]),
)
"""A small channel of records without packages: `tool` has two versions, `app` needs it."""

Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a folder, with faults, until the test is over."""
    with ExitStack() as stack:

        def start(folder: Path, faults: Mapping[str, Fault] | None = None) -> Served:
            return stack.enter_context(conda_server.serving(folder, faults))

        yield start


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The folder of the small channel."""
    return conda_packages.channel(tmp_path / "world", WORLD)


@pytest.fixture
def folder(tmp_path: Path, world: Path) -> CondaFolder:
    """A workspace that reads the small channel from its files."""
    made = CondaFolder(tmp_path / "ws")
    made.mirror("world", world.as_uri())
    return made


@pytest.fixture(scope="session")
def real() -> Path:
    """The channel of real content; built once for a machine."""
    try:
        return real_channel(CACHE)
    except RuntimeError as error:
        reason = f"not run: the channel of real content cannot be built ({error})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
