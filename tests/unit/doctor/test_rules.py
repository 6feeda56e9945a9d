"""The rules of profiles, asked of what is installed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envbuild.doctor import rules, worlds
from envbuild.knowledge import facts, rulebook
from envbuild.scan.model import CondaPackage, Product, System
from tests.unit.doctor.scans import ARCHIVE, ENV, SIM_5_1, SITE, case, copy

LAB = Product(kind="isaac-lab", release="2.3.2", path=f"{SITE}/isaaclab", way="pip")
HEALTHY = (
    copy("numpy", "1.26.0"),
    copy("torch", "2.7.0+cu128"),
    copy("torchvision", "0.22.0+cu128"),
    copy("isaacsim", "5.1.0.0"),
    copy("isaacsim-kernel", "5.1.0.0"),
    copy("isaaclab", "2.3.2.post1"),
    copy("opencv-python", "4.11.0.86"),
    copy("packaging", "23.0"),
    copy("flatdict", "4.0.1"),
)
ASKED = {
    "isaac-sim-python",
    "isaac-lab-of-isaac-sim",
    "isaac-sim-architecture",
    "isaac-sim-glibc",
    "numpy-equals-bundle",
    "numpy-2-wanted",
    "numpy-2-4",
    "numpy-from-conda",
    "newton-beside-isaac-sim",
    "gr00t-beside-isaac-sim",
    "torch-companions",
}


def judged(*distributions, products=(SIM_5_1, LAB), python="", **changes):
    one = case(*distributions, products=products)
    values = {"system": System(machine="x86_64", release="ubuntu 22.04"), **changes}
    if python:
        order = msgspec.structs.replace(one.scan.orders[0], python=python)
        values["orders"] = (order,)
    scan = msgspec.structs.replace(one.scan, **values)
    return rules.findings(msgspec.structs.replace(one, scan=scan))


def ids(*distributions, **changes):
    return [one.id for one in judged(*distributions, **changes)]


def test_a_healthy_environment_breaks_no_rule():
    assert ids(*HEALTHY) == []
    assert ids(*HEALTHY, copy("numpy", "1.26.0", site=ARCHIVE)) == []


def test_the_other_processor_breaks_only_what_is_not_made_for_it():
    arm = System(machine="aarch64", release="ubuntu 24.04")
    assert ids(copy("numpy", "1.26.0"), system=arm) == []


def test_rules_about_how_a_profile_is_written_are_not_asked():
    book = rulebook.shipped().rules
    there = {name: copy(name, "1.0") for name in ("numpy", "rerun-sdk", "packaging")}
    asked = {name for name, one in book.items() if rules.askable(one.rule.when, there)}
    assert asked >= ASKED
    assert not asked & {
        "entrypoint-missing",
        "eula-not-stated",
        "user-site",
        "path-preset",
        "bundle-not-named",
        "driver-too-old",
        "driver-window-open",
        "placeholder-without-index",
        "flatdict-setuptools",
        "conda-defaults",
        "isaac-sim-extras",
        "contract-port",
        "torch-of-gpu",
    }


def test_another_python_is_a_mismatch_of_the_release():
    (one,) = judged(copy("click", "8.1.7"), products=(SIM_5_1,), python="3.12")
    assert (one.id, one.severity, one.sure) == ("release-mismatch", "error", "proven")
    assert one.what == "Isaac Sim 5.1.0 is made for Python 3.11; this is 3.12"
    assert one.where == (f"{ENV}/bin/python3.11", SIM_5_1.path)
    assert one.repair == ("an environment with Python 3.11, and everything installed into that",)


def test_an_isaac_lab_of_another_simulator_is_a_mismatch():
    lab = msgspec.structs.replace(LAB, release="2.2.0")
    (one,) = judged(copy("numpy", "1.26.0"), copy("isaaclab", "2.2.0"), products=(SIM_5_1, lab))
    assert one.id == "release-mismatch"
    assert one.what == "Isaac Lab 2.2.0 is made for Isaac Sim 5.0.0; this is 5.1.0"
    assert lab.path in one.where
    assert "2.3.0" in one.repair[0]


def test_a_package_that_wants_numpy_2_is_named_by_its_copy():
    opencv = copy("opencv-python", "4.12.0.88")
    (one,) = judged(copy("numpy", "1.26.0"), opencv)
    assert (one.id, one.hits) == ("numpy-2-wanted", ("opencv-python 4.12.0.88",))
    assert one.where == (opencv.metadata,)


def test_another_numpy_than_the_bundles_is_named_by_its_copy():
    numpy = copy("numpy", "2.2.6")
    (one,) = judged(numpy)
    assert (one.id, one.where) == ("numpy-equals-bundle", (numpy.metadata,))


def test_a_numpy_that_isaac_sim_6_does_not_run_on():
    sim = msgspec.structs.replace(SIM_5_1, release="6.0.1")
    found = judged(copy("numpy", "2.4.0"), products=(sim,), python="3.12")
    assert [one.id for one in found] == ["numpy-2-4"]


def test_a_companion_of_another_torch():
    (one,) = judged(copy("torch", "2.7.0"), copy("torchvision", "0.21.0"), products=())
    assert (one.id, one.what) == (
        "torch-companions",
        "torchvision==0.21.0 does not go with torch 2.7.0; torchvision==0.22.* does",
    )
    assert one.hits == ("torchvision 0.21.0",)


def test_packages_made_for_another_isaac_sim():
    found = ids(copy("numpy", "1.26.0"), copy("mujoco-warp", "3.3.0"))
    assert found == ["newton-beside-isaac-sim"]


def test_gr00t_in_the_interpreter_of_isaac_sim():
    found = judged(copy("numpy", "1.26.0"), copy("gr00t", "1.5.0"))
    assert [one.id for one in found] == ["gr00t-beside-isaac-sim"]


def test_an_old_system_under_a_pip_installed_isaac_sim():
    old = System(machine="x86_64", release="ubuntu 20.04")
    (one,) = judged(copy("numpy", "1.26.0"), system=old)
    assert one.id == "isaac-sim-glibc"


def test_what_is_not_there_is_not_held_against_anything():
    """LeRobot's video decoder is one of the packages that may be left out."""
    lerobot = copy("lerobot", "0.4.4")
    others = (copy("rerun-sdk", "0.23.1"), copy("packaging", "23.0"))
    assert ids(copy("numpy", "1.26.0"), lerobot, *others) == []
    codec = copy("torchcodec", "0.10.0")
    assert ids(copy("numpy", "1.26.0"), lerobot, *others, codec) == ["lerobot-torchcodec"]


def test_a_numpy_of_conda_that_pip_has_replaced():
    conda = (CondaPackage(name="numpy", version="1.26.0", build="py311_0", prefix=ENV),)
    (one,) = judged(copy("numpy", "1.26.0"), conda=conda)
    assert one.id == "numpy-from-conda"
    assert one.where == (f"{ENV}/conda-meta/numpy-1.26.0-py311_0.json",)
    assert ids(copy("numpy", "1.26.0", installer="conda"), conda=conda) == []


def test_products_that_a_launcher_does_not_reach_are_not_its():
    far = Product(kind="isaac-sim", release="6.0.1", path="/isaac-sim", way="binary")
    assert ids(copy("numpy", "2.2.6"), products=(far,)) == []


def test_the_same_thing_is_said_once_for_all_launchers():
    one = case(copy("numpy", "2.2.6"))
    other = msgspec.structs.replace(one.scan.orders[0], launcher="isaaclab.sh")
    found = judged(copy("numpy", "2.2.6"), orders=(one.scan.orders[0], other))
    assert [each.id for each in found] == ["numpy-equals-bundle"]


@pytest.mark.parametrize("machine", ["", "riscv64"])
def test_without_a_known_machine_no_rule_is_asked(machine):
    assert ids(copy("numpy", "2.2.6"), system=System(machine=machine)) == []


def test_every_known_distribution_can_be_told():
    for row in facts.distributions():
        system = System(machine="x86_64", release=row.name.replace("-", " ", 1))
        one = case(copy("numpy", "1.26.0"))
        scan = msgspec.structs.replace(one.scan, system=system)
        (asked,) = worlds.worlds(scan)
        assert asked.world.environment.base.distribution == row.name


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=4))
def test_no_name_or_version_of_a_tree_is_too_odd(pairs):
    distributions = [copy(name, version) for name, version in pairs]
    judged(*distributions)
