"""The wheels of a lock held against what they will meet."""

from __future__ import annotations

import pytest

from envbuild.doctor.auditing import audit
from envbuild.doctor.auditing.wheels import READER, Asked, Built, WheelFacts
from envbuild.lock.model import LockedPackage, Provided
from envbuild.profile.model import Base
from envbuild.scan.binary import NumpyBuild
from tests.support.locks import package, variant

UBUNTU = Base(image="ubuntu:22.04", distribution="ubuntu-22.04")
ISAAC = Base(
    image="nvcr.io/nvidia/isaac-sim:5.1.0",
    distribution="ubuntu-22.04",
    provides=("isaac-sim-5-1-0",),
)
OLD = NumpyBuild(generation=1, how="c-api")
GUESSED = NumpyBuild(generation=1, how="cython", sure="heuristic")
DEGRADED = NumpyBuild(generation=1, how="pybind11")
NEW = NumpyBuild(generation=2, how="c-api", since="2.1")


def wheel(
    *builds: NumpyBuild, name: str = "demo", glibc: str = "", refused: str = ""
) -> WheelFacts:
    built = [Built(build=one, count=2, module=f"demo/{n}.so") for n, one in enumerate(builds)]
    asked = [Asked(family="GLIBC", version=glibc, module="demo/0.so")] if glibc else []
    return WheelFacts(
        reader=READER,
        package=name,
        version="1.0",
        name=f"{name}-1.0-cp311-cp311-linux_x86_64.whl",
        sha256="0" * 64,
        verified=True,
        modules=2 * len(builds),
        built=tuple(built),
        asked=tuple(asked),
        refused=refused,
    )


def found(*wheels: WheelFacts, numpy: str = "", base: Base = UBUNTU, provided=()):
    packages: tuple[LockedPackage, ...] = (package("numpy", numpy),) if numpy else ()
    return audit.findings(variant(*packages, provided=tuple(provided)), base, wheels)


def test_a_module_for_numpy_1_fails_under_the_numpy_2_of_the_lock():
    (one,) = found(wheel(OLD), numpy="2.2.6")
    assert (one.id, one.severity, one.sure) == ("numpy-abi", "error", "proven")
    assert one.what == "demo 1.0 cannot be imported under NumPy 2.2.6, which the lock installs"
    assert one.where == ("demo-1.0-cp311-cp311-linux_x86_64.whl/demo/0.so",)
    assert one.why == "2 modules of it were compiled for NumPy 1"
    assert "numpy.core.multiarray failed to import" in one.expect
    assert one.repair[-1] == "numpy<2 among the constraints of the profile"


@pytest.mark.parametrize("numpy", ["1.26.4", ""])
def test_it_works_under_numpy_1_and_without_any(numpy: str):
    assert found(wheel(OLD), numpy=numpy) == ()


def test_a_module_that_reads_wrongly_is_a_warning():
    (one,) = found(wheel(DEGRADED), numpy="2.2.6")
    assert (one.id, one.severity) == ("numpy-abi-degraded", "warning")


def test_what_cannot_be_imported_is_said_once_the_surest_module_first():
    (one,) = found(wheel(GUESSED, DEGRADED, OLD), numpy="2.2.6")
    assert (one.id, one.sure) == ("numpy-abi", "proven")
    assert one.where[0].endswith("/demo/2.so")
    assert len(one.where) == 2


def test_a_numpy_that_is_too_old_is_one_of_the_ways_out():
    (one,) = found(wheel(NEW), numpy="1.26.4")
    assert "compiled for NumPy 2.1 or newer" in one.why
    assert one.repair[-1] == "a newer NumPy: envbuild lock -P numpy"
    assert found(wheel(NEW), numpy="2.1.0") == ()


def test_a_module_that_waits_for_a_newer_numpy_beside_others_is_left_to_its_package():
    """h5py imports ``_npystrings`` under NumPy 2 alone."""
    others = NumpyBuild(generation=2, how="c-api", since="1.19")
    assert found(wheel(others, NEW), numpy="1.26.4") == ()
    assert len(found(wheel(others, OLD), numpy="2.2.6")) == 1
    cython = NumpyBuild(generation=2, how="cython")
    assert len(found(wheel(cython, NEW), numpy="1.26.4")) == 1


def test_the_numpy_of_the_image_counts_too_and_is_not_to_be_moved():
    (one,) = found(wheel(NEW), numpy="2.2.6", base=ISAAC)
    assert "NumPy 1.26.0, which the image brings" in one.what
    assert "2.2.6" not in one.what
    assert one.repair == ("an older release of demo, which was built for NumPy 1.26.0",)


def test_the_numpy_that_the_lock_leaves_to_the_image_counts():
    brought = Provided(name="numpy", by="image", version="2.3.1")
    (one,) = found(wheel(OLD), provided=[brought])
    assert one.repair == ("a release of demo that was built for NumPy 2",)


def test_numpys_own_modules_meet_no_other_numpy():
    assert found(wheel(NEW, name="numpy"), numpy="2.2.6", base=ISAAC) == ()


@pytest.mark.parametrize(("glibc", "count"), [("2.35", 0), ("2.9", 0), ("2.38", 1)])
def test_a_newer_c_library_than_the_images_is_an_error(glibc: str, count: int):
    findings = found(wheel(glibc=glibc))
    assert len(findings) == count
    for one in findings:
        assert one.what == "demo 1.0 wants GLIBC 2.38; ubuntu-22.04 has 2.35"


def test_of_an_unknown_distribution_nothing_is_said():
    assert found(wheel(glibc="2.99"), base=Base(image="x:1", distribution="unknown")) == ()


def test_a_wheel_that_was_refused_is_an_error():
    (one,) = found(wheel(OLD, refused="demo.whl: 'a.py' is there twice"), numpy="2.2.6")
    assert (one.id, one.severity) == ("unreadable", "error")
    assert "'a.py' is there twice" in one.what
