"""What moved between two images, or between a lock and an image."""

from __future__ import annotations

from tests.support.locks import package, side, variant

from envbuild.lock.folder import lock_digest
from envbuild.lock.image_diff import between_images, between_lock_and_image, variants
from envbuild.lock.model import Provided
from envbuild.lock.moves import Move
from envbuild.tools.images import Image
from envbuild.tools.layers import ImagePackage

VENV = "/opt/venv/lib/python3.11/site-packages"
KIT = "/isaac-sim/kit/python/lib/python3.11/site-packages"


def python(name: str, version: str, place: str = VENV) -> ImagePackage:
    return ImagePackage(kind="python", name=name, version=version, place=place)


def conda(name: str, version: str, build: str = "h0", origin: str = "conda-forge") -> ImagePackage:
    return ImagePackage(
        kind="conda", name=name, version=version, place="/c", build=build, origin=origin
    )


def image(*packages: ImagePackage, platform: str = "linux/amd64", **labels: str) -> Image:
    said = {f"io.envbuild.{key.replace('_', '-')}": value for key, value in labels.items()}
    return Image(platform=platform, digest="sha256:0", labels=said, packages=packages)


def moves(old: Image, new: Image) -> list[tuple[str, str, str, str]]:
    return [(m.risk, m.what, m.old, m.new) for m in between_images([old], [new])]


def test_versions_of_every_kind() -> None:
    old = image(
        python("numpy", "1.26.0"),
        conda("python", "3.10.4"),
        ImagePackage(kind="apt", name="libc6", version="2.35-1"),
        python("gone", "1"),
    )
    new = image(
        python("numpy", "2.2.6"),
        conda("python", "3.11.2"),
        ImagePackage(kind="apt", name="libc6", version="2.39-1"),
        python("nvidia-nccl-cu12", "2"),
    )
    assert moves(old, new) == [
        ("abi", "conda python", "3.10.4", "3.11.2"),
        ("abi", "numpy", "1.26.0", "2.2.6"),
        ("cuda", "nvidia-nccl-cu12", "", "2"),
        ("glibc", "apt libc6", "2.35-1", "2.39-1"),
        ("removed", "gone", "1", ""),
    ]
    assert moves(old, old) == []


def test_another_copy_beside_the_one_that_is_there() -> None:
    old = image(python("numpy", "1.26.0", KIT))
    new = image(python("numpy", "1.26.0", KIT), python("numpy", "2.2.6"))
    (found,) = between_images([old], [new])
    assert (found.risk, found.new) == ("bundle", "2.2.6")
    assert f"1.26.0 in {KIT}" in found.why
    assert VENV in found.what
    (back,) = between_images([new], [old])
    assert (back.risk, back.old, back.why) == ("removed", "2.2.6", "one copy less")


def test_another_place_and_another_python() -> None:
    old = image(python("numpy", "1.26.0", KIT))
    assert moves(old, image(python("numpy", "1.26.0"))) == [("other", "numpy", KIT, VENV)]
    other = image(python("numpy", "1.26.0", VENV.replace("3.11", "3.12")))
    assert moves(image(python("numpy", "1.26.0")), other) == [
        ("abi", "Python of /opt/venv", "3.11", "3.12")
    ]


def test_another_build_and_another_channel() -> None:
    old = image(conda("a", "1"))
    assert moves(old, image(conda("a", "1", build="h1"))) == [("other", "conda a", "h0", "h1")]
    assert moves(old, image(conda("a", "1", origin="elsewhere"))) == [
        ("security", "conda a", "conda-forge", "elsewhere")
    ]


def test_labels_and_platforms() -> None:
    assert moves(image(variant="a"), image(variant="b")) == [
        ("input", "label io.envbuild.variant", "a", "b")
    ]
    arm = image(python("numpy", "2"), platform="linux/arm64")
    amd = image(python("numpy", "1"))
    assert moves(amd, arm) == [
        ("abi", "numpy", "1", "2"),
        ("abi", "platform", "linux/amd64", "linux/arm64"),
    ]
    both = between_images([amd, arm], [arm])
    assert [(m.what, m.old, m.new) for m in both] == [("platform", "linux/amd64", "")]


# --- A lock and an image -------------------------------------------------------------------------

LOCK = side(
    {
        "linux-amd64-cu128": variant(
            package("scipy", "1.15.3"),
            package("missing", "1"),
            provided=(Provided(name="numpy", by="bundle", version="1.26.0"),),
        ),
        "linux-arm64-cu130": variant(),
    }
)


DIGEST = lock_digest(LOCK.lock.variants["linux-amd64-cu128"])


def against(*packages: ImagePackage, **labels: str) -> tuple[Move, ...]:
    return between_lock_and_image(LOCK, [image(*packages, **labels)], image_is_new=True)


def test_an_image_that_is_not_its_lock() -> None:
    found = against(
        python("scipy", "2.0"),
        python("numpy", "1.26.0", KIT),
        python("numpy", "2.2.6"),
        python("extra", "3"),
        lock_digest="sha256:other",
    )
    assert [(m.risk, m.what, m.old, m.new) for m in found] == [
        ("bundle", "numpy", "1.26.0", "1.26.0, 2.2.6"),
        ("major", "scipy", "1.15.3", "2.0"),
        ("added", "extra", "", "3"),
        ("removed", "missing", "1", ""),
        ("input", "label io.envbuild.lock-digest", DIGEST, "sha256:other"),
    ]
    assert {m.variants for m in found} == {("linux-amd64-cu128",)}


def test_the_other_way_round() -> None:
    old = [image(python("scipy", "2.0"), python("numpy", "1.26.0"), python("extra", "3"))]
    found = between_lock_and_image(LOCK, old, image_is_new=False)
    assert [(m.risk, m.what, m.old, m.new, m.why) for m in found][:3] == [
        ("major", "scipy", "2.0", "1.15.3", "a downgrade"),
        ("added", "missing", "", "1", "the image does not have it"),
        ("removed", "extra", "3", "", f"the lock does not name it; in {VENV}"),
    ]


def test_an_image_that_is_its_lock() -> None:
    same = against(
        python("scipy", "1.15.3"),
        python("missing", "1"),
        python("numpy", "1.26.0", KIT),
        lock_digest=DIGEST,
    )
    assert same == ()


def test_which_variants_are_compared() -> None:
    assert variants(LOCK, [image()]) == ("linux-amd64-cu128",)
    assert variants(LOCK, [image(variant="linux-arm64-cu130")]) == ("linux-arm64-cu130",)
    assert variants(LOCK, [image(platform="windows/amd64")]) == ()
