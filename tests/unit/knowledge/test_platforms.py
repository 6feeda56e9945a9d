"""Placeholders of the public index, distributions and their glibc, GPUs and their CUDA."""

import itertools

import msgspec
import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envbuild.knowledge import facts
from envbuild.names import canonical_name
from envbuild.profile.model import Base
from envbuild.profile.words import GpuArchitecture


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("isaacsim", "5.1.0.0"),
        ("isaacsim_kernel", "5.0.0.0"),
        ("isaacsim-extscache-kit", "6.2.0.0"),
        ("omniverse-kit", "107.3.1.206797"),
        ("tensorrt", "8.6.1"),
        ("tensorrt-cu13-libs", "10.14.1.48.post1"),
    ],
)
def test_a_placeholder(package: str, version: str) -> None:
    found = facts.is_placeholder(package, version)
    assert found is not None
    assert found.index == "nvidia"
    assert canonical_name(package) in facts.placeholder_names()


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("isaacsim", "6.0.0.1"),
        ("isaacsim-kernel", "6.2.0.0"),
        ("omniverse-kit", "109.0.7.347000"),
        ("isaaclab", "2.3.2.post1"),
        ("numpy", "1.26.0"),
    ],
)
def test_no_placeholder(package: str, version: str) -> None:
    assert facts.is_placeholder(package, version) is None


def test_placeholder_rows_can_be_asked() -> None:
    names = facts.placeholder_names()
    assert names == tuple(sorted({canonical_name(name) for name in names}))
    for row in facts.placeholders():
        assert str(SpecifierSet(row.versions))


# --- Distributions and GPUs ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        ("ubuntu-20.04", "2.31"),
        ("ubuntu-22.04", "2.35"),
        ("ubuntu-24.04", "2.39"),
        ("debian-12", "2.36"),
        ("unknown", None),
    ],
)
def test_the_glibc_of_a_distribution(distribution: str, expected: str | None) -> None:
    assert facts.glibc(distribution) == expected


def test_every_distribution_of_a_profile_but_the_unknown_one_has_its_glibc() -> None:
    allowed = msgspec.json.schema(Base)["$defs"]["Base"]["properties"]["distribution"]["enum"]
    assert {name for name in allowed if facts.glibc(name) is None} == {"unknown"}


@pytest.mark.parametrize(
    ("architecture", "distribution", "platform"),
    [
        ("amd64", "ubuntu-22.04", "x86_64-manylinux_2_35"),
        ("arm64", "ubuntu-24.04", "aarch64-manylinux_2_39"),
        ("amd64", "debian-12", "x86_64-manylinux_2_36"),
        ("amd64", "ubuntu-20.04", "x86_64-manylinux_2_31"),
        ("arm64", "unknown", "aarch64-manylinux_2_28"),
    ],
)
def test_the_platform_that_uv_resolves_for(
    architecture: str, distribution: str, platform: str
) -> None:
    assert facts.uv_platform(architecture, distribution) == platform


def test_a_platform_of_another_architecture_is_no_platform() -> None:
    with pytest.raises(KeyError):
        facts.uv_platform("riscv64", "ubuntu-24.04")


@pytest.mark.parametrize(
    ("architecture", "cuda"),
    [("sm_90", "11.8"), ("sm_100", "12.8"), ("sm_120", "12.8"), ("sm_121", "12.9")],
)
def test_the_first_cuda_that_compiles_for_a_gpu(architecture: str, cuda: str) -> None:
    floor = facts.gpu_floor(architecture)
    assert floor is not None
    assert floor.cuda == cuda


def test_a_gpu_without_a_floor() -> None:
    assert facts.gpu_floor("sm_999") is None


def test_gpus_are_known_by_name_and_need_a_newer_cuda_within_a_family() -> None:
    rows = facts.gpus()
    assert len({row.architecture for row in rows}) == len(rows)
    for row in rows:
        assert msgspec.convert(row.architecture, GpuArchitecture) == row.architecture
        assert row.called
        assert str(Version(row.cuda)) == row.cuda
    for older, newer in itertools.pairwise(rows):
        if older.architecture[:-1] == newer.architecture[:-1]:
            assert Version(older.cuda) <= Version(newer.cuda)


def test_what_compiles_on_the_fly_for_gb10_needs_more_than_its_family() -> None:
    floor = facts.gpu_floor("sm_121")
    assert floor is not None
    assert "run time" in floor.remark
    assert "GB10" in floor.called
