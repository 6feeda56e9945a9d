"""torch: its CUDA and GPUs, and what works beside it."""

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envbuild.knowledge import facts
from envbuild.knowledge.model import TorchBuild
from envbuild.names import normalise
from envbuild.profile.words import GpuArchitecture


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
    for row in facts.torch_builds():
        assert bool(row.gpus) is bool(row.cuda)
        assert msgspec.convert(row.gpus, tuple[GpuArchitecture, ...]) == row.gpus


def test_torch_for_blackwell() -> None:
    assert "sm_120" not in torch_build("2.7.0", "amd64").gpus
    assert "sm_120" in torch_build("2.8.0", "amd64").gpus
    assert "sm_120" in torch_build("2.11.0", "arm64").gpus


def test_each_torch_stands_once_oldest_first() -> None:
    for architecture in ("amd64", "arm64"):
        rows = facts.torch_builds()
        versions = [Version(row.version) for row in rows if row.architecture == architecture]
        assert versions == sorted(set(versions))


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
    rows = facts.all_companions()
    said = [(row.torch, Requirement(row.requirement).name) for row in rows]
    assert len(said) == len(set(said))
    assert all(normalise(row.requirement).startswith("t") for row in rows)
