"""Whether an image is the one that was built."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from envbuild.attest import asbuilt
from envbuild.attest.asbuilt import AsBuilt, Seen
from envbuild.build.records import settings
from envbuild.engines.model import ImageFacts
from envbuild.tools import oci
from tests.support import layers

FACTS = ImageFacts(
    identity="sha256:1",
    platform="linux/amd64",
    size=1,
    labels=(("a", "b"),),
    environment=(("PATH", "/bin"),),
    workdir="/workspace",
    layers=("sha256:x", "sha256:y"),
)
BUILT = AsBuilt(
    source="the record",
    lock_digest="sha256:l",
    identities=("sha256:1", "sha256:m"),
    layers=FACTS.layers,
    settings=settings(FACTS),
    engine="podman",
)


def differences(*identities: str, engine: str = "", **fields: object) -> tuple[str, ...]:
    facts = msgspec.structs.replace(FACTS, **fields)
    return asbuilt.differences(BUILT, Seen(identities=identities, facts=facts, engine=engine))


@pytest.mark.parametrize("identity", ["sha256:1", "sha256:m"])
def test_the_very_same(identity: str) -> None:
    assert differences(identity, engine="podman", layers=()) == ()


def test_written_anew_by_another_tool_it_counts_as_the_same() -> None:
    assert differences("sha256:2", workdir="/workspace/") == ()
    assert differences("sha256:2", engine="docker") == ()


def test_the_engine_that_built_it_has_another() -> None:
    (why,) = differences("sha256:2", engine="podman")
    assert why == "its configuration is another than the record has, with the same layers"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"layers": ("sha256:x", "sha256:y", "sha256:z")}, "1 layer more than the record has"),
        ({"layers": ("sha256:x",)}, "it has 1 of the 2 layers that the record has"),
        ({"layers": ("sha256:x", "sha256:z")}, "layer 2 of 2 is another than the record has"),
        ({"environment": (("PATH", "/evil"),)}, "what it says of itself"),
        ({"labels": (("a", "c"),)}, "what it says of itself"),
        ({"layers": ()}, "it is sha256:2, and the record has sha256:1 or sha256:m"),
    ],
)
def test_another_image(fields: dict[str, object], said: str) -> None:
    (why,) = differences("sha256:2", **fields)
    assert said in why


# --- Saved images --------------------------------------------------------------------------------


def saved(root: Path) -> Path:
    data = [layers.tar(layers.entry("etc/one", b"1")), layers.tar(layers.entry("etc/two", b"2"))]
    layers.image(root, *data, config=layers.configuration(data))
    return root


def broken(root: Path) -> list[str]:
    with oci.opened(str(root), "x") as image:
        return list(asbuilt.broken(image))


def blob(root: Path, data: bytes) -> Path:
    return root / "blobs/sha256" / hashlib.sha256(data).hexdigest()


def test_a_whole_image(tmp_path: Path) -> None:
    assert broken(saved(tmp_path / "image")) == []


def test_a_layer_with_other_bytes_under_the_same_name(tmp_path: Path) -> None:
    root = saved(tmp_path / "image")
    path = blob(root, layers.tar(layers.entry("etc/two", b"2")))
    path.write_bytes(layers.tar(layers.entry("etc/two", b"3")))
    (why,) = broken(root)
    assert why.startswith("layer 2 of 2 holds sha256:")


def test_a_configuration_with_other_bytes_under_the_same_name(tmp_path: Path) -> None:
    root = saved(tmp_path / "image")
    (path,) = (one for one in (root / "blobs/sha256").iterdir() if b"rootfs" in one.read_bytes())
    path.write_bytes(path.read_bytes().replace(b"PATH=/bin", b"PATH=/xin"))
    (why,) = broken(root)
    assert why.startswith("its configuration has the digest sha256:")
