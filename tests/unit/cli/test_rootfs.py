"""Images and containers as doctor reads them: by an engine that answers from a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envbuild.cli import rootfs
from envbuild.errors import InputError, ToolError
from envbuild.scan.sources.wanted import Wish
from tests.support import environments, image
from tests.unit.engines.table import BUILDAH, ENGINES, PODMAN, Table, option

FILES = environments.numpy("lib/python3.12/site-packages", "2.3.1")
FOUND = "/opt/lab/lib/python3.12/site-packages/numpy/version.py"
INSPECTED = json.dumps([{"Id": "sha256:1", "Os": "linux", "Architecture": "amd64", "Size": 5}])
BUILDAH_S = json.dumps(
    {
        "FromImageID": "1",
        "Config": json.dumps({"os": "linux", "architecture": "amd64"}),
        "Manifest": json.dumps({"layers": [{"size": 5}]}),
    }
)


class Told:
    """A desk, and what was said at it."""

    def __init__(self, runner, engine=PODMAN, machine="x86_64"):
        self.said: list[str] = []
        self.places: list[str] = []
        self.desk = rootfs.Desk(
            wish=Wish(),
            machine=machine,
            environ={},
            runner=runner,
            engine=lambda: engine,
            say=self.said.append,
            live=lambda _: None,
        )


def saves(command):
    """``podman save``: a tar where the command wants it."""
    path = Path(command.argv[command.argv.index("--output") + 1])
    image.docker_archive(path, [environments.root_of({}), environments.root_of(FILES)])
    return 0, "", ""


@pytest.mark.parametrize("engine", [one for one in ENGINES if one is not BUILDAH])
def test_an_image_is_saved_read_and_removed(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    table = Table(("inspect", (0, INSPECTED, "")), ("save", saves))
    told = Told(table, engine)
    assert FOUND in rootfs.from_engine("lab:1", told.desk).tree.texts
    assert told.said == [f"lab:1: {engine.name} saves it, 0.0 kB; it is not run"]
    assert list(tmp_path.iterdir()) == []


def test_buildah_writes_a_layout(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def push(command):
        layout = Path(command.cwd) / "layout"
        image.oci_layout(layout, image.blobs([environments.root_of(FILES)]))
        return 0, "", ""

    table = Table(("inspect", (0, BUILDAH_S, "")), ("push", push))
    assert FOUND in rootfs.from_engine("lab:1", Told(table, BUILDAH).desk).tree.texts
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_is_not_there():
    table = Table(("inspect", (125, "", "Error: lab:1: image not known")))
    with pytest.raises(InputError, match="podman has no image 'lab:1'"):
        rootfs.from_engine("lab:1", Told(table).desk)


def test_an_image_that_there_is_no_room_for():
    whole = json.dumps([json.loads(INSPECTED)[0] | {"Size": 10**18}])
    table = Table(("inspect", (0, whole, "")))
    with pytest.raises(ToolError, match=r"free, and the image has 1000000000\.0 GB") as refused:
        rootfs.from_engine("lab:1", Told(table).desk)
    assert refused.value.hint == "TMPDIR names a place with more room"


def test_an_image_that_cannot_be_saved_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    table = Table(("inspect", (0, INSPECTED, "")), ("save", (1, "", "Error: no space left")))
    with pytest.raises(ToolError, match="podman cannot save lab:1: no space left"):
        rootfs.from_engine("lab:1", Told(table).desk)
    assert list(tmp_path.iterdir()) == []


def test_a_container_is_exported_read_and_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def export(command):
        Path(option(command, "--output")).write_bytes(environments.root_of(FILES))
        return 0, "", ""

    told = Told(Table(("export", export)))
    assert FOUND in rootfs.from_container("sim", told.desk).tree.texts
    assert told.said[0] == "sim: podman exports its files; nothing is run in it"
    assert told.said[1].endswith("kB exported")
    assert list(tmp_path.iterdir()) == []


def test_a_size_in_words():
    assert [rootfs.size(one) for one in (0, 12_345, 5_000_000, 21_500_000_000)] == [
        "0.0 kB",
        "12.3 kB",
        "5.0 MB",
        "21.5 GB",
    ]
