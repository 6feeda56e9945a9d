"""One cause, one finding; the worst first; nothing where nothing is wrong."""

from __future__ import annotations

import msgspec

from envbuild.doctor import judging
from envbuild.doctor.case import Case
from envbuild.scan.binary import Binary
from envbuild.scan.model import Distribution, Fault, Module
from tests.unit.doctor.scans import ARCHIVE, NEW, OLD, OLD_PYBIND, SITE, case, copy, module

SIM = (
    copy("isaacsim", "5.1.0.0", "isaacsim-kernel==5.1.0.0"),
    copy("isaacsim-kernel", "5.1.0.0", "numpy==1.26.0"),
)
OPENCV = copy("opencv-python", "4.12.0.88", "numpy<2.3.0,>=2")


def ids(found: Case) -> list[str]:
    return [one.id for one in judging.findings(found)]


def with_bundle(version: str, *more: Distribution, modules: tuple[Module, ...] = ()) -> Case:
    bundle = copy("numpy", "1.26.0", site=ARCHIVE)
    return case(copy("numpy", version), bundle, *SIM, *more, modules=modules)


def test_a_healthy_environment_has_no_finding() -> None:
    modules = (module("numpy", OLD), module("scipy", NEW), module("numpy", OLD, site=ARCHIVE))
    assert ids(with_bundle("1.26.0", copy("scipy", "1.15.3", "numpy<2.5"), modules=modules)) == []


def test_an_empty_tree_has_no_finding() -> None:
    assert ids(case(products=())) == []


def test_two_copies_are_one_finding_whoever_asks() -> None:
    """The kernel's pin, the rules about NumPy and what was built for it: all of one cause."""
    scipy = copy("scipy", "1.11.4", "numpy<1.28.0,>=1.21.6")
    found = with_bundle("2.2.6", OPENCV, scipy, modules=(module("scipy", OLD),))
    assert ids(found) == ["numpy-two-winners"]


def test_another_numpy_than_the_bundles_is_one_finding() -> None:
    assert ids(case(copy("numpy", "2.2.6"), *SIM, OPENCV)) == ["numpy-not-the-bundle"]


def test_errors_come_first() -> None:
    found = judging.findings(
        with_bundle("2.2.6", copy("a", "1", "gone"), modules=(module("writer", OLD_PYBIND),))
    )
    severities = [one.severity for one in found]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert severities[0] == "error"
    assert len(severities) > 1


def test_a_requirement_that_a_rule_names_too_is_told_once() -> None:
    assert ids(with_bundle("1.26.0", OPENCV)) == ["requirement-unmet"]


def test_numpy_2_4_under_isaac_sim_6_is_said_beside_the_silent_mixture() -> None:
    """Mixing is silent, and yet Isaac Sim's writers do not run on 2.4."""
    product = msgspec.structs.replace(case().scan.products[0], release="6.0.0")
    bundle = copy("numpy", "2.3.1", site=ARCHIVE)
    base = case(copy("numpy", "2.4.6"), bundle, products=(product,))
    order = msgspec.structs.replace(base.scan.orders[0], python="3.12")
    found = Case(scan=msgspec.structs.replace(base.scan, orders=(order,)))
    assert ids(found) == ["numpy-2-4", "numpy-two-winners"]


def test_a_mixed_tree_is_one_finding() -> None:
    two = (copy("numpy", "2.2.6"), copy("numpy", "1.26.4"))
    names = ("numpy 2.2.6", "numpy 1.26.4")
    faults = tuple(
        Fault(kind=kind, site=SITE, distributions=names, paths=(f"{SITE}/numpy/x.py",), count=1)
        for kind in ("mixed", "two-versions", "changed", "missing")
    )
    base = case(*two, products=())
    found = Case(scan=msgspec.structs.replace(base.scan, faults=faults))
    assert ids(found) == ["numpy-mixed-tree"]


def test_the_faults_of_another_package_stay() -> None:
    faults = (
        Fault(kind="mixed", site=SITE, distributions=("numpy 2.2.6",), paths=(), count=1),
        Fault(
            kind="missing",
            site=SITE,
            distributions=("scipy 1.15.3",),
            paths=(f"{SITE}/scipy/x.py",),
            count=1,
        ),
    )
    base = case(copy("numpy", "2.2.6"), copy("scipy", "1.15.3"), products=())
    found = Case(scan=msgspec.structs.replace(base.scan, faults=faults))
    assert ids(found) == ["files-missing", "numpy-mixed-tree"]


def test_a_file_that_cannot_be_read_is_a_note_and_comes_last() -> None:
    broken = Module(
        path=f"{SITE}/a/x.so",
        site=SITE,
        distribution="a",
        tag="",
        binary=Binary(wrong="cut off"),
    )
    found = judging.findings(with_bundle("2.2.6", modules=(broken,)))
    assert [one.id for one in found] == ["numpy-two-winners", "unreadable"]
