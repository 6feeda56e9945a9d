"""The shipped profiles say nothing that the facts contradict."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envbuild.knowledge import facts
from envbuild.knowledge.model import Bundle
from envbuild.knowledge.torch import covers
from envbuild.profile.model import Contract
from envbuild.profile.resolve import resolve
from envbuild.profile.resolved import Variant
from envbuild.workspace import Workspace

ROOT = Path(__file__).parents[3]
SOURCES = Workspace(root=str(ROOT)).profiles().sources


def variants() -> Iterator[Variant]:
    for name in SOURCES:
        yield from resolve(name, SOURCES).variants


VARIANTS = {f"{v.environment.name}/{v.name}": v for v in variants()}
each_variant = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())


def bundles(variant: Variant) -> list[Bundle]:
    """What the base image brings."""
    return [b for name in variant.environment.base.provides if (b := facts.bundle(name))]


def simulator(variant: Variant) -> Bundle | None:
    """What an Isaac Sim that is installed by pip pins: the same that its image brings."""
    asked = [Requirement(text) for text in variant.environment.python.requirements]
    version = next((str(r.specifier)[2:] for r in asked if r.name == "isaacsim"), "")
    return facts.bundle(f"isaac-sim-{version.replace('.', '-')}")


def simulators(variant: Variant) -> list[Bundle]:
    installed = simulator(variant)
    return [*bundles(variant), *([installed] if installed else [])]


def stated(variant: Variant) -> dict[str, str]:
    """Exact versions that the profile itself asks for, by canonical name."""
    python = variant.environment.python
    overrides = (override.requirement for override in python.overrides)
    found = {}
    for text in (*python.constraints, *python.requirements, *overrides):
        requirement = Requirement(text)
        exact = [s.version for s in requirement.specifier if s.operator == "=="]
        if exact:
            found[canonicalize_name(requirement.name)] = exact[0]
    return found


def pins(variant: Variant) -> dict[str, str]:
    """Exact versions of the profile and of its Isaac Sim."""
    found = {name: v for b in simulators(variant) for name, v in b.packages.items()}
    return {name: v for name, v in {**found, **stated(variant)}.items() if v != "unknown"}


def cuda_of(variant: Variant) -> str | None:
    """The CUDA version of the torch that the variant ends up with."""
    builds = {b.torch_build for b in bundles(variant) if b.torch_build}
    if builds:
        digits = builds.pop().removeprefix("cu")
        return f"{digits[:2]}.{digits[2:]}"
    build = facts.torch_build(pins(variant).get("torch", ""), variant.architecture)
    return build.cuda if build else None


def test_what_is_shipped() -> None:
    assert sorted(VARIANTS) == [
        "groot-inference/linux-amd64-cu126",
        "groot-inference/linux-arm64-cu130",
        "isaac-g1/linux-amd64-cu128",
        "isaac-streamer/linux-amd64-cpu",
        "isaaclab/linux-amd64-cu126",
        "so101-policy/linux-amd64-cu128",
        "so101-sim/linux-amd64-cu126",
        "so101-smolvla/linux-amd64-cu126",
        "torchrl-isaac-lab/linux-amd64-cu128",
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_names_no_index_of_the_public(name: str) -> None:
    text = SOURCES[name].text.lower()
    assert "pythonhosted" not in text
    assert ":latest" not in text


@each_variant
def test_the_name_says_the_cuda_of_its_torch(variant: Variant) -> None:
    accelerator = "cu" + (cuda_of(variant) or "").replace(".", "")
    if variant.accelerator == "cpu":
        assert "torch" not in pins(variant)
    else:
        assert variant.accelerator == accelerator


@each_variant
def test_torch_covers_every_gpu(variant: Variant) -> None:
    build = facts.torch_build(pins(variant).get("torch", ""), variant.architecture)
    if build is None or bundles(variant):
        return  # the image's own torch, whose list nobody has read
    uncovered = [g for g in variant.environment.hardware.gpus if not covers(build.gpus, g)]
    assert uncovered == []


@each_variant
def test_no_gpu_is_younger_than_its_cuda(variant: Variant) -> None:
    for gpu in variant.environment.hardware.gpus:
        floor = facts.gpu_floor(gpu)
        if floor and variant.cuda:
            assert tuple(map(int, floor.cuda.split("."))) <= variant.cuda


@each_variant
def test_pins_agree_with_the_companions_of_torch(variant: Variant) -> None:
    pinned = pins(variant)
    for row in facts.companions(pinned.get("torch", "")):
        asked = Requirement(row.requirement)
        if asked.name in pinned:
            assert pinned[asked.name] in asked.specifier


@each_variant
def test_no_pin_is_another_than_that_of_isaac_sim(variant: Variant) -> None:
    for brought in simulators(variant):
        for name, version in stated(variant).items():
            assert brought.packages.get(name, "unknown") in ("unknown", version)


@each_variant
def test_numpy_is_stated_where_a_simulator_is_installed(variant: Variant) -> None:
    installed = simulator(variant)
    if installed:
        assert stated(variant)["numpy"] == installed.packages["numpy"]


@each_variant
def test_nothing_of_the_image_is_asked_for_again(variant: Variant) -> None:
    brought = {name for b in bundles(variant) for name in b.packages}
    asked = {
        canonicalize_name(Requirement(r).name) for r in variant.environment.python.requirements
    }
    assert asked & brought == set()


@each_variant
def test_a_licence_is_never_accepted_for_the_user(variant: Variant) -> None:
    accepted = variant.environment.accept_eula
    assert accepted is (False if simulators(variant) else None)


@each_variant
def test_a_lock_of_next_year_sees_what_this_one_saw(variant: Variant) -> None:
    assert variant.environment.as_of is not None


@each_variant
def test_a_simulator_is_started_in_both_orders(variant: Variant) -> None:
    started = [test for test in variant.environment.smoke if test.launch != "none"]
    if not simulators(variant):
        assert started == []
        return
    assert [test for test in started if not test.before_launch]
    assert [test for test in started if test.before_launch[:1] == ("numpy",)]


@each_variant
def test_an_entrypoint_stands_in_exec_form(variant: Variant) -> None:
    assert variant.environment.entrypoint


@each_variant
def test_a_source_build_runs_no_compiler_that_is_not_there(variant: Variant) -> None:
    environment = variant.environment
    for build in environment.python.build_from_source:
        if build.needs or "compiled" in build.reason:
            assert build.apt or environment.base.build_image


def mirrored(contract: Contract, name: str) -> Contract:
    role = "client" if contract.role == "server" else "server"
    return Contract(
        peer=name,
        role=role,
        transport=contract.transport,
        encoding=contract.encoding,
        port=contract.port,
    )


@each_variant
def test_two_profiles_agree_on_their_wire(variant: Variant) -> None:
    for contract in variant.environment.contracts:
        if contract.peer in SOURCES:
            (peer, *_) = resolve(contract.peer, SOURCES).variants
            assert mirrored(contract, variant.environment.name) in peer.environment.contracts


def test_a_wire_to_another_numpy_carries_no_pickle() -> None:
    encodings = {c.encoding for v in VARIANTS.values() for c in v.environment.contracts}
    assert encodings == {"msgpack-npy", "mjpeg"}


def test_the_relaxations_are_those_that_were_tried() -> None:
    relaxed = {
        override.requirement: override.reason
        for variant in VARIANTS.values()
        for override in variant.environment.python.overrides
    }
    assert set(relaxed) == {"packaging==23.0", "rerun-sdk>=0.21,<0.24"}
    assert all(re.search("lerobot", reason) for reason in relaxed.values())
