"""Images as folders in OCI's layout, from what podman and each docker write."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from envbuild.engines import images, layouts
from envbuild.engines.model import Engine
from envbuild.errors import EnvbuildError, ToolError
from envbuild.tools.proc import Command

from .table import BUILDKIT, ENGINES, PODMAN, Answer, Table, option

every = pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.builder)


def test_podman_writes_a_layout_whatever_its_path_holds(tmp_path: Path) -> None:
    def answer(command: Command) -> Answer:
        assert command.cwd is not None
        (Path(command.cwd) / "layout").mkdir()
        (Path(command.cwd) / "layout/index.json").write_text("{}")
        return 0, "", ""

    table = Table(("push", answer))
    folder = tmp_path / "a:b, c/layout"
    images.save(PODMAN, "p", folder=str(folder), runner=table, environ={})
    assert table.lines() == ["/bin/podman push --quiet p oci:layout:latest"]
    assert [path.name for path in folder.parent.iterdir()] == ["layout"]
    assert (folder / "index.json").read_text() == "{}"


@every
def test_a_save_that_fails_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    table = Table(("", (1, "", "Error: no space left on device")))
    with pytest.raises(ToolError, match="cannot save p: no space left"):
        images.save(engine, "p", folder=str(tmp_path / "x"), runner=table, environ={})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine", [one for one in ENGINES if one.name != "buildah"])
def test_an_archive_is_what_the_engine_saves(engine: Engine, tmp_path: Path) -> None:
    table = Table(("save", (0, "", "")))
    path = str(tmp_path / "a b.tar")
    images.archive(engine, "p", path=path, runner=table, environ={})
    assert table.asked[0].argv[-5:] == ("image", "save", "--output", path, "p")
    failing = Table(("save", (1, "", "Error: no such image")))
    with pytest.raises(ToolError, match="cannot save p: no such image"):
        images.archive(engine, "p", path=path, runner=failing, environ={})


def archive(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_docker_before_25_is_converted(tmp_path: Path) -> None:
    config, layers = b'{"os": "linux"}', [b"first layer", b"second"]
    listed = [{"Config": "c.json", "RepoTags": None, "Layers": ["1/layer.tar", "2/layer.tar"]}]
    said = {
        "c.json": config,
        "1/layer.tar": layers[0],
        "2/layer.tar": layers[1],
        "manifest.json": json.dumps(listed).encode(),
    }

    def answer(command: Command) -> Answer:
        archive(Path(option(command, "--output")), said)
        return 0, "", ""

    folder = tmp_path / "layout"
    images.save(BUILDKIT, "p", folder=str(folder), runner=Table(("save", answer)), environ={})
    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads(blob(folder, index["manifests"][0]))
    assert blob(folder, manifest["config"]) == config
    assert [blob(folder, one) for one in manifest["layers"]] == layers
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert len(list((folder / "blobs/sha256").iterdir())) == 4
    assert sorted(path.name for path in folder.iterdir()) == ["blobs", "index.json", "oci-layout"]


def blob(folder: Path, descriptor: dict[str, str]) -> bytes:
    digest = descriptor["digest"].removeprefix("sha256:")
    data = (folder / "blobs/sha256" / digest).read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest
    assert len(data) == descriptor["size"]
    return data


def test_a_layout_of_docker_from_25_is_taken_as_it_is(tmp_path: Path) -> None:
    said = {
        "blobs/sha256/00ff": b"one",
        "blobs/sha256/../../../escaped": b"two",
        "../escaped": b"three",
        "index.json": b"{}",
        "manifest.json": b"[]",
        "oci-layout": b"{}",
        "repositories": b"{}",
    }
    archive(tmp_path / "tar", said)
    layouts.unpack(str(tmp_path / "tar"), str(tmp_path / "layout"))
    files = sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert files == ["layout/blobs/sha256/00ff", "layout/index.json", "layout/oci-layout", "tar"]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"manifest.json": b"[]"},
        {"manifest.json": b"{"},
        {"manifest.json": b'[{"Config": "c", "Layers": []}]'},
        {"manifest.json": b'[{"Config": "c", "Layers": ["gone"]}]', "c": b"{}"},
    ],
)
def test_what_is_no_image(files: dict[str, bytes], tmp_path: Path) -> None:
    archive(tmp_path / "tar", files)
    with pytest.raises(ToolError, match="no image that can be read"):
        layouts.unpack(str(tmp_path / "tar"), str(tmp_path / "layout"))


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "tar").write_bytes(b"no tar")
    with pytest.raises(EnvbuildError, match="no image that can be read"):
        layouts.unpack(str(tmp_path / "tar"), str(tmp_path / "layout"))
