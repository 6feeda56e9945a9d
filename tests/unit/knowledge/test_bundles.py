"""The bundles: canonical packages with a version or `unknown`, and what each release brings."""

import re

import msgspec
import pytest
from packaging.version import Version

from envbuild.knowledge import facts
from envbuild.knowledge.model import Bundle
from envbuild.names import canonical_name, normalise
from envbuild.profile.words import Name


def bundle(name: str) -> Bundle:
    found = facts.bundle(name)
    assert found is not None
    return found


def test_the_bundles_that_are_known() -> None:
    assert facts.bundle_names() == (
        "isaac-sim-2023-1-1",
        "isaac-sim-4-1-0",
        "isaac-sim-5-0-0",
        "isaac-sim-5-1-0",
        "isaac-lab-2-3-0",
        "isaac-sim-6-0-0",
        "isaac-sim-6-0-1",
    )
    assert facts.bundle("isaac-sim-9-9-9") is None


def test_a_bundle_is_read_once() -> None:
    assert facts.bundle("isaac-sim-5-1-0") is facts.bundle("isaac-sim-5-1-0")


@pytest.mark.parametrize("name", facts.bundle_names())
def test_a_bundle_has_canonical_packages_with_a_version_or_unknown(name: str) -> None:
    found = bundle(name)
    assert msgspec.convert(found.name, Name) == name
    assert re.fullmatch(r"3\.1[0-9]", found.python)
    assert found.needs_eula
    for package, version in found.packages.items():
        assert package == canonical_name(package)
        assert version == "unknown" or str(Version(version)) == version
    for requirement in found.satisfies:
        assert normalise(requirement) == requirement


@pytest.mark.parametrize(
    ("name", "pins"),
    [
        ("isaac-sim-2023-1-1", {"numpy": "unknown"}),
        ("isaac-sim-4-1-0", {"numpy": "1.26.0"}),
        ("isaac-sim-6-0-0", {"numpy": "2.3.1", "pillow": "12.1.1", "pynvvideocodec": "2.1.0"}),
        (
            "isaac-sim-6-0-1",
            {
                "numpy": "2.3.1",
                "torch": "2.11.0",
                "torchvision": "0.26.0",
                "pillow": "12.2.0",
                "packaging": "26.0",
                "scipy": "1.17.0",
                "newton": "1.2.1",
            },
        ),
        (
            "isaac-sim-5-0-0",
            {
                "numpy": "1.26.0",
                "torch": "2.7.0",
                "pillow": "11.2.1",
                "sentry-sdk": "1.43.0",
                "packaging": "23.0",
                "osqp": "unknown",
                "matplotlib": "unknown",
            },
        ),
        (
            "isaac-sim-5-1-0",
            {
                "numpy": "1.26.0",
                "torch": "2.7.0",
                "pillow": "11.3.0",
                "click": "8.1.7",
                "psutil": "5.9.8",
                "typing-extensions": "4.12.2",
                "websockets": "12.0",
                "osqp": "0.6.7.post3",
            },
        ),
    ],
)
def test_what_isaac_sim_brings(name: str, pins: dict[str, str]) -> None:
    packages = bundle(name).packages
    assert {package: packages[package] for package in pins} == pins


@pytest.mark.parametrize("name", facts.bundle_names())
def test_no_bundle_has_a_package_for_windows_or_the_product_itself(name: str) -> None:
    packages = bundle(name).packages
    assert "pywin32" not in packages
    assert not [package for package in packages if package.startswith(("isaacsim", "omniverse"))]


def test_isaac_lab_brings_its_simulator_and_itself() -> None:
    lab = bundle("isaac-lab-2-3-0")
    assert lab.packages == bundle("isaac-sim-5-1-0").packages
    assert lab.satisfies == ("isaaclab==2.3.0",)
    assert bundle("isaac-sim-5-1-0").satisfies == ()


def test_the_torch_of_isaac_sim_since_5_is_built_for_cuda_12_8() -> None:
    builds = {name: bundle(name).torch_build for name in facts.bundle_names()}
    assert builds.pop("isaac-sim-2023-1-1") is None
    assert builds.pop("isaac-sim-4-1-0") is None
    assert set(builds.values()) == {"cu128"}


def test_what_6_0_1_has_no_more() -> None:
    assert "pynvvideocodec" not in bundle("isaac-sim-6-0-1").packages
