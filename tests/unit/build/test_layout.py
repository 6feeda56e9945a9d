"""Two images held against each other: every cause, and images that are none."""

from __future__ import annotations

import json
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envbuild.build import causes, layout
from envbuild.build.layout import Comparison
from tests.support.layers import (
    LATER,
    THEN,
    Entry,
    archive,
    bytecode,
    configuration,
    entry,
    folder,
    hard_link,
    image,
    link,
    tar,
)

PYC = "opt/__pycache__/one.cpython-311.pyc"
BASE = tar(entry("bin/sh", b"sh"))


def compared(tmp_path: Path, old: tuple[Entry, ...], new: tuple[Entry, ...]) -> Comparison:
    """Two images with one layer of these entries over an equal one."""
    sides = [
        str(image(tmp_path / name, BASE, tar(*entries)))
        for name, entries in (("old", old), ("new", new))
    ]
    found = layout.compare(*sides, scratch=str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["new", "old"]
    return found


def named(found: Comparison) -> list[tuple[str, str, str]]:
    return [(one.cause, one.path, one.detail) for group in found.groups for one in group.shown]


ATTRIBUTE = {"SCHILY.xattr.user.one": "1"}

ONE: dict[str, tuple[Entry, Entry, str]] = {
    "content": (entry("a", b"x" * 9), entry("a", b"x" * 7 + b"yx"), "from byte 7"),
    "kind": (entry("a"), folder("a"), "file -> folder"),
    "link": (link("a", "b"), link("a", "c"), "b -> c"),
    "owner": (entry("a", uid=0, uname="root"), entry("a", uid=1000), "0:0 (root:) -> 1000:0"),
    "mode": (entry("a", mode=0o644), entry("a", mode=0o4755), "0644 -> 4755"),
    "attributes": (entry("a", pax_headers=ATTRIBUTE), entry("a"), "SCHILY.xattr.user.one"),
    "compiled": (
        entry(PYC, bytecode(THEN, b"code")),
        entry(PYC, bytecode(LATER, b"codx")),
        "from byte 8",
    ),
    "bytecode": (
        entry(PYC, bytecode(THEN)),
        entry(PYC, bytecode(LATER), mtime=THEN),
        f"of a source from {THEN} -> {LATER}",
    ),
    "log": (
        entry("var/log/apt/history.log", b"Mon"),
        entry("var/log/apt/history.log", b"Tuesday"),
        "from byte 0, 3 -> 7 bytes",
    ),
    "cache": (
        entry("var/cache/ldconfig/aux-cache", b"1"),
        entry("var/cache/ldconfig/aux-cache", b"2"),
        "from byte 0",
    ),
    "time": (
        entry("a", b"x", mtime=1.5),
        entry("a", b"x", mtime=LATER),
        f"1.500000000 -> {LATER}",
    ),
}


@pytest.mark.parametrize("cause", ONE)
def test_one_cause_of_one_entry(tmp_path: Path, cause: str) -> None:
    old, new, detail = ONE[cause]
    found = compared(tmp_path, (old,), (new,))
    assert not found.identical
    assert named(found) == [(cause, old[0].name, detail)]
    assert found.instructions == {2: "RUN step 2"}
    assert found.layers == (2, 2)


def test_a_file_that_only_one_has(tmp_path: Path) -> None:
    old = (entry("both"), entry("first"), entry("root/.cache/pip/http/1"))
    new = (entry("both"), entry("second"), entry("var/log/dpkg.log"))
    assert named(compared(tmp_path, old, new)) == [
        ("extra", "second", ""),
        ("missing", "first", ""),
        ("log", "var/log/dpkg.log", "only in the second"),
        ("cache", "root/.cache/pip/http/1", "only in the first"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (bytecode(1, flags=3), bytecode(2, flags=3), "content"),
        (bytecode(1, flags=3), bytecode(1, b"codx", flags=3), "compiled"),
        (bytecode(1), bytecode(1, flags=1), "content"),
        (bytecode(1), b"\xa8" + bytecode(1)[1:], "content"),
        (bytecode(1), b"", "content"),
    ],
)
def test_bytecode_of_another_source_or_python_is_another_content(
    tmp_path: Path, old: bytes, new: bytes, cause: str
) -> None:
    found = compared(tmp_path, (entry(PYC, old),), (entry(PYC, new),))
    assert [one[:2] for one in named(found)] == [(cause, PYC)]


def test_the_order_and_the_spelling_of_a_tar(tmp_path: Path) -> None:
    one, two = entry("a"), entry("b")
    assert named(compared(tmp_path / "1", (one, two), (two, one))) == [("order", "", "")]
    old = image(tmp_path / "old", tar(entry("a" * 120), form=tarfile.PAX_FORMAT))
    new = image(tmp_path / "new", tar(entry("a" * 120), form=tarfile.GNU_FORMAT))
    found = layout.compare(str(old), str(new), scratch=str(tmp_path))
    assert named(found) == [("encoding", "", "")]


def test_the_same_bytes_are_one_image(tmp_path: Path) -> None:
    entries = (entry("a", b"x"), folder("b"), hard_link("b/c", "a"))
    found = compared(tmp_path, entries, entries)
    assert found.identical
    assert found.groups == ()
    assert found.digests[0] == found.digests[1]


def test_every_difference_is_counted_and_twenty_are_shown(tmp_path: Path) -> None:
    old = tuple(entry(f"f{number:03}", mtime=THEN) for number in range(150))
    new = tuple(entry(f"f{number:03}") for number in range(150))
    (group,) = compared(tmp_path, old, new).groups
    assert (group.cause, group.count, len(group.shown)) == ("time", 150, layout.SHOWN)
    assert group.hint


def test_the_worst_cause_comes_first(tmp_path: Path) -> None:
    old = (entry("a", mtime=THEN), entry("b", b"1"), entry("c", mode=0o644), entry(PYC))
    new = (entry("a"), entry("b", b"2"), entry("c", mode=0o600), entry("var/log/x", b"2"))
    found = compared(tmp_path, old, new)
    order = [group.cause for group in found.groups]
    assert order == ["content", "missing", "mode", "log", "time"]
    assert order == sorted(order, key=causes.RANK.__getitem__)


def of_configuration(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Comparison:
    config = configuration([BASE])
    old = image(tmp_path / "old", BASE, config=config)
    changed = json.loads(json.dumps(config))
    change(changed)
    new = image(tmp_path / "new", BASE, config=changed)
    return layout.compare(str(old), str(new), scratch=str(tmp_path))


def test_configuration_labels_and_dates(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["created"] = "2027-01-01T00:00:00Z"
        config["config"]["Labels"] = {"two": "2"}
        config["config"]["Env"] = ["PATH=/sbin"]
        config["history"][0]["created"] = "2027-01-01T00:00:00Z"

    assert named(of_configuration(tmp_path, change)) == [
        ("config", "config.Env", '["PATH=/bin"] -> ["PATH=/sbin"]'),
        ("labels", "one", "1 -> nothing"),
        ("labels", "two", "nothing -> 2"),
        ("created", "created", "2026-05-01T10:00:00.123456789Z -> 2027-01-01T00:00:00Z"),
        ("created", "history 1", "2026-05-01T10:00:00.123Z -> 2027-01-01T00:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("history", "path"),
    [([], "history"), ([{"created_by": "RUN other"}], "history 1"), ([7], "history 1")],
)
def test_another_history(tmp_path: Path, history: list[Any], path: str) -> None:
    found = of_configuration(tmp_path, lambda config: config.update(history=history))
    assert [one[:2] for one in named(found)] == [("config", path)]


def test_another_spelling_of_the_same_json(tmp_path: Path) -> None:
    found = of_configuration(tmp_path, lambda config: config.update(os=config.pop("os")))
    assert named(found) == [("manifest", "manifest", "config")]


def test_another_manifest_of_equal_layers(tmp_path: Path) -> None:
    old = image(tmp_path / "old", BASE)
    new = image(tmp_path / "new", BASE, annotations={"a": "b"})
    found = layout.compare(str(old), str(new), scratch=str(tmp_path))
    assert named(found) == [("manifest", "manifest", "annotations")]


def test_layers_packed_differently(tmp_path: Path) -> None:
    data = tar(entry("a", random.Random(1).randbytes(100) * 100))
    old = image(tmp_path / "old", data, packed=1)
    new = image(tmp_path / "new", data, packed=9)
    plain = image(tmp_path / "plain", data)
    found = layout.compare(str(old), str(new), scratch=str(tmp_path))
    assert named(found) == [("compression", "", "")]
    (one,) = named(layout.compare(str(old), str(plain), scratch=str(tmp_path)))
    assert one[0] == "compression"
    assert "tar+gzip -> application" in one[2]


def test_another_number_of_layers(tmp_path: Path) -> None:
    old, new = image(tmp_path / "old", BASE), image(tmp_path / "new", BASE, tar(entry("x")))
    found = layout.compare(str(old), str(new), scratch=str(tmp_path))
    assert [one[0] for one in named(found)] == ["config", "layers"]
    assert found.layers == (1, 2)


def test_packed_layers_are_unpacked_and_removed_again(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    old = image(tmp_path / "old", tar(entry("a", b"1")), packed=6)
    new = image(tmp_path / "new", tar(entry("a", b"2")), packed=6)
    found = layout.compare(str(old), str(new), scratch=str(tmp_path / "scratch"))
    assert named(found) == [("content", "a", "from byte 0")]
    assert os.listdir(tmp_path / "scratch") == []


def test_archives_of_both_kinds_and_a_layout(tmp_path: Path) -> None:
    layer = tar(entry("a", b"1"))
    saved = archive(tmp_path / "saved.tar", BASE, layer)
    folder_ = image(tmp_path / "layout", BASE, layer)
    packed = tmp_path / "layout.tar"
    with tarfile.open(packed, "w") as file:
        file.add(folder_, ".")
    for one in (saved, folder_, packed):
        for other in (saved, folder_, packed):
            assert layout.compare(str(one), str(other), scratch=str(tmp_path)).identical
    other = archive(tmp_path / "other.tar", BASE, tar(entry("a", b"2")))
    for one in (saved, folder_, packed):
        found = layout.compare(str(one), str(other), scratch=str(tmp_path))
        assert named(found) == [("content", "a", "from byte 0")]


def test_a_difference_far_inside_a_large_file_is_found_to_the_byte(tmp_path: Path) -> None:
    data = bytearray(3_000_000)
    old = entry("big", bytes(data))
    data[2_345_678] = 1
    found = compared(tmp_path, (old,), (entry("big", bytes(data)),))
    assert named(found) == [("content", "big", "from byte 2345678")]
