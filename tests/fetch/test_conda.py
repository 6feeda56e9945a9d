"""The conda packages of a lock in a context."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from tests.support import conda_packages
from tests.support.conda_server import Served, serving
from tests.support.conda_workspace import CondaFolder
from tests.support.staging import Staging


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    """A channel with packages that can be unpacked."""
    made = tmp_path / "world"
    made.mkdir()
    conda_packages.stub(made, "python", "3.11.7", subdir="linux-64")
    conda_packages.stub(made, "pip", "24.0")
    conda_packages.stub(made, "tool", "1.1", kind=".tar.bz2")
    return conda_packages.index(made)


@pytest.fixture
def served(channel: Path) -> Iterator[Served]:
    with serving(channel) as found:
        yield found


@pytest.fixture
def staging(tmp_path: Path, served: Served) -> Staging:
    folder = CondaFolder(tmp_path / "ws")
    folder.mirror("world", served.url)
    folder.conda_profile("one", "tool")
    return Staging(folder)


def test_every_package_stands_under_the_name_in_the_list(staging: Staging) -> None:
    fetched = staging.stage()
    (conda,) = [one for one in fetched.inputs if one.kind == "conda"]
    (asked,) = [one for one in staging.subject.inputs if one.kind == "conda"]
    listed = [
        line.partition("#")[0].rpartition("/")[2]
        for line in asked.text.splitlines()
        if "://" in line
    ]
    assert staging.files("conda") == sorted(["explicit.txt", *(f"files/{name}" for name in listed)])
    assert len(listed) == conda.files == 3
    assert conda.fetched == conda.bytes > 0


def test_what_is_kept_needs_no_channel(staging: Staging, served: Served) -> None:
    staging.stage()
    asked = len(served.requests)
    (again,) = [one for one in staging.stage("off", offline=True).inputs if one.kind == "conda"]
    assert (again.files, again.fetched, len(served.requests)) == (3, 0, asked)


def test_another_package_than_the_lock_has_is_refused(
    staging: Staging, channel: Path, tmp_path: Path
) -> None:
    (package,) = (channel / "noarch").glob("tool-*")
    package.write_bytes(package.read_bytes()[:-1] + b"?")
    with pytest.raises(ToolError, match="sha256") as caught:
        staging.stage()
    assert "tool" in caught.value.message
    assert not (tmp_path / "ws/into").exists()


def test_offline_with_nothing_names_the_package(staging: Staging) -> None:
    with pytest.raises(ToolError, match="not in the cache, and the network is off"):
        staging.stage(offline=True)
