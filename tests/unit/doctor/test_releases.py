"""Which releases these are, what they bring, and the driver that they run on."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.doctor import releases
from envbuild.doctor.case import Case
from envbuild.doctor.model import Driver, Gpu
from envbuild.scan.model import Product
from tests.unit.doctor.scans import ARCHIVE, ENV, SIM_5_1, case, copy


def sim(release, way="binary"):
    return Product(kind="isaac-sim", release=release, path="/isaac-sim", way=way)


def judged(*products, driver=None, distributions=()):
    one = case(*distributions, products=products)
    if driver:
        one = msgspec.structs.replace(one, driver=driver)
    return releases.findings(one)


def driver(version, *architectures):
    gpus = tuple(Gpu(name="GPU", architecture=one) for one in architectures)
    return Driver(version=version, gpus=gpus)


@pytest.mark.parametrize(
    "product",
    [
        SIM_5_1,
        sim("6.0.1"),
        Product(kind="isaac-lab", release="2.3.2", path="/lab", way="source"),
        Product(kind="gr00t", release="1.5.0", path="/gr00t", way="source"),
        Product(kind="gr00t", release="", path="/gr00t", way="source"),
    ],
)
def test_a_known_release_is_no_finding(product):
    assert judged(product) == ()


@pytest.mark.parametrize(
    ("product", "text"),
    [
        (sim("5.7.0"), "Isaac Sim 5.7.0 is no release that is known"),
        (sim(""), "the release of Isaac Sim cannot be told"),
        (
            Product(kind="isaac-lab", release="0.48.5", path="/lab", way="pip"),
            "Isaac Lab 0.48.5 is no release that is known",
        ),
    ],
)
def test_an_unknown_release_is_a_note(product, text):
    (one,) = judged(product)
    assert (one.id, one.severity, one.what) == ("release-unknown", "note", text)
    assert one.where == (product.path,)


def test_a_bundle_that_is_not_the_known_one_is_a_note():
    (one,) = judged(SIM_5_1, distributions=(copy("numpy", "1.26.4", site=ARCHIVE),))
    assert (one.id, one.severity, one.sure) == ("release-mismatch", "note", "heuristic")
    assert one.what == "Isaac Sim 5.1.0 brings numpy 1.26.4 here; it is known with 1.26.0"
    assert one.where[0] == f"{ARCHIVE}/numpy"
    assert "isaacsim-kernel" in one.source


def test_the_known_bundle_is_no_finding():
    found = (
        copy("numpy", "1.26.0", site=ARCHIVE),
        copy("torch", "2.7.0+cu128", site=ARCHIVE),
        copy("scipy", "1.15.3", site=ARCHIVE),
    )
    assert judged(SIM_5_1, distributions=found) == ()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("525.147.05", ("driver-too-old", "error")),
        ("550.54.14", ("driver-too-old", "warning")),
        ("570.169", None),
        ("580.65.06", None),
        ("594.99", None),
        ("595.10", ("driver-too-new", "error")),
        ("600.1", ("driver-too-new", "error")),
    ],
)
def test_the_driver_of_isaac_sim_5_1(version, expected):
    found = judged(sim("5.1.0"), driver=driver(version))
    assert [(one.id, one.severity) for one in found] == ([expected] if expected else [])


def test_a_driver_that_is_too_new_names_the_one_that_was_tested():
    (one,) = judged(sim("5.1.0"), driver=driver("595.10"))
    assert one.repair == ("install driver 580.65.06, which Isaac Sim 5.1.0 was tested with",)
    assert "IsaacSim#517" in one.source


def test_blackwell_needs_a_newer_driver():
    (one,) = judged(sim("5.0.0"), driver=driver("560.28", "sm_120"))
    assert (one.id, one.severity, one.sure) == ("driver-too-old", "error", "heuristic")
    assert judged(sim("5.0.0"), driver=driver("560.28", "sm_90")) == ()


def test_what_is_not_established_is_not_held_against_a_driver():
    assert judged(sim("6.2.0"), driver=driver("400.1")) == ()


def test_cuda_13_needs_a_driver_of_its_own_major_version():
    torch = (copy("torch", "2.10.0+cu130"),)
    (one,) = judged(driver=driver("570.169"), distributions=torch)
    assert (one.id, one.severity) == ("driver-too-old", "error")
    assert one.what == "torch 2.10.0+cu130 needs driver 580.65.06; this is 570.169"
    assert one.expect == ("The NVIDIA driver on your system is too old",)
    assert judged(driver=driver("580.65.06"), distributions=torch) == ()


def test_one_driver_that_is_too_old_is_said_once():
    found = judged(
        sim("5.1.0"), driver=driver("450.1"), distributions=(copy("torch", "2.7.0+cu128"),)
    )
    assert [one.what for one in found] == ["Isaac Sim 5.1.0 asks for driver 535.129; this is 450.1"]


def test_an_empty_folder_has_no_finding():
    assert releases.findings(Case(scan=case(products=()).scan)) == ()
    assert ENV not in repr(releases.findings(case(products=())))
