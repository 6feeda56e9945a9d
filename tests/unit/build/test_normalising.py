"""Whole images without what differs by chance, and images that cannot be made so."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from envbuild.build import layout
from envbuild.build.normalising import normalise
from envbuild.errors import InputError, ToolError
from envbuild.tools.packing import Packing
from tests.support.layers import (
    LATER,
    Entry,
    archive,
    blobs_of,
    bytecode,
    configuration,
    entry,
    folder,
    hard_link,
    image,
    tar,
)
from tests.unit.build.normal import BASE, CACHED, SOURCE, normal


def builds(tmp_path: Path, *, form: str) -> list[Path]:
    """Two builds of one Dockerfile as an older docker leaves them."""
    made = []
    for name, time in (("one", LATER), ("two", LATER + 77)):
        entries: list[Entry] = [
            folder("etc", mtime=time),
            entry(SOURCE, b"x", mtime=time),
            entry(CACHED, bytecode(time)),
            entry("var/log/apt/term.log", str(time).encode(), mtime=time),
        ]
        layers = (BASE, tar(*(entries if name == "one" else reversed(entries))))
        config = configuration(layers, container=name, container_config={"Hostname": name})
        config["created"] = f"2026-01-0{len(made) + 1}T00:00:00Z"
        config["history"][1]["created"] = config["created"]
        config["config"]["Hostname"] = name
        place = tmp_path / name
        if form == "archive":
            made.append(archive(place, *layers, config=config))
        else:
            made.append(image(place, *layers, config=config, packed=6 if form == "gzip" else None))
    return made


@pytest.mark.parametrize("form", ["archive", "gzip", "plain"])
@pytest.mark.parametrize("packed", ["none", "gzip", "zstd"])
def test_two_builds_become_one_image(tmp_path: Path, form: str, packed: Packing) -> None:
    pair = builds(tmp_path, form=form)
    raw = layout.compare(*map(str, pair), scratch=str(tmp_path))
    assert {"config", "bytecode", "log", "time", "created"} <= {one.cause for one in raw.groups}
    done = [normal(one, packed=packed) for one in pair]
    found = layout.compare(*(str(into) for _, into in done), scratch=str(tmp_path))
    assert found.identical
    assert done[0][0] == done[1][0]
    assert found.digests == (done[0][0].digest, done[0][0].digest)
    manifest, config, _ = blobs_of(done[0][1]) if packed != "zstd" else (None, None, None)
    if manifest and config:
        assert config["created"] == "2023-11-14T22:13:20Z"
        assert config["config"] == {"Env": ["PATH=/bin"], "Labels": {"one": "1"}, "Hostname": ""}
        assert not {"container", "container_config"} & config.keys()
        assert done[0][0].identity == manifest["config"]["digest"]


def test_dates_before_the_moment_stay_in_the_history(tmp_path: Path) -> None:
    history: list[Any] = [
        {"created": "2020-01-01T00:00:00.5Z", "created_by": "base"},
        {"created": "2020-01-01T00:00:00+02:00"},
        {"created_by": "no date"},
    ]
    config = configuration([BASE], history=history)
    _, into = normal(image(tmp_path / "image", BASE, config=config))
    dates = [step.get("created") for step in blobs_of(into)[1]["history"]]
    assert dates == ["2020-01-01T00:00:00.5Z", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"]


def test_a_base_layer_that_is_a_blob_stays_to_the_byte(tmp_path: Path) -> None:
    source = image(tmp_path / "image", BASE, tar(entry("x")), packed=1)
    _, into = normal(source, packed="zstd")
    before = json.loads((source / "index.json").read_text())["manifests"][0]["digest"]
    first = json.loads((source / "blobs" / before.replace(":", "/")).read_text())["layers"][0]
    path = first["digest"].replace(":", "/")
    assert (into / "blobs" / path).read_bytes() == (source / "blobs" / path).read_bytes()


def test_a_damaged_layer_of_the_base_is_refused(tmp_path: Path) -> None:
    source = image(tmp_path / "image", BASE, tar(entry("x")))
    for path in (source / "blobs/sha256").iterdir():
        if path.read_bytes() == BASE:
            path.write_bytes(BASE + b"\0")
    with pytest.raises(InputError, match="is damaged: it should be sha256:"):
        normal(source)
    wrong = configuration([BASE, BASE])
    wrong["rootfs"]["diff_ids"][0] = "sha256:" + "0" * 64
    with pytest.raises(InputError, match="is damaged"):
        normal(archive(tmp_path / "saved.tar", BASE, BASE, config=wrong))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (tar(entry("../x")), "leads out of it"),
        (tar(hard_link("a", "../x")), "leads out of it"),
        (tar(entry("a", b"x" * 2000))[:900], "is cut off"),
        (b"\x1f\x8bnothing", "cannot be unpacked"),
        (b"\x28\xb5\x2f\xfdnothing", "cannot be unpacked"),
    ],
)
def test_a_layer_that_is_none_leaves_nothing_behind(
    tmp_path: Path, layer: bytes, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        normal(image(tmp_path / "image", BASE, layer))
    assert os.listdir(tmp_path) == ["image"]


def test_what_is_asked_must_make_sense(tmp_path: Path) -> None:
    source = image(tmp_path / "image", BASE)
    with pytest.raises(InputError, match="has 1 layer, its base 2"):
        normal(source, base=2)
    with pytest.raises(InputError, match="-1 is no moment"):
        normalise(str(source), str(tmp_path / "x"), base_layers=0, epoch=-1)
    with pytest.raises(InputError, match="exists already"):
        normalise(str(source), str(source), base_layers=0, epoch=1)
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="cannot be written"):
        normalise(str(source), str(tmp_path / "file/x"), base_layers=0, epoch=1)
