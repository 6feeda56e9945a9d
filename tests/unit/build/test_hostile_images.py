"""Layers and images that are none, or hostile: refused in words, or read; nothing else happens."""

from __future__ import annotations

import copy
import random
import tarfile
from pathlib import Path

import pytest

from envbuild.build import layout
from envbuild.build.layout import Comparison
from envbuild.errors import InputError, ToolError
from tests.support.layers import THEN, entry, hard_link, image, link, tar

ATTRIBUTE = {"SCHILY.xattr.user.one": "1"}
BASE = tar(entry("bin/sh", b"sh"))


def causes_of(found: Comparison) -> list[str]:
    return [group.cause for group in found.groups]


def broken(tmp_path: Path, layer: bytes) -> str:
    """What is said of an image with this layer."""
    old = image(tmp_path / "old", tar(entry("a")))
    new = image(tmp_path / "new", layer)
    with pytest.raises(InputError) as caught:
        layout.compare(str(old), str(new), scratch=str(tmp_path))
    return caught.value.message


GOOD = tar(entry("a", b"x" * 2000))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (GOOD[:700], "is cut off in 'a'"),
        (GOOD[:200], "is cut off"),
        (b"\0" * 100 + GOOD, "no tar that can be read"),
        (b"no tar at all " * 100, "no tar that can be read"),
        (tar(entry("../etc/passwd")), "leads out of it: '../etc/passwd'"),
        (tar(entry("a/../../b")), "leads out of it"),
        (tar(hard_link("a", "/../../b")), "leads out of it"),
        (tar(entry("é" * 200 + "/../b")), "leads out of it"),
        (GOOD[:124] + b"77777777777\0" + GOOD[136:], "checksum"),
        (tar(entry("a", pax_headers={"size": "99999999999"})), "is cut off in 'a'"),
        (tar(entry("a", pax_headers={"size": "-5"})), "size b'-5'"),
        (tar(entry("a", pax_headers={"mtime": "soon"})), "the time b'soon'"),
        (tar(entry("a", pax_headers={"x": "y" * 2_000_000})), "extension header of 20000"),
        (GOOD[:512].replace(b"a", b"\x1f\x8b", 1), "cannot be unpacked"),
    ],
)
def test_layers_that_are_no_layers(tmp_path: Path, layer: bytes, said: str) -> None:
    assert said in broken(tmp_path, layer)


def test_any_damage_is_an_error_of_the_input_or_none(tmp_path: Path) -> None:
    """Bytes turned over at random: a layer is read, or refused in words; nothing else happens."""
    chance = random.Random(7)
    entries = (
        entry("a" * 150, b"x" * 700, pax_headers=ATTRIBUTE),
        link("l", "b" * 150),
        entry("d", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("s", b"y" * 100, mtime=1.5),
    )
    good = {form: tar(*entries, form=form) for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)}
    old = str(image(tmp_path / "old", good[tarfile.PAX_FORMAT]))
    refused = 0
    for number in range(300):
        data = bytearray(good[number % 2 or tarfile.GNU_FORMAT])
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        new = image(
            tmp_path / f"new{number}", bytes(data[: chance.randrange(len(data) // 2, len(data))])
        )
        try:
            layout.compare(old, str(new), scratch=str(tmp_path))
        except InputError as error:
            refused += str(new) in error.message
    assert 100 < refused < 300


def at(mtime: int, member: tarfile.TarInfo) -> tarfile.TarInfo:
    other = copy.copy(member)
    other.mtime = mtime
    return other


def test_strange_names_devices_and_sparse_files_are_read(tmp_path: Path) -> None:
    strange = (
        entry("/absolute", b"1"),
        entry("./dot//double", b"2"),
        entry("n\udcff", b"3"),
        entry("x" * 300, b"4"),
        entry("pipe", type=tarfile.FIFOTYPE),
        entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("unknown", b"5", type=b"Z"),
        entry("early", mtime=-5),
    )
    moved = tuple((at(1, member), data) for member, data in strange)
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        place = tmp_path / str(form)
        old = image(place / "old", tar(*strange, form=form))
        new = image(place / "new", tar(*moved, form=form))
        found = layout.compare(str(old), str(new), scratch=str(tmp_path))
        assert [group.cause for group in found.groups] == ["time"]
        assert {one.path for one in found.groups[0].shown} == {
            "absolute", "dot/double", "n\udcff", "x" * 300, "pipe", "null", "unknown", "early",
        }  # fmt: skip


def test_a_global_header_is_for_nobody(tmp_path: Path) -> None:
    data = tar(entry("a", mtime=THEN))
    header = tarfile.TarInfo.create_pax_global_header({"path": "b", "mtime": "5"})
    found = compared_layers(tmp_path, data, header + data)
    assert causes_of(found) == ["encoding"]


def compared_layers(tmp_path: Path, old: bytes, new: bytes) -> Comparison:
    sides = [str(image(tmp_path / name, one)) for name, one in (("old", old), ("new", new))]
    return layout.compare(*sides, scratch=str(tmp_path))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no image"),
        ({"index.json": "{"}, "is not JSON"),
        ({"index.json": "[" * 100_000}, "is not JSON"),
        ({"index.json": "[]"}, "is not what it should be"),
        ({"index.json": '{"manifests": []}'}, "holds no image"),
        ({"index.json": '{"manifests": [{"digest": "../../etc"}]}'}, "holds no image"),
        ({"manifest.json": "[]"}, "holds no image"),
        ({"manifest.json": '[{"Config": "a", "Layers": []}]'}, "a is missing"),
        ({"manifest.json": '[{"Config": "../a", "Layers": []}]'}, "../a is missing"),
        ({"manifest.json": '[{"Config": "a"}, {"Config": "b"}]'}, "holds 2 images"),
    ],
)
def test_folders_that_are_no_images(tmp_path: Path, files: dict[str, str], said: str) -> None:
    good = image(tmp_path / "good", BASE)
    bad = tmp_path / "bad"
    bad.mkdir()
    for name, text in files.items():
        (bad / name).write_text(text)
    with pytest.raises(InputError, match=said):
        layout.compare(str(good), str(bad), scratch=str(tmp_path))


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    good = str(image(tmp_path / "good", BASE))
    missing, packed = tmp_path / "missing.tar", tmp_path / "packed.tar.gz"
    packed.write_bytes(b"\x1f\x8bxxxxx")
    with pytest.raises(InputError, match="does not exist"):
        layout.compare(good, str(missing), scratch=str(tmp_path))
    with pytest.raises(InputError, match="is packed"):
        layout.compare(good, str(packed), scratch=str(tmp_path))


def test_a_layer_that_is_missing(tmp_path: Path) -> None:
    old = image(tmp_path / "old", BASE)
    new = image(tmp_path / "new", tar(entry("other")))
    for path in (new / "blobs/sha256").iterdir():
        if path.stat().st_size > 5000:
            path.unlink()
    with pytest.raises(InputError, match="is not whole: the layer"):
        layout.compare(str(old), str(new), scratch=str(tmp_path))


def test_a_scratch_folder_that_is_not_there(tmp_path: Path) -> None:
    old = image(tmp_path / "old", tar(entry("a", b"1")), packed=6)
    new = image(tmp_path / "new", tar(entry("a", b"2")), packed=6)
    with pytest.raises(ToolError, match="cannot be written"):
        layout.compare(str(old), str(new), scratch=str(tmp_path / "missing"))
