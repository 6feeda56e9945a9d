"""Tars that are damaged, or lie about what is in them."""

from __future__ import annotations

import gzip
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import pytest

from envbuild.errors import InputError
from envbuild.scan.sources import layered
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.tree import Tree
from envbuild.tools import oci, packing
from tests.support import layers
from tests.support.layers import Entry as Member
from tests.support.layers import entry, folder, hard_link, tar

ELF = b"\x7fELF" + bytes(60)
SITE = "usr/lib/python3.11/site-packages"
LARGE = 9 * 1024 * 1024


def rootfs(tmp_path: Path, data: bytes) -> Tree:
    path = tmp_path / "root.tar"
    path.write_bytes(data)
    return layered.rootfs(str(path), "tar:root.tar", Wish(), str(tmp_path))


def refused(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        rootfs(tmp_path, data)
    assert caught.value.message.startswith("tar:root.tar ")
    return caught.value.message


@pytest.mark.parametrize(
    "member",
    [
        entry("../etc/passwd", b""),
        entry("a/../../b", b""),
        folder(".."),
        hard_link("a", "../b"),
        entry("a" * 256, b""),
        entry("/".join(["a" * 200] * 21), b""),
    ],
)
def test_names_that_lead_out_or_cannot_be(tmp_path: Path, member: Member) -> None:
    data = tar(entry("VERSION", b"1"), member)
    assert "name too long" in refused(tmp_path, data) or "leads out" in refused(tmp_path, data)


def _sized(size: int) -> bytes:
    """The header of a file that says this size, and nothing behind it."""
    member = tarfile.TarInfo("x.so")
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("size", [1, 600, LARGE + 1, 17 << 30])
def test_a_size_that_is_not_there(tmp_path: Path, size: int, pack: object) -> None:
    assert "cut off in 'x.so'" in refused(tmp_path, pack(_sized(size)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("size", [(1 << 40) + 1, 1 << 62, 1 << 80])
def test_more_than_is_ever_read(tmp_path: Path, size: int, pack: object) -> None:
    assert "unpacks to more than 1 TiB" in refused(tmp_path, pack(_sized(size)))


def test_damage(tmp_path: Path) -> None:
    good = tar(entry("a.so", ELF), entry("VERSION", b"1"))
    packed = gzip.compress(good)
    zstd = packing.packer("zstd")
    for data in (
        b"no tar at all" * 100,
        good[:540],
        good[:512] + b"\1" + good[513:1024] + b"\1" * 512,
        packed[: len(packed) // 2],
        packed[:20] + b"\0\0\0\0" + packed[24:],
        zstd.compress(good) + zstd.flush()[:-9],
        b"\x1f\x8b",
        b"\x28\xb5\x2f\xfd",
    ):
        refused(tmp_path, data)


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    """What is packed a thousand times as small is gone through, and not held."""
    size = 64 << 20
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    data = [packer.compress(_sized(size))]
    data += [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    data += [packer.compress(bytes(1024)), packer.flush()]
    (tmp_path / "root.tar").write_bytes(b"".join(data))
    tracemalloc.start()
    try:
        tree = layered.rootfs(str(tmp_path / "root.tar"), "tar:x", Wish(), str(tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20
    assert tree.folders["/"]["x.so"].size == size
    assert tree.modules["/x.so"].wrong


def test_paths_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    """Each of a few kilobytes names two thousand folders, whose paths have four megabytes."""
    deep = "/a" * 2000
    data = tar(*(entry(f"{number}{deep}", b"") for number in range(35)))
    with pytest.raises(InputError, match=r"more below .* than can be examined at once"):
        rootfs(tmp_path, gzip.compress(data, 1))


def test_a_file_stored_without_its_holes_is_told(tmp_path: Path) -> None:
    member, _ = entry(f"{SITE}/numpy/x.so", ELF)
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    tree = rootfs(tmp_path, tar((member, ELF)))
    assert tree.digests == {}
    assert [one.why for one in tree.troubles] == ["it is stored without its holes"]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    name = b"\xff\n.so".decode("utf-8", "surrogateescape")
    tree = rootfs(tmp_path, tar(entry(name, ELF), form=tarfile.GNU_FORMAT))
    assert list(tree.modules) == [f"/{name}"]


def test_deeper_than_python_calls_itself(tmp_path: Path) -> None:
    deep = "a/" * 2000
    data = (tar(entry(f"{deep}VERSION", b"1")), tar(entry(f"{deep}x", b"")))
    with oci.opened(str(layers.image(tmp_path / "image", *data)), "oci:image") as saved:
        tree = layered.image(saved, Wish(), str(tmp_path))
    assert tree.texts == {f"/{deep}VERSION": b"1"}
    assert len(tree.folders) == 2001
