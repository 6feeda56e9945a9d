"""What is in an image, read from its layers."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from envbuild.errors import EnvbuildError, InputError, ToolError
from envbuild.tools import images
from envbuild.tools.layers import ImagePackage
from envbuild.tools.proc import Command, Outcome
from tests.support.image import (
    Layer,
    apt_packages,
    blobs,
    conda_package,
    docker_archive,
    image_of,
    layer,
    oci_layout,
    python_package,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SITE = "opt/venv/lib/python3.11/site-packages"
KIT = "isaac-sim/kit/python/lib/python3.11/site-packages"


def names(root: Path, *layers: Layer) -> list[tuple[str, str, str]]:
    (image,) = images.from_folder(str(image_of(root, *layers)), "oci:x")
    return [(one.name, one.version, one.place) for one in image.packages]


def test_all_three_kinds_with_labels_and_platform(tmp_path: Path) -> None:
    files = {
        **python_package(SITE, "Scikit_Learn", "1.5"),
        **conda_package("opt/conda", "libstdcxx-ng", "13.1"),
        **apt_packages(("libc6", "2.35-0ubuntu3"), ("g++", "4:11.2.0")),
    }
    root = image_of(tmp_path, files, labels={"io.envbuild.profile": "small"})
    (image,) = images.from_folder(str(root), "oci:x")
    assert image.platform == "linux/amd64"
    assert image.labels == {"io.envbuild.profile": "small"}
    assert image.digest.startswith("sha256:")
    assert image.packages == (
        ImagePackage(kind="apt", name="g++", version="4:11.2.0"),
        ImagePackage(kind="apt", name="libc6", version="2.35-0ubuntu3"),
        ImagePackage(
            kind="conda",
            name="libstdcxx-ng",
            version="13.1",
            place="/opt/conda",
            origin="conda-forge",
            build="h0",
        ),
        ImagePackage(kind="python", name="scikit-learn", version="1.5", place=f"/{SITE}"),
    )


def test_the_version_is_that_of_the_head_and_not_of_the_text_below(tmp_path: Path) -> None:
    assert names(tmp_path, python_package(SITE, "numpy", "1.26.0"))[0][1] == "1.26.0"


def test_a_record_without_metadata_has_the_name_of_its_folder(tmp_path: Path) -> None:
    found = names(tmp_path, {f"{SITE}/numpy-2.1.0.dist-info/METADATA": ""})
    assert found == [("numpy", "2.1.0", f"/{SITE}")]


def test_packages_of_debian_have_eggs(tmp_path: Path) -> None:
    debian = "usr/lib/python3/dist-packages"
    files = {
        f"{debian}/six-1.16.egg-info": "Name: six\nVersion: 1.16\n",
        f"{debian}/yaml-6.0.egg-info/PKG-INFO": "Name: PyYAML\nVersion: 6.0\n",
        f"{debian}/yaml-6.0.egg-info/top_level.txt": "yaml\n",
    }
    assert names(tmp_path, files) == [
        ("pyyaml", "6.0", f"/{debian}"),
        ("six", "1.16", f"/{debian}"),
    ]


def test_two_copies_in_two_sites_are_two(tmp_path: Path) -> None:
    lower = python_package(KIT, "numpy", "1.26.0")
    upper = python_package(SITE, "numpy", "2.2.6")
    assert [(v, p) for _, v, p in names(tmp_path, lower, upper)] == [
        ("1.26.0", f"/{KIT}"),
        ("2.2.6", f"/{SITE}"),
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        f"{SITE}/numpy-1.26.0.dist-info/.wh.METADATA",
        f"{SITE}/.wh.numpy-1.26.0.dist-info",
        "opt/.wh.venv",
        ".wh.opt",
        f"{SITE}/.wh..wh..opq",
        ".wh..wh..opq",
        f"./{SITE}//.wh.numpy-1.26.0.dist-info",
    ],
)
def test_a_whiteout_takes_away_what_is_below_it(tmp_path: Path, hidden: str) -> None:
    lower = python_package(SITE, "numpy", "1.26.0")
    assert names(tmp_path, lower, {hidden: ""}) == []


def test_a_whiteout_leaves_its_own_layer_and_its_neighbours(tmp_path: Path) -> None:
    lower = {**python_package(SITE, "numpy", "1.26.0"), **python_package(KIT, "numpy", "1.26.0")}
    upper = {f"{SITE}/.wh..wh..opq": "", **python_package(SITE, "numpy", "2.2.6")}
    assert [(v, p) for _, v, p in names(tmp_path, lower, upper)] == [
        ("1.26.0", f"/{KIT}"),
        ("2.2.6", f"/{SITE}"),
    ]


def test_a_file_in_the_place_of_a_folder_takes_it_away(tmp_path: Path) -> None:
    assert names(tmp_path, python_package(SITE, "numpy", "1.26.0"), {"opt/venv": "no"}) == []


def test_a_folder_that_is_named_again_takes_nothing_away(tmp_path: Path) -> None:
    found = names(tmp_path, python_package(SITE, "numpy", "1.26.0"), {"opt/venv": None})
    assert len(found) == 1


def test_hard_links_of_conda_count_where_they_are_imported_from(tmp_path: Path) -> None:
    cached = "opt/conda/pkgs/numpy-1.26.0-py311/lib/python3.11/site-packages"
    record = "numpy-1.26.0.dist-info/METADATA"
    files = {
        **python_package(cached, "numpy", "1.26.0"),
        f"link:{SITE}/{record}": f"{cached}/{record}",
    }
    assert names(tmp_path, files) == [("numpy", "1.26.0", f"/{SITE}")]


def test_what_others_have_vendored_is_not_installed(tmp_path: Path) -> None:
    files = python_package(f"{SITE}/setuptools/_vendor", "packaging", "24.2")
    assert names(tmp_path, files) == []


def test_every_platform_is_an_image_and_an_attestation_is_none(tmp_path: Path) -> None:
    one = layer(python_package(SITE, "numpy", "1.26.0"), packed=True)
    other = layer(python_package(SITE, "numpy", "2.2.6"))
    attestation = ({}, {"digest": "sha256:" + "0" * 64, "platform": {"os": "unknown"}})
    root = oci_layout(tmp_path, blobs([one]), blobs([other], architecture="arm64"), attestation)
    found = images.from_folder(str(root), "oci:x")
    assert [(image.platform, image.packages[0].version) for image in found] == [
        ("linux/amd64", "1.26.0"),
        ("linux/arm64", "2.2.6"),
    ]


def test_an_index_within_an_index(tmp_path: Path) -> None:
    found, entry = blobs([layer(python_package(SITE, "numpy", "1.26.0"))])
    data = json.dumps({"manifests": [entry]}).encode()
    inner = "sha256:" + "a" * 64
    found["blobs/sha256/" + "a" * 64] = data
    (image,) = images.from_folder(str(oci_layout(tmp_path, (found, {"digest": inner}))), "x")
    assert image.packages[0].name == "numpy"


def test_a_tar_of_docker_with_a_layer_that_is_a_link(tmp_path: Path) -> None:
    layers = [layer(python_package(SITE, "numpy", "1.26.0")), layer(apt_packages(("libc6", "2")))]
    path = docker_archive(tmp_path / "image.tar", layers)
    (image,) = images.from_archive(str(path), "tar:x")
    assert [one.name for one in image.packages] == ["libc6", "numpy"]


def test_a_tar_in_ocis_layout(tmp_path: Path) -> None:
    root = image_of(tmp_path / "image", python_package(SITE, "numpy", "1.26.0"))
    with tarfile.open(tmp_path / "image.tar", "w") as tar:
        tar.add(root, arcname=".")
    (image,) = images.from_archive(str(tmp_path / "image.tar"), "tar:x")
    assert image.packages[0].name == "numpy"


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("packing", PACKERS)
def test_a_tar_that_is_packed(tmp_path: Path, packing: str) -> None:
    layers = [layer(python_package(SITE, "numpy", "1.26.0")), layer(apt_packages(("libc6", "2")))]
    path = docker_archive(tmp_path / "image.tar", layers)
    path.write_bytes(PACKERS[packing](path.read_bytes()))
    (image,) = images.from_archive(str(path), "tar:x")
    assert [one.name for one in image.packages] == ["libc6", "numpy"]


def test_a_layer_that_is_packed_with_zstd(tmp_path: Path) -> None:
    data = zstd.compress(layer(python_package(SITE, "numpy", "1.26.0")))
    (image,) = images.from_folder(str(oci_layout(tmp_path, blobs([data]))), "oci:x")
    assert [one.name for one in image.packages] == ["numpy"]


# --- What cannot be read -------------------------------------------------------------------------


def said_of_folder(root: Path) -> str:
    with pytest.raises(EnvbuildError) as caught:
        images.from_folder(str(root), "oci:x")
    return caught.value.message


def test_a_folder_that_is_no_image(tmp_path: Path) -> None:
    assert said_of_folder(tmp_path) == "oci:x holds no image"
    assert said_of_folder(tmp_path / "none").startswith("oci:x: there is no folder")


def test_an_index_that_is_broken_or_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{")
    assert said_of_folder(tmp_path) == "oci:x: index.json is not JSON"
    outside = {"digest": "sha256:../../../../etc/passwd"}
    (tmp_path / "index.json").write_text(json.dumps({"manifests": [outside, 3, None]}))
    assert said_of_folder(tmp_path) == "oci:x holds no image"


@pytest.mark.parametrize("manifest", [b"[]", b"7", b'"text"', b"{}"])
def test_a_manifest_of_another_form(tmp_path: Path, manifest: bytes) -> None:
    place = "a" * 64
    found = {f"blobs/sha256/{place}": manifest}
    root = oci_layout(tmp_path, (found, {"digest": f"sha256:{place}"}))
    assert "its configuration is missing" in said_of_folder(root)


def test_a_layer_that_is_cut_off_or_no_tar_or_missing(tmp_path: Path) -> None:
    whole = layer(python_package(SITE, "numpy", "1.26.0"), packed=True)
    for index, data in enumerate((whole[:-20], whole[: len(whole) // 2], b"x" * 600)):
        root = oci_layout(tmp_path / str(index), blobs([data]))
        assert "cannot be read" in said_of_folder(root)
    found, entry = blobs([whole])
    del found[next(iter([p for p, data in found.items() if data == whole]))]
    assert "is missing" in said_of_folder(oci_layout(tmp_path / "less", (found, entry)))


def test_several_images_in_one_place_are_not_guessed_between(tmp_path: Path) -> None:
    root = oci_layout(tmp_path, blobs([layer({"a": "1"})]), blobs([layer({"b": "2"})]))
    assert said_of_folder(root) == "oci:x holds 2 images"


def test_archives_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    for data in (b"", b"text", b"\x1f\x8b\x08"):
        path.write_bytes(data)
        with pytest.raises(InputError):
            images.from_archive(str(path), "tar:x")
    with pytest.raises(InputError, match="tar:x cannot be read: no such file"):
        images.from_archive(str(tmp_path / "none"), "tar:x")


@pytest.mark.parametrize("packing", PACKERS)
def test_a_packed_archive_that_is_cut_off_or_damaged(tmp_path: Path, packing: str) -> None:
    path = docker_archive(tmp_path / "x.tar", [layer(apt_packages(("libc6", "2")))])
    whole = PACKERS[packing](path.read_bytes())
    middle = len(whole) // 2
    for data in (whole[:middle], whole[:middle] + b"x" * 20 + whole[middle + 20 :]):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"^tar:x"):
            images.from_archive(str(path), "tar:x")


def test_links_that_go_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("index.json")
        member.type = tarfile.SYMTYPE
        member.linkname = "index.json"
        tar.addfile(member)
    with pytest.raises(InputError, match="holds no image"):
        images.from_archive(str(path), "tar:x")


# --- Engines -------------------------------------------------------------------------------------


class Engines:
    """Podman and docker: which of them is there, and which image it has."""

    def __init__(self, **saved: Path | str | None) -> None:
        self.saved = saved
        self.ran: list[tuple[str, ...]] = []

    def __call__(self, command: Command) -> Outcome:
        self.ran.append(command.argv)
        found = self.saved.get(command.argv[0])
        if isinstance(found, Path):
            shutil.copy(found, command.argv[4])
        code = 0 if isinstance(found, Path) else 127 if found is None else 125
        return Outcome(
            command=command,
            code=code,
            stdout="",
            stderr=found if isinstance(found, str) else "",
            seconds=0.0,
            missing=found is None,
        )


def test_an_image_of_an_engine_is_saved_and_read(tmp_path: Path) -> None:
    tar = docker_archive(tmp_path / "x.tar", [layer(python_package(SITE, "numpy", "1.26.0"))])
    engines = Engines(podman="Error: no such image", docker=tar)
    (image,) = images.from_engine("small:1", {"PATH": "/bin"}, engines)
    assert image.packages[0].name == "numpy"
    assert [argv[0] for argv in engines.ran] == ["podman", "docker"]
    assert engines.ran[1][-1] == "small:1"


def test_no_engine_has_the_image_or_there_is_no_engine() -> None:
    with pytest.raises(InputError, match="podman: Error: no such image"):
        images.from_engine("small:1", {}, Engines(podman="trace\nError: no such image"))
    with pytest.raises(ToolError, match="neither podman nor docker"):
        images.from_engine("small:1", {}, Engines())
    with pytest.raises(InputError, match="is no reference"):
        images.from_engine("--all", {}, Engines())
