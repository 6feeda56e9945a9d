"""Facts of releases: complete, in order, well formed, and in agreement with each other."""

import re

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envbuild.knowledge import facts, tables
from envbuild.knowledge.model import Fact

ISAAC_SIM = {
    *("python", "numpy", "torch", "torchvision", "cuda", "glibc", "architectures", "image"),
    *("bundle", "driver-min", "driver-below", "driver-validated", "isaac-lab", "kit"),
    *("extensions", "modules", "launch-variables", "bundled-sites"),
}
ISAAC_LAB = {"isaac-sim", "python", "extensions", "pins", "numpy", "image"}
GR00T = {
    *("python", "numpy", "torch", "flash-attn", "cuda", "image", "transformers", "architectures"),
}


def value(kind: str, release: str, name: str) -> str | tuple[str, ...] | dict[str, str]:
    found = facts.fact(kind, release, name)
    assert found is not None, f"{kind} {release} {name}"
    return found.value


def values(kind: str, name: str) -> dict[str, str | tuple[str, ...] | dict[str, str]]:
    """The established values of a fact, by release."""
    found = {release: facts.fact(kind, release, name) for release in facts.releases(kind)}
    return {r: fact.value for r, fact in found.items() if fact and fact.value != facts.UNKNOWN}


@pytest.mark.parametrize(
    ("kind", "names"), [("isaac-sim", ISAAC_SIM), ("isaac-lab", ISAAC_LAB), ("gr00t", GR00T)]
)
def test_every_release_has_every_fact_or_says_unknown(kind: str, names: set[str]) -> None:
    assert names <= facts.fact_names(kind)
    for release in facts.releases(kind):
        assert names <= {fact.name for fact in facts.facts_of(kind, release)}, release


@pytest.mark.parametrize("kind", facts.KINDS)
def test_nothing_is_said_twice(kind: str) -> None:
    said = [
        (row["release"], name)
        for file in facts._FILES[kind]
        for row in tables.flat(tables.groups(file))
        for name in row.get("says", {})
    ]
    assert len(said) == len(set(said))


def test_isaac_sim_oldest_first() -> None:
    assert facts.releases("isaac-sim") == (
        *("2023.1.1", "4.0.0", "4.1.0", "4.2.0", "4.5.0", "5.0.0", "5.1.0"),
        *("6.0.0", "6.0.1", "6.1", "6.2"),
    )


def test_isaac_lab_oldest_first() -> None:
    def key(release: str) -> Version:
        plain = release.replace("-ea", "rc1").replace("-beta2.patch1", "b2").replace("-beta", "b1")
        return Version(plain)

    releases = facts.releases("isaac-lab")
    assert list(releases) == sorted(releases, key=key)
    assert {"2.2.0", "2.3.2.post1", "3.0.0"} <= set(releases)


def test_gr00t_oldest_first() -> None:
    releases = facts.releases("gr00t")
    assert list(releases) == sorted(releases)
    assert {"n1", "n1.5", "n1.6", "n1.6-spark", "n1.7"} <= set(releases)


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("5.1.0", "5.1.0"),
        ("5.1.0.0", "5.1.0"),
        ("5.1", "5.1.0"),
        ("6.1.0", "6.1"),
        ("6.0.0.1", "6.0.0"),
    ],
)
def test_the_release_of_a_version(version: str, release: str) -> None:
    assert facts.release_of("isaac-sim", version) == release
    assert facts.fact("isaac-sim", version, "python") == facts.fact("isaac-sim", release, "python")


def test_what_is_not_known_has_no_fact() -> None:
    assert facts.release_of("isaac-sim", "5.9") is None
    assert facts.fact("isaac-sim", "5.9", "numpy") is None
    assert facts.fact("isaac-sim", "5.1.0", "colour") is None
    assert facts.facts_of("isaac-lab", "9") == ()
    assert facts.release_of("isaac-lab", "2.3.2.post1") == "2.3.2.post1"


def test_a_kind_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no facts of a kind 'isaac'"):
        facts.releases("isaac")


@pytest.mark.parametrize("kind", facts.KINDS)
def test_values_are_versions(kind: str) -> None:
    for name in ("python", "numpy", "torch", "torchvision", "cuda", "glibc", "transformers"):
        for said in values(kind, name).values():
            assert isinstance(said, str)
            assert SpecifierSet(said if said[0] in "<>=" else f"=={said}")


def test_a_driver_is_a_version_and_a_window() -> None:
    for name in ("driver-min", "driver-floor", "driver-below", "driver-validated"):
        for said in values("isaac-sim", name).values():
            assert re.fullmatch(r"[0-9]{3}(\.[0-9]+){0,2}", str(said))
    assert value("isaac-sim", "5.1.0", "driver-min") == "570.169"
    assert value("isaac-sim", "5.1.0", "driver-below") == "595"


def test_the_architectures_are_those_of_profiles() -> None:
    for kind in ("isaac-sim", "gr00t"):
        for said in values(kind, "architectures").values():
            assert said in (("amd64",), ("arm64",), ("amd64", "arm64"))


def test_a_bundle_agrees_with_its_release() -> None:
    for release, name in values("isaac-sim", "bundle").items():
        bundle = facts.bundle(str(name))
        assert bundle is not None, name
        assert bundle.python == value("isaac-sim", release, "python")
        for package in ("numpy", "torch", "torchvision"):
            if package in bundle.packages:
                assert bundle.packages[package] == value("isaac-sim", release, package)
        if bundle.torch_build:
            cuda = value("isaac-sim", release, "cuda")
            assert bundle.torch_build == f"cu{str(cuda).replace('.', '')}"


def test_isaac_lab_and_its_simulator_name_each_other() -> None:
    for release, simulator in values("isaac-lab", "isaac-sim").items():
        assert release in value("isaac-sim", str(simulator), "isaac-lab")
        python = value("isaac-sim", str(simulator), "python")
        assert value("isaac-lab", release, "python") == python
    for release, labs in values("isaac-sim", "isaac-lab").items():
        for lab in labs:
            assert value("isaac-lab", lab, "isaac-sim") == release


def test_numpy_of_a_series_is_in_it() -> None:
    for release, version in values("isaac-sim", "numpy").items():
        assert str(version).split(".")[0] == str(value("isaac-sim", release, "numpy-series"))[0]


def test_isaac_lab_admits_the_numpy_of_its_simulator() -> None:
    for release, pins in values("isaac-lab", "pins").items():
        assert isinstance(pins, dict)
        bounds = {name: SpecifierSet(bound) for name, bound in pins.items()}
        numpy = facts.fact("isaac-sim", str(value("isaac-lab", release, "isaac-sim")), "numpy")
        if numpy and numpy.value != facts.UNKNOWN:
            assert str(numpy.value) in bounds["numpy"]


def test_a_value_is_unknown_as_a_whole_or_not_at_all() -> None:
    for kind in facts.KINDS:
        for release in facts.releases(kind):
            for fact in facts.facts_of(kind, release):
                assert plain(fact), fact


def plain(fact: Fact) -> bool:
    parts = fact.value.values() if isinstance(fact.value, dict) else fact.value
    return fact.value == facts.UNKNOWN or facts.UNKNOWN not in parts


@pytest.mark.parametrize(
    ("release", "camera", "franka"),
    [
        ("4.2.0", "omni.isaac.sensor", "omni.isaac.franka"),
        ("5.1.0", "isaacsim.sensors.camera", "isaacsim.robot.manipulators.examples.franka"),
        ("6.0.1", "isaacsim.sensors.camera", "isaacsim.robot.manipulators.examples.franka"),
    ],
)
def test_modules_by_role(release: str, camera: str, franka: str) -> None:
    modules = value("isaac-sim", release, "modules")
    assert isinstance(modules, dict)
    assert {"camera", "synthetic-data", "replicator", "core", "franka"} <= modules.keys()
    assert (modules["camera"], modules["franka"]) == (camera, franka)


def test_a_bundled_site_begins_at_the_root_of_the_simulator() -> None:
    for sites in values("isaac-sim", "bundled-sites").values():
        assert all(site.startswith("R/") for site in sites)


def test_a_launch_variable_has_a_name_and_a_reason() -> None:
    for variables in values("isaac-sim", "launch-variables").values():
        assert isinstance(variables, dict)
        for name, reason in variables.items():
            assert re.fullmatch(r"[A-Z_]+", name)
            assert len(reason) > 10
