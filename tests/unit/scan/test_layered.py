"""Images and roots as trees: what each layer hides, hard links, and tars that lie."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from envbuild.errors import InputError, ToolError
from envbuild.scan.sources import layered
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.tree import Entry, Tree
from envbuild.tools import oci, packing
from tests.support import layers
from tests.support.layers import Entry as Member
from tests.support.layers import entry, folder, hard_link, link, tar

ELF = b"\x7fELF" + bytes(60)
SITE = "usr/lib/python3.11/site-packages"
LARGE = 9 * 1024 * 1024


def image(tmp_path: Path, *each: tuple[Member, ...], packed: int | None = None) -> Tree:
    """The tree of an image of these layers, the lowest first."""
    data = [tar(*members) for members in each]
    root = layers.image(tmp_path / "image", *data, packed=packed)
    with oci.opened(str(root), "oci:image") as saved:
        return layered.image(saved, Wish(), str(tmp_path))


def rootfs(tmp_path: Path, data: bytes) -> Tree:
    path = tmp_path / "root.tar"
    path.write_bytes(data)
    return layered.rootfs(str(path), "tar:root.tar", Wish(), str(tmp_path))


def paths(tree: Tree) -> list[str]:
    """Every path that is no folder."""
    return sorted(
        f"{folder.rstrip('/')}/{name}"
        for folder, names in tree.folders.items()
        for name, one in names.items()
        if one.kind != "folder"
    )


# --- Layers over each other ----------------------------------------------------------------------


@pytest.mark.parametrize("packed", [None, 6])
def test_what_is_above_wins(tmp_path: Path, packed: int | None) -> None:
    tree = image(
        tmp_path,
        (entry("app/VERSION", b"old"), entry("app/x.so", ELF), entry("app/y", b"y")),
        (entry("app/VERSION", b"new"), folder("app"), entry("app/z", b"zz")),
        packed=packed,
    )
    assert tree.roots == ("/",)
    assert tree.texts == {"/app/VERSION": b"new"}
    assert tree.folders["/app"] == {
        "VERSION": Entry("file", 3),
        "x.so": Entry("file", 64),
        "y": Entry("file", 1),
        "z": Entry("file", 2),
    }
    assert list(tree.modules) == ["/app/x.so"]
    assert (tree.troubles, tree.missing) == ((), ())


def test_an_image_that_docker_saved(tmp_path: Path) -> None:
    one = tar(entry("a/VERSION", b"1"), entry("a/large.so", ELF + bytes(LARGE)))
    path = layers.archive(tmp_path / "image.tar", one, tar(entry("b/VERSION", b"2")))
    with oci.opened(str(path), "tar:image.tar") as saved:
        tree = layered.image(saved, Wish(), str(tmp_path))
    assert tree.texts == {"/a/VERSION": b"1", "/b/VERSION": b"2"}
    assert list(tree.modules) == ["/a/large.so"]


def test_whiteouts_and_opaque_folders(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (
            entry("a/VERSION", b"1"),
            entry("a/b/VERSION", b"2"),
            entry("c/VERSION", b"3"),
            entry("d/e/VERSION", b"4"),
            entry("d/VERSION", b"5"),
        ),
        (
            entry("a/.wh.VERSION"),
            entry("c/.wh..wh..opq"),
            entry("c/kept", b""),
            entry(".wh.d"),
            entry("d/new", b""),
        ),
    )
    assert paths(tree) == ["/a/b/VERSION", "/c/kept", "/d/new"]
    assert tree.texts == {"/a/b/VERSION": b"2"}
    assert "/d/e" not in tree.folders


def test_a_whiteout_hides_nothing_of_its_own_layer(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (entry("a/VERSION", b"old"), entry("b/VERSION", b"old")),
        (
            entry("a/VERSION", b"new"),
            entry("a/.wh.VERSION"),
            entry(".wh.b"),
            entry("b/VERSION", b"new"),
        ),
    )
    assert set(tree.texts.values()) == {b"new"}
    assert len(tree.texts) == 2


def test_what_was_removed_between_comes_back_from_above_alone(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (entry("a/VERSION", b"1"), entry("a/x", b"")),
        (entry(".wh.a"),),
        (entry("a/y", b""),),
    )
    assert paths(tree) == ["/a/y"]


def test_files_in_the_place_of_folders_and_back(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (entry("a/VERSION", b"1"), entry("b", b"file"), entry("c/d/VERSION", b"2")),
        (entry("a", b"file"), entry("b/VERSION", b"3"), link("c", "b")),
    )
    assert paths(tree) == ["/a", "/b/VERSION", "/c"]
    assert tree.texts == {"/b/VERSION": b"3"}
    assert tree.text("/c/VERSION") == "3"
    assert {*tree.folders} == {"/", "/b"}


def test_what_is_hidden_is_never_read(tmp_path: Path) -> None:
    too_long = bytes(2 << 20)
    path = "x.dist-info/WHEEL"
    tree = image(tmp_path, (entry(path, too_long),), (entry(path, b"Tag: any"),))
    assert tree.texts == {f"/{path}": b"Tag: any"}
    assert tree.troubles == ()


def test_of_what_comes_twice_in_a_layer_the_last_counts(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (
            entry("VERSION", b"1"),
            entry("VERSION", b"22"),
            entry("a/VERSION", b"3"),
            entry("a", b""),
            entry("b", b""),
            entry("b/VERSION", b"4"),
            entry("c/x/VERSION", b"5"),
            entry("c", b""),
            entry("c/VERSION", b"6"),
        ),
    )
    assert tree.texts == {"/VERSION": b"22", "/b/VERSION": b"4", "/c/VERSION": b"6"}
    assert paths(tree) == ["/VERSION", "/a", "/b/VERSION", "/c/VERSION"]
    assert tree.folders["/"]["VERSION"].size == 2


# --- Hard links ----------------------------------------------------------------------------------


def test_hard_links_of_a_layer(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (
            entry("cache/0", ELF),  # by this name, nobody would look into it
            hard_link("x/lib.so", "cache/0"),
            hard_link("y/lib.so.1", "x/lib.so"),
            entry("VERSION", b"1"),
            hard_link("a/VERSION", "/VERSION"),
            link("b", "VERSION"),
            hard_link("c", "b"),
        ),
    )
    assert list(tree.modules) == ["/x/lib.so", "/y/lib.so.1"]
    assert tree.modules["/x/lib.so"].machine or tree.modules["/x/lib.so"].wrong
    assert tree.texts == {"/VERSION": b"1", "/a/VERSION": b"1"}
    assert tree.folders["/y"]["lib.so.1"] == Entry("file", 64)
    assert tree.entry("/c") == Entry("link", 0, "VERSION")
    assert tree.troubles == ()


@pytest.mark.parametrize("packed", [None, 6])
def test_a_hard_link_to_what_is_hidden_above(tmp_path: Path, packed: int | None) -> None:
    tree = image(
        tmp_path,
        (entry("a/VERSION", b"1"), hard_link("b/VERSION", "a/VERSION")),
        (entry(".wh.a"),),
        packed=packed,
    )
    assert paths(tree) == ["/b/VERSION"]
    assert tree.texts == {"/b/VERSION": b"1"}


def test_hard_links_to_layers_below(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (entry("cache/0", b"1.0"), hard_link("cache/1", "cache/0")),
        (hard_link("cache/2", "cache/1"),),
        (hard_link("VERSION", "cache/2"), entry(".wh.nothing")),
        (entry(".wh.cache"),),
    )
    assert paths(tree) == ["/VERSION"]
    assert tree.texts == {"/VERSION": b"1.0"}
    assert tree.entry("/VERSION") == Entry("file", 3)


@pytest.mark.parametrize(
    "between",
    [
        entry(".wh.cache"),
        entry("cache/.wh.0"),
        entry("cache/.wh..wh..opq"),
        entry(".wh..wh..opq"),
        entry("cache", b"file"),
        folder("cache/0"),
    ],
)
def test_a_hard_link_to_what_was_gone_by_then(tmp_path: Path, between: Member) -> None:
    tree = image(
        tmp_path, (entry("cache/0", b"1.0"),), (between,), (hard_link("VERSION", "cache/0"),)
    )
    assert tree.texts == {}
    assert [(one.path, one.why) for one in tree.troubles] == [
        ("/VERSION", "it is a hard link to /cache/0, which is not there")
    ]


def test_hard_links_that_lead_nowhere(tmp_path: Path) -> None:
    tree = image(
        tmp_path,
        (hard_link("a", "b"), hard_link("b", "a"), hard_link("c", "c"), hard_link("VERSION", "")),
    )
    assert tree.texts == {}
    assert len(tree.troubles) == 4


# --- What is in a file ---------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 70_000, LARGE])
def test_digests(tmp_path: Path, size: int, packed: bool) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    data = tar(entry(f"{SITE}/numpy/x", content), entry("VERSION", b"behind"))
    tree = rootfs(tmp_path, gzip.compress(data, 1) if packed else data)
    assert tree.digests == {f"/{SITE}/numpy/x": hashlib.sha256(content).hexdigest()}
    assert tree.texts == {"/VERSION": b"behind"}
    assert os.listdir(tmp_path) == ["root.tar"]


def test_a_large_file_needs_a_folder_for_it(tmp_path: Path) -> None:
    path = tmp_path / "root.tar"
    path.write_bytes(gzip.compress(tar(entry("x.so", bytes(LARGE))), 1))
    with pytest.raises(ToolError, match="cannot be written"):
        layered.rootfs(str(path), "tar:root.tar", Wish(), str(tmp_path / "none"))


# --- The root of a container ---------------------------------------------------------------------


def _zstd(data: bytes) -> bytes:
    packer = packing.packer("zstd")
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, _zstd], ids=["plain", "gzip", "zstd"])
def test_a_root_as_engines_export_it(tmp_path: Path, pack: object) -> None:
    data = tar(
        folder("./"),
        folder("etc/"),
        entry("etc/os-release", b"ID=ubuntu"),
        entry("/isaac-sim/VERSION", b"5.1.0"),
        entry("./dev/null", type=tarfile.CHRTYPE),
        entry("dev/sda", type=tarfile.BLKTYPE),
        entry("run/pipe.so", type=tarfile.FIFOTYPE),
        link("lib", "../../../../usr/lib"),
        entry("usr/lib/libc.so.6", ELF),
        entry("a/.wh.b", b"a file of its own here"),
        hard_link("isaac-sim/kit/VERSION", "isaac-sim/VERSION"),
    )
    tree = rootfs(tmp_path, pack(data))
    assert tree.texts == {
        "/etc/os-release": b"ID=ubuntu",
        "/isaac-sim/VERSION": b"5.1.0",
        "/isaac-sim/kit/VERSION": b"5.1.0",
    }
    assert tree.folders["/dev"] == {"null": Entry("other"), "sda": Entry("other")}
    assert tree.folders["/run"] == {"pipe.so": Entry("other")}
    assert tree.place("/lib/libc.so.6").path == "/usr/lib/libc.so.6"
    assert ".wh.b" in tree.folders["/a"]
    assert list(tree.modules) == ["/usr/lib/libc.so.6"]


def test_an_empty_root(tmp_path: Path) -> None:
    assert rootfs(tmp_path, tar()).folders == {"/": {}}
    assert rootfs(tmp_path, b"").folders == {"/": {}}


def test_a_tar_without_an_end_is_whole(tmp_path: Path) -> None:
    data = tar(entry("VERSION", b"1"))[:1024]
    for whole in (data, gzip.compress(data), data[:513], gzip.compress(data[:513])):
        assert rootfs(tmp_path, whole).texts == {"/VERSION": b"1"}


def test_a_layer_that_is_missing(tmp_path: Path) -> None:
    root = layers.image(tmp_path / "image", tar(entry("a", b"")))
    with oci.opened(str(root), "oci:image") as saved:
        (root / saved.layers[0].path).unlink()
        with pytest.raises(InputError, match="oci:image is not whole"):
            layered.image(saved, Wish(), str(tmp_path))


def test_a_tar_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tar:x does not exist"):
        layered.rootfs(str(tmp_path / "x"), "tar:x", Wish(), str(tmp_path))
    with pytest.raises(InputError, match="tar:x cannot be read: is a directory"):
        layered.rootfs(str(tmp_path), "tar:x", Wish(), str(tmp_path))
