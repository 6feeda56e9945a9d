"""The facts: evidence on every row, names that other rooms accept, and the answers they give."""

import re

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envbuild.knowledge import facts
from envbuild.knowledge.model import (
    Bundle,
    Companion,
    Distribution,
    GpuFloor,
    Placeholder,
    TorchBuild,
)
from envbuild.names import canonical_name, normalise
from envbuild.profile.model import Base
from envbuild.profile.words import GpuArchitecture, Name

FILES = {
    "bundles": Bundle,
    "companions": Companion,
    "distributions": Distribution,
    "gpus": GpuFloor,
    "placeholders": Placeholder,
    "torch": TorchBuild,
}


def test_every_fact_file_is_read_and_listed_for_the_stamps() -> None:
    paths = facts.facts_files()
    assert [path.rpartition("/")[2] for path in paths] == [f"{name}.yaml" for name in FILES]
    for path in paths:
        with open(path, encoding="utf-8") as file:
            assert "rows:" in file.read()


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_every_row_has_evidence(name: str, kind: type) -> None:
    rows = facts._rows(name, kind)
    assert rows
    for row in rows:
        assert len(row.source) > 10
        assert re.fullmatch(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]", row.date)
        assert row.confidence in ("read", "derived", "claimed")


@pytest.mark.parametrize("path", facts.facts_files())
def test_no_file_names_the_public_index(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        text = file.read().lower()
    assert "pythonhosted" not in text


# --- Bundles -------------------------------------------------------------------------------------


def bundle(name: str) -> Bundle:
    found = facts.bundle(name)
    assert found is not None
    return found


def test_the_bundles_are_those_of_the_shipped_profiles() -> None:
    assert facts.bundle_names() == (
        "isaac-sim-2023-1-1",
        "isaac-sim-5-0-0",
        "isaac-sim-5-1-0",
        "isaac-lab-2-3-0",
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


def test_the_torch_of_isaac_sim_5_is_built_for_cuda_12_8() -> None:
    builds = {name: bundle(name).torch_build for name in facts.bundle_names()}
    assert builds.pop("isaac-sim-2023-1-1") is None
    assert set(builds.values()) == {"cu128"}


# --- torch ---------------------------------------------------------------------------------------


def torch_build(version: str, architecture: str) -> TorchBuild:
    found = facts.torch_build(version, architecture)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("version", "architecture", "cuda"),
    [
        ("2.5.1", "amd64", "12.4"),
        ("2.7.1", "amd64", "12.6"),
        ("2.10.0", "amd64", "12.8"),
        ("2.11.0", "amd64", "13.0"),
        ("2.15.0", "amd64", "13.2"),
        ("2.7.1", "arm64", None),
        ("2.10.0", "arm64", None),
        ("2.11.0", "arm64", "13.0"),
    ],
)
def test_the_cuda_of_a_torch(version: str, architecture: str, cuda: str | None) -> None:
    assert torch_build(version, architecture).cuda == cuda


def test_only_a_known_torch_has_a_build() -> None:
    assert facts.torch_build("9.9.9", "amd64") is None
    assert facts.torch_build("2.7.0", "riscv64") is None


def test_a_torch_with_cuda_says_for_which_gpus() -> None:
    for row in facts._rows("torch", TorchBuild):
        assert bool(row.gpus) is bool(row.cuda)
        assert msgspec.convert(row.gpus, tuple[GpuArchitecture, ...]) == row.gpus


def test_torch_for_blackwell() -> None:
    assert "sm_120" not in torch_build("2.7.0", "amd64").gpus
    assert "sm_120" in torch_build("2.8.0", "amd64").gpus
    assert "sm_120" in torch_build("2.11.0", "arm64").gpus


def test_each_torch_stands_once_oldest_first() -> None:
    for architecture in ("amd64", "arm64"):
        rows = facts._rows("torch", TorchBuild)
        versions = [Version(row.version) for row in rows if row.architecture == architecture]
        assert versions == sorted(set(versions))


def test_the_first_torch_with_cuda() -> None:
    arm = facts.first_cuda_torch("arm64")
    amd = facts.first_cuda_torch("amd64")
    assert arm is not None
    assert amd is not None
    assert (arm.version, arm.cuda) == ("2.11.0", "13.0")
    assert (amd.version, amd.cuda) == ("2.5.1", "12.4")
    assert facts.first_cuda_torch("riscv64") is None


# --- Companions ----------------------------------------------------------------------------------


def allowed(torch: str, package: str) -> SpecifierSet:
    found = [Requirement(row.requirement) for row in facts.companions(torch)]
    return next(row.specifier for row in found if row.name == package)


@pytest.mark.parametrize(
    ("torch", "package", "works", "breaks"),
    [
        ("2.7.0", "torchcodec", ("0.4.0", "0.5"), ("0.10.0", "0.2.0")),
        ("2.7.1", "torchrl", ("0.9.2", "0.10.1"), ("0.14.1", "0.8.1")),
        ("2.7.0", "tensordict", ("0.9.0", "0.10.0"), ("0.14.3", "0.8.3")),
        ("2.7.0", "torchvision", ("0.22.0",), ("0.26.0",)),
        ("2.10.0", "torchaudio", ("2.10.0",), ("2.11.0",)),
        ("2.11.0", "torchcodec", ("0.11.0", "0.17.0"), ("0.10.0",)),
    ],
)
def test_what_works_with_a_torch(
    torch: str, package: str, works: tuple[str, ...], breaks: tuple[str, ...]
) -> None:
    specifier = allowed(torch, package)
    assert all(version in specifier for version in works)
    assert not any(version in specifier for version in breaks)


def test_an_unknown_torch_asks_for_nothing() -> None:
    assert facts.companions("2.1.0") == ()
    assert facts.companions("") == ()


def test_a_companion_is_said_once_for_each_torch() -> None:
    rows = facts._rows("companions", Companion)
    said = [(row.torch, Requirement(row.requirement).name) for row in rows]
    assert len(said) == len(set(said))
    assert all(normalise(row.requirement).startswith("t") for row in rows)


# --- Placeholders --------------------------------------------------------------------------------


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
    for row in facts._rows("placeholders", Placeholder):
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
    for row in facts._rows("gpus", GpuFloor):
        assert msgspec.convert(row.architecture, GpuArchitecture) == row.architecture
