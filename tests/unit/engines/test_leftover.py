"""The containers of killed builds: which are ours, and when nobody may touch any."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from envbuild.engines import leftover
from envbuild.tools.proc import Command

from .table import BUILDAH, BUILDKIT, PODMAN, Answer, Table

OURS = [f"/bin/podman rm --force {name}" for name in ("ours", "unborn", "unnamed")]
ENVIRON = {"CONTAINERS_STORAGE_CONF": "/our.conf"}


def container(storage: Path, name: str, *, args: object, at: float = 200.0) -> None:
    folder = storage / f"overlay-containers/{name}/userdata"
    folder.mkdir(parents=True)
    text = {"type": "buildah 1.28.2", "container-id": name, "Args": args}
    (folder / "buildah.json").write_text(json.dumps(text))
    os.utime(folder / "buildah.json", (at, at))


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    place = tmp_path / "storage"
    asked = {"BASE_IMAGE": "b@sha256:1", "SOURCE_DATE_EPOCH": "1"}
    container(place, "ours", args=asked)
    container(place, "earlier", args=asked, at=99.0)
    container(place, "of-another-build", args={"OTHER": "1"})
    container(place, "of-buildah-from", args=None)
    for name, at in (("of-a-run", 200.0), ("unborn", 200.0), ("unborn-earlier", 99.0)):
        (place / f"overlay-containers/{name}/userdata").mkdir(parents=True)
        os.utime(place / f"overlay-containers/{name}/userdata", (at, at))
    stored = [{"id": "of-a-run", "names": ["happy_name"], "layer": "1"}, {"id": "no-names"}]
    stored += [
        {"id": name, "names": [f"{number}-working-container"]}
        for number, name in enumerate(("unborn", "unborn-earlier", "ours"))
    ]
    (place / "overlay-containers/containers.json").write_text(json.dumps(stored))
    container(place, "unnamed", args=asked)
    told = place / "overlay-containers/unnamed/userdata/buildah.json"
    told.rename(told.with_name(".tmp-buildah.json737965379"))
    container(place, "damaged", args=asked)
    (place / "overlay-containers/damaged/userdata/buildah.json").write_text("{")
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/cmdline").write_bytes(b"/sbin/init\0")
    return place


def process(proc: Path, line: bytes, environ: bytes) -> None:
    (proc / "7").mkdir()
    (proc / "7/cmdline").write_bytes(line)
    (proc / "7/environ").write_bytes(environ)


def removed(storage: Path, engine=PODMAN) -> list[str]:
    table = Table(
        ("info", (0, f"{storage}\noverlay\n", "")), ("rm", (0, "", "")), ("images", (0, "", ""))
    )
    proc = str(storage.parent / "proc")
    count = leftover.remove(engine, since=100.0, runner=table, environ=ENVIRON, proc=proc)
    lines = [line for line in table.lines() if " rm " in line]
    assert count == len(lines)
    return lines


def test_only_what_a_build_like_ours_has_left_since_then_is_removed(storage: Path) -> None:
    assert removed(storage) == OURS
    assert removed(storage, BUILDAH) == [
        f"/bin/buildah rm {name}" for name in ("ours", "unborn", "unnamed")
    ]
    assert removed(storage, BUILDKIT) == []


@pytest.mark.parametrize(
    "environ", [b"A=1\0CONTAINERS_STORAGE_CONF=/our.conf\0", b""], ids=["same", "unreadable"]
)
def test_while_somebody_builds_nothing_is_removed(storage: Path, environ: bytes) -> None:
    process(storage.parent / "proc", b"/usr/bin/podman\0--log-level=x\0build\0.\0", environ)
    assert removed(storage) == []


@pytest.mark.parametrize(
    ("line", "environ"),
    [
        (b"podman\0build\0", b"CONTAINERS_STORAGE_CONF=/other.conf\0"),
        (b"podman\0ps\0", b"CONTAINERS_STORAGE_CONF=/our.conf\0"),
        (b"vim\0build\0", b"CONTAINERS_STORAGE_CONF=/our.conf\0"),
    ],
    ids=["another storage", "no build", "no builder"],
)
def test_who_does_something_else_stops_nothing(storage: Path, line: bytes, environ: bytes) -> None:
    process(storage.parent / "proc", line, environ)
    assert removed(storage) == OURS


def test_an_image_that_is_half_written_is_removed(storage: Path) -> None:
    half = ["a" * 64, "b" * 64]
    text = 'Error: x: locating item named "manifest" for image with ID "{}" (consider removing)'

    def images(_: Command) -> Answer:
        return (125, "", text.format(half[0])) if half else (0, "", "")

    def rmi(command: Command) -> Answer:
        half.remove(command.argv[-1])
        return 0, "", ""

    table = Table(
        ("info", (0, f"{storage}\noverlay\n", "")),
        ("rmi", rmi),
        ("rm", (0, "", "")),
        ("images", images),
    )
    proc = str(storage.parent / "proc")
    assert leftover.remove(PODMAN, since=300.0, runner=table, environ=ENVIRON, proc=proc) == 2
    assert half == []


def test_an_engine_that_does_not_say_where_its_storage_is(storage: Path) -> None:
    table = Table(("info", (125, "", "Error: no")))
    proc = str(storage.parent / "proc")
    assert leftover.remove(PODMAN, since=0.0, runner=table, environ=ENVIRON, proc=proc) == 0
