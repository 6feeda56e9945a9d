"""A bill held against what an image has."""

from __future__ import annotations

from envbuild.attest.bill import bill
from envbuild.attest.contents import held
from envbuild.tools.layers import ImagePackage
from tests.unit.attest.samples import subject

SITE = "/usr/lib/python3.11/site-packages"


def python(name: str, version: str, **more: str) -> ImagePackage:
    return ImagePackage(kind="python", name=name, version=version, place=SITE, **more)


def conda(name: str) -> ImagePackage:
    origin = "https://conda.anaconda.org/conda-forge/linux-64"
    return ImagePackage(
        kind="conda", name=name, version="1.0", place="/opt/conda", origin=origin, build="h0"
    )


WHOLE = (
    python("alpha", "1.0", licence="MIT"),
    python("beta", "2.0+cu128"),
    python("numpy", "1.26.0"),
    python("kit", "107.3"),
    python("pip", "1.0"),  # conda's own, which has a record of both kinds
    *(conda(name) for name in ("python", "libz", "pip")),
    ImagePackage(kind="apt", name="curl", version="7.81-1"),
    ImagePackage(kind="apt", name="wget", version="1.21"),
)


def test_an_image_that_has_everything() -> None:
    before = bill(subject())
    found = held(before, WHOLE, image="sha256:1")
    assert found.lacking == ()
    parts = {(one.kind, one.name): one for one in found.bill.components}
    assert len(parts) == len(before.components)
    assert parts["pypi", "alpha"].places == (SITE,)
    assert parts["pypi", "alpha"].licence == "MIT"
    assert (parts["pypi", "kit"].version, parts["deb", "wget"].version) == ("107.3", "1.21")
    assert found.bill.image == "sha256:1"
    assert {one.purl for one in found.bill.components} >= set(found.bill.needs)


def test_what_stands_beside_the_lock() -> None:
    more = (*WHOLE, python("numpy", "2.2.0"), conda("xz"), python("yaml", "6"))
    found = held(bill(subject()), more, image="sha256:1")
    beside = [one.purl for one in found.bill.components if one.origin == "image"]
    assert beside == [
        "pkg:conda/xz@1.0?build=h0&channel=conda-forge&subdir=linux-64",
        "pkg:pypi/numpy@2.2.0",
        "pkg:pypi/yaml@6",
    ]
    assert found.lacking == ()


def test_what_the_image_lacks() -> None:
    less = tuple(one for one in WHOLE if one.name not in ("alpha", "curl", "kit"))
    found = held(bill(subject()), (*less, python("alpha", "0.9")), image="sha256:1")
    assert sorted(found.lacking) == [
        "alpha 1.0: the image has 0.9",
        "deb curl 7.81-1: the image has nothing",
    ]
