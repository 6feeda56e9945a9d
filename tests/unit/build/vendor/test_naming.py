"""Files by their names, and where each is known to be."""

from __future__ import annotations

import pytest

from envbuild.build.vendor import bundles, locations
from envbuild.build.vendor.naming import named

COMMIT = "0123456789" * 4
DIGEST = f"sha256:{'d' * 64}"


@pytest.mark.parametrize(
    ("folder", "filename", "said"),
    [
        ("wheels", "PyYAML-6.0.2-cp311-cp311-manylinux_2_17_x86_64.whl", ("wheel", "pyyaml", "6.0.2")),
        ("sources", "flatdict-4.0.1.tar.gz", ("sdist", "flatdict", "4.0.1")),
        ("sources", "old_thing-1.0.tar.bz2", ("sdist", "old_thing", "1.0")),
        ("git", "setuptools-80.9.0-py3-none-any.whl", ("wheel", "setuptools", "80.9.0")),
        ("conda", "python-3.11.7-hab00c5b_1_cpython.conda", ("conda", "python", "3.11.7=hab00c5b_1_cpython")),
        ("conda", "font-ttf-dejavu-2.37-hab24e00_0.tar.bz2", ("conda", "font-ttf-dejavu", "2.37=hab24e00_0")),
        ("apt", "git_1%3a2.39.5-0+deb12u3_amd64.deb", ("deb", "git", "1:2.39.5-0+deb12u3")),
        ("python", "cpython-3.11.13+20250807-x86_64-unknown-linux-gnu-install_only.tar.gz", ("python", "python", "3.11.13+20250807")),
    ],
)  # fmt: skip
def test_a_file_says_what_it_is(folder: str, filename: str, said: tuple[str, str, str]) -> None:
    found = named(folder, filename)
    assert (found.kind, found.name, found.version) == said


def kinds(found: tuple[locations.Location, ...]) -> list[tuple[str, str]]:
    return [(one.kind, one.at) for one in found]


def test_a_wheel_is_at_the_index_of_whoever_reads() -> None:
    own = ("index", "torch==2.7.1 torch.whl")
    assert kinds(locations.package("torch", "2.7.1", "torch.whl")) == [own]
    vendor = "https://pypi.nvidia.com"
    found = locations.package("torch", "2.7.1", "torch.whl", vendor=vendor)
    assert kinds(found) == [("vendor-index", f"torch==2.7.1 torch.whl {vendor}"), own]


def test_a_debian_package_has_a_second_place_where_old_states_are_kept() -> None:
    assert kinds(locations.deb("git", "1:2", "amd64", snapshot="")) == [
        ("archive", "git=1:2 amd64")
    ]
    assert kinds(locations.deb("git", "1:2", "amd64", snapshot="20250101T000000Z"))[1] == (
        "snapshot", "git=1:2 amd64 20250101T000000Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://github.com/isaac-sim/IsaacLab.git", ["git", "software-heritage"]),
        ("git@github.com:isaac-sim/IsaacLab.git", ["git", "software-heritage"]),
        ("https://git.example.org/robot.git", ["git"]),
        ("file:///home/me/robot", []),
    ],
)
def test_a_commit_of_a_public_forge_is_in_the_heritage(url: str, known: list[str]) -> None:
    assert [one.kind for one in locations.git(url, COMMIT)] == known


@pytest.mark.parametrize(
    ("reference", "count"),
    [
        (f"docker.io/library/ubuntu@{DIGEST}", 3),
        (f"docker.io/mambaorg/micromamba@{DIGEST}", 2),
        (f"nvcr.io/nvidia/isaac-sim@{DIGEST}", 1),
    ],
)
def test_an_image_of_the_hub_is_elsewhere_too(reference: str, count: int) -> None:
    found = locations.image(reference, DIGEST)
    assert len(found) == count
    assert found[0].at == reference
    part = locations.image(reference, DIGEST, blob="sha256:1")
    assert [one.at for one in part] == [f"{one.at} sha256:1" for one in found]


def test_a_bundle_is_a_heading_and_a_pack() -> None:
    head = bundles.heading(COMMIT)
    assert head.startswith(b"# v2 git bundle\n")
    assert head.endswith(b" HEAD\n\n")
    assert bundles.filename("lab", COMMIT) == "lab-012345678901.bundle"
