"""Packages with two faces in a context: the vendor's wheel, or a placeholder that fetches it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.errors.test_lock_vendor import placeholder
from tests.support.index import PackageIndex, serving
from tests.support.staging import Staging
from tests.support.workspace import Folder


@pytest.fixture
def vendor() -> Iterator[PackageIndex]:
    with serving(PackageIndex().add("isaacsim-rl", "5.1.0.0")) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, vendor: PackageIndex) -> Iterator[Folder]:
    world = PackageIndex().add("alpha", "1.0")
    placeholder(world, "isaacsim-rl", "5.1.0.0")
    with serving(world) as served:
        made = Folder(tmp_path / "ws", UV_DEFAULT_INDEX=served.url)
        path = made.profile("one", "isaacsim-rl", "alpha")
        stated = f"\n  indexes: [{{name: vendor, url: '{vendor.url}', packages: [isaacsim*]}}]\n"
        path.write_text(path.read_text().replace("\nvariants:", f"{stated}variants:"))
        yield made


def test_the_vendor_s_wheel_stands_where_its_index_was_asked(folder: Folder) -> None:
    assert folder.run("lock", "one", "--index", "vendor").returncode == 0
    staging = Staging(folder)
    assert staging.stage().hermetic
    found = staging.files("sources")
    assert found == ["files/isaacsim_rl-5.1.0.0-py3-none-any.whl", "requirements.txt"]


def test_a_placeholder_is_said_and_its_step_keeps_the_network(folder: Folder) -> None:
    staging = Staging(folder)
    fetched = staging.stage()
    (said,) = fetched.not_hermetic
    assert (said.path.partition("/")[2], said.what) == ("sources", "isaacsim-rl 5.1.0.0")
    assert said.why.startswith("a placeholder: while it is built it fetches the wheel")
    assert staging.files("sources") == ["requirements.txt"]
    (wheels,) = [one for one in fetched.inputs if one.kind == "wheels"]
    assert wheels.files == 1
