"""Which rules are about a package."""

from __future__ import annotations

from tests.support.workspace import PROFILE

from envbuild.knowledge import rulebook
from envbuild.knowledge.world import world
from envbuild.lock.rules_about import about
from envbuild.profile.resolve import Source, resolve


def rules(package: str, image: str) -> dict[str, str]:
    text = PROFILE.format(name="one", requirements="")
    text = text.replace("docker.io/library/ubuntu:22.04", image)
    profile = resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=text)})
    return dict(about(package, world("one", profile.variants[0]), rulebook.shipped()))


def test_rules_for_the_release_that_name_the_package() -> None:
    found = rules("numpy", "nvcr.io/nvidia/isaac-sim:5.1.0")
    assert "numpy-equals-bundle" in found
    assert "(error)" in found["numpy-equals-bundle"]


def test_rules_for_other_environments_and_packages_are_silent() -> None:
    assert "numpy-equals-bundle" not in rules("numpy", "docker.io/library/ubuntu:22.04")
    assert "numpy-equals-bundle" not in rules("scipy", "nvcr.io/nvidia/isaac-sim:5.1.0")
    assert rules("no-such-package", "nvcr.io/nvidia/isaac-sim:5.1.0") == {}
