"""What is read from the layers of an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.lock.apt.image import ImageSystem, read
from envbuild.tools.net import NetError
from tests.registry.answers import Said, Server
from tests.registry.conftest import reach
from tests.registry.images import DEBIAN, Image, digest, image, layer

STATUS = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n"
LIST = "deb http://archive.example.org/debian stable main\n"


def system(server: Server, home: Path, one: Image) -> ImageSystem:
    """What the image says, through the server."""
    server.hold("a/b", "1", one)
    registry = reach(home)
    name = f"{server.place}/a/b:1"
    return read(registry, name, registry.manifest(name, "amd64"), str(home / "cache"))


@pytest.mark.parametrize("packed", ["gz", "zst", "plain"])
def test_an_image_of_one_layer(server: Server, home: Path, packed: str) -> None:
    files = {
        "./etc/apt/sources.list": LIST,
        "usr/lib/os-release": DEBIAN,
        "var/lib/dpkg/status": STATUS,
        "usr/bin/tool": "x" * 100_000,
    }
    found = system(server, home, image(layer(files, packed=packed)))
    assert found.distribution == "debian 12"
    assert found.lists == {"etc/apt/sources.list": LIST}
    assert found.installed == {"libc6": "2.36-9"}
    assert found.created == "2024-01-01T00:00:00Z"


def test_upper_layers_add_replace_and_remove(server: Server, home: Path) -> None:
    lower = layer(
        {
            "etc/os-release": DEBIAN,
            "etc/apt/sources.list": "old\n",
            "etc/apt/sources.list.d/gone.list": "gone\n",
            "etc/apt/sources.list.d/kept.sources": "kept\n",
        }
    )
    upper = layer(
        {
            "etc/apt/sources.list": "new\n",
            "etc/apt/sources.list.d/.wh.gone.list": "",
            "etc/apt/sources.list.d/more.list": "more\n",
        }
    )
    found = system(server, home, image(lower, upper))
    assert {path.rpartition("/")[2]: text for path, text in found.lists.items()} == {
        "sources.list": "new\n",
        "kept.sources": "kept\n",
        "more.list": "more\n",
    }


def test_a_folder_that_is_emptied(server: Server, home: Path) -> None:
    lower = layer({"etc/apt/sources.list.d/a.list": "a\n", "etc/os-release": DEBIAN})
    upper = layer({"etc/apt/.wh..wh..opq": "", "etc/apt/sources.list": LIST})
    found = system(server, home, image(lower, upper))
    assert found.lists == {"etc/apt/sources.list": LIST}
    assert found.distribution == "debian 12"


def test_an_image_is_read_once(server: Server, home: Path) -> None:
    one = image(layer({"etc/apt/sources.list": LIST}))
    first = system(server, home, one)
    before = len(server.asked)
    assert system(server, home, one) == first
    assert [path for path in server.paths()[before:] if "/manifests/" not in path] == [
        f"/v2/a/b/blobs/{digest(next(iter(one.blobs.values())))}"
    ], "the configuration alone: whether the image is for this platform"


def test_a_layer_that_is_cut_off(server: Server, home: Path) -> None:
    one = image(layer({"etc/os-release": DEBIAN}))
    server.hold("a/b", "1", one)
    name, data = list(one.blobs.items())[1]
    server.answers[f"/v2/a/b/blobs/{name}"] = Said(200, data, cut=len(data) // 2)
    registry = reach(home)
    manifest = registry.manifest(f"{server.place}/a/b:1", "amd64")
    with pytest.raises(NetError, match="the answer was cut off"):
        read(registry, f"{server.place}/a/b:1", manifest, str(home / "cache"))
    assert not (home / "cache").exists()


def test_a_layer_of_other_bytes(server: Server, home: Path) -> None:
    one, other = image(layer({"etc/os-release": DEBIAN})), layer({"etc/os-release": "ID=other\n"})
    server.hold("a/b", "1", one)
    for data in (other, other[: len(other) // 2], b"\x1f\x8b nothing"):
        server.answers[f"/v2/a/b/blobs/{list(one.blobs)[1]}"] = Said(200, data)
        registry = reach(home)
        manifest = registry.manifest(f"{server.place}/a/b:1", "amd64")
        with pytest.raises(NetError, match="other bytes than its digest says"):
            read(registry, f"{server.place}/a/b:1", manifest, str(home / "cache"))


def test_a_layer_that_is_no_tar(server: Server, home: Path) -> None:
    with pytest.raises(NetError, match="a layer of the image cannot be read"):
        system(server, home, image(b"\x1f\x8b but no gzip"))


def test_a_layer_that_is_too_large_is_not_read(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from envbuild.lock.apt import image as reading

    small, large = layer({"etc/os-release": DEBIAN}), layer({"a": "".join(map(str, range(9000)))})
    monkeypatch.setattr(reading, "_LARGEST_LAYER", len(small))
    found = system(server, home, image(small, large))
    assert (found.unread, found.distribution) == (1, "debian 12")
