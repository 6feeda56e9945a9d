"""Records of builds: whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from envbuild.build import records
from envbuild.build.records import BuiltImage, Origin
from envbuild.errors import ToolError

ORIGIN = Origin(
    lock="sha256:1", rendered="sha256:2", images=("A=b",), engine="podman 5", network="none"
)
BUILT = BuiltImage(
    profile="arm",
    variant="linux-amd64-cpu",
    reference="arm:linux-amd64-cpu",
    tags=("arm:linux-amd64-cpu",),
    identity="sha256:3",
    engine="podman",
    lock_digest="sha256:1",
    origin=ORIGIN,
    seconds=1.5,
    size=12,
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    records.write(str(tmp_path), BUILT)
    assert records.read(str(tmp_path), "arm", "linux-amd64-cpu") == BUILT
    moved = msgspec.structs.replace(BUILT, digest="sha256:4")
    records.write(str(tmp_path), moved)
    assert records.read(str(tmp_path), "arm", "linux-amd64-cpu") == moved
    assert (tmp_path / ".envbuild/.gitignore").read_text() == "*\n"


def test_its_names_are_those_of_a_lock(tmp_path: Path) -> None:
    records.write(str(tmp_path), BUILT)
    said = json.loads((tmp_path / ".envbuild/builds/arm.linux-amd64-cpu.json").read_bytes())
    assert said["lock-digest"] == said["origin"]["lock"] == "sha256:1"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"profile": "arm"}', b"\xff"])
def test_what_cannot_be_read_is_no_record(tmp_path: Path, data: bytes) -> None:
    records.write(str(tmp_path), BUILT)
    Path(records.path(str(tmp_path), "arm", "linux-amd64-cpu")).write_bytes(data)
    assert records.read(str(tmp_path), "arm", "linux-amd64-cpu") is None


def test_no_record(tmp_path: Path) -> None:
    assert records.read(str(tmp_path), "arm", "linux-amd64-cpu") is None
    assert records.read(str(tmp_path / "nowhere"), "arm", "x") is None


def test_a_record_of_a_later_envbuild_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    records.write(str(tmp_path), BUILT)
    path = Path(records.path(str(tmp_path), "arm", "linux-amd64-cpu"))
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "more": 1}))
    assert records.read(str(tmp_path), "arm", "linux-amd64-cpu") == BUILT


def test_a_workspace_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".envbuild").write_text("a file")
    with pytest.raises(ToolError):
        records.write(str(tmp_path), BUILT)
