"""A repair with the wheel of an index: asked through uv, chosen by its tags, put in place, undone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envbuild.build.supply import Supply
from envbuild.doctor.repair import journal, supplying
from envbuild.errors import ToolError
from envbuild.lock.uv import Uv
from envbuild.tools import proc
from envbuild.tools.answers import Answers
from envbuild.tools.credentials import Credentials
from envbuild.tools.downloads import Access
from envbuild.tools.store import Store
from tests.support.index import PackageIndex, serving
from tests.support.wheels import wheel
from tests.unit.doctor import prefixes

NOW = "2026-11-21T00:00:00Z"
FILES = {"numpy/__init__.py": b"version = '1.26.0'\n"}
TAG = "cp311-cp311-manylinux_2_17_x86_64"


def silent(_text: str) -> None:
    """Nobody listens."""


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    made = PackageIndex()
    for python in ("cp310-cp310", "cp311-cp311", "cp312-cp312"):
        for platform in (
            "manylinux_2_17_x86_64",
            "manylinux_2_17_aarch64",
            "manylinux_2_39_x86_64",
        ):
            tag = f"{python}-{platform}"
            made.put(f"numpy-1.26.0-{tag}.whl", wheel("numpy", "1.26.0", FILES, tag=tag))
    with serving(made) as served:
        yield served


@pytest.fixture
def supply(index: PackageIndex, tmp_path: Path) -> Supply:
    tool = Uv(
        executable=f"{os.path.dirname(sys.executable)}/uv",
        python=sys.executable,
        environment=(
            ("PATH", "/usr/bin:/bin"),
            ("HOME", str(tmp_path)),
            ("UV_CACHE_DIR", f"{tmp_path}/uv"),
        ),
        configuration={"index": [{"url": index.url, "default": True}]},
    )
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    return Supply(
        store=Store(f"{tmp_path}/files"),
        answers=Answers(f"{tmp_path}/answers"),
        access=Access(environ=environ, credentials=Credentials(tuple, environ)),
        uv=lambda: tool,
        runner=proc.run,
        live=silent,
    )


def test_the_wheel_for_the_python_and_the_machine_is_taken(supply: Supply, tmp_path: Path) -> None:
    wanted = prefixes.replacement(prefixes.numpy(tmp_path / "env"))
    found = supplying.wheel(wanted, supply, as_of=NOW)
    assert os.path.basename(found) == f"numpy-1.26.0-{TAG}.whl"


def test_what_was_taken_once_needs_no_index(
    supply: Supply, index: PackageIndex, tmp_path: Path
) -> None:
    wanted = prefixes.replacement(prefixes.numpy(tmp_path / "env"))
    first = supplying.wheel(wanted, supply, as_of=NOW)
    asked = index.requests
    assert supplying.wheel(wanted, supply, as_of="2027-01-01T00:00:00Z") == first
    assert index.requests == asked


def test_a_repair_with_it_is_undone(supply: Supply, tmp_path: Path) -> None:
    prefix = prefixes.numpy(tmp_path / "env")
    before = prefixes.looks(prefix)
    path = journal.apply(
        prefixes.part(prefix),
        lambda wanted: supplying.wheel(wanted, supply, as_of=NOW),
        say=silent,
    )
    assert (prefixes.site(prefix) / "numpy/__init__.py").read_bytes() == FILES["numpy/__init__.py"]
    journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before


def test_a_version_that_the_index_does_not_have_changes_nothing(
    supply: Supply, tmp_path: Path
) -> None:
    prefix = prefixes.numpy(tmp_path / "env")
    before = prefixes.looks(prefix)
    part = prefixes.part(prefix, replacements=(prefixes.replacement(prefix, version="1.26.9"),))
    with pytest.raises(ToolError, match="no longer has what is wanted"):
        journal.apply(part, lambda wanted: supplying.wheel(wanted, supply, as_of=NOW), say=silent)
    assert prefixes.looks(prefix) == before
