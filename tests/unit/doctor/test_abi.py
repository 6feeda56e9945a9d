"""Compiled modules against a NumPy: which fail, and with which words."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.doctor import clashes
from envbuild.doctor.abi import DTYPE_CHANGED, UNREADABLE_DTYPE, minor, verdict
from envbuild.doctor.case import Case
from envbuild.scan.binary import NumpyBuild
from tests.unit.doctor.scans import (
    ARCHIVE,
    NEW,
    OLD,
    OLD_CYTHON,
    OLD_PYBIND,
    SIM,
    SIM_5_1,
    SITE,
    case,
    copy,
    module,
)

RUN_IN = "A module that was compiled using NumPy 1.x cannot be run in NumPy"


@pytest.mark.parametrize("numpy", ["1.21.6", "1.26.0", "1.26.4", "1.99"])
@pytest.mark.parametrize("build", [OLD, OLD_CYTHON, OLD_PYBIND])
def test_what_was_built_for_numpy_1_runs_on_it(build: NumpyBuild, numpy: str) -> None:
    assert verdict(build, numpy) is None


@pytest.mark.parametrize("numpy", ["2.0.2", "2.2.6", "2.0rc1", "2.4.0rc1", "3.0.0"])
def test_what_was_built_for_numpy_1_fails_under_2(numpy: str) -> None:
    said = verdict(OLD, numpy)
    assert said is not None
    assert said.outcome == "fails"
    assert said.texts == (f"{RUN_IN} {numpy}", "numpy.core.multiarray failed to import")


def test_cython_without_the_c_api_says_it_of_the_size() -> None:
    said = verdict(OLD_CYTHON, "2.2.6")
    assert said is not None
    assert (said.outcome, said.texts, said.sure) == ("fails", (DTYPE_CHANGED,), "heuristic")


def test_an_old_pybind11_imports_and_reads_nothing() -> None:
    said = verdict(OLD_PYBIND, "2.0.0")
    assert said is not None
    assert (said.outcome, said.texts) == ("degraded", (UNREADABLE_DTYPE,))


@pytest.mark.parametrize(
    ("since", "numpy", "text"),
    [
        ("1.25", "1.24.4", "0x11 (NumPy 1.25) but the running NumPy has C-API version 0x10."),
        ("2.1", "2.0.2", "0x13 (NumPy 2.1) but the running NumPy has C-API version 0x12."),
        ("2.3", "1.26.0", "0x14 (NumPy 2.3) but the running NumPy has C-API version 0x11."),
        ("1.20", "1.19.5", "0xe (NumPy 1.20) but the running NumPy has C-API version 0xd."),
    ],
)
def test_a_c_api_that_is_too_new(since: str, numpy: str, text: str) -> None:
    build = NumpyBuild(generation=2, how="c-api", since=since)
    said = verdict(build, numpy)
    assert said is not None
    assert said.outcome == "fails"
    assert said.texts == (f"module was compiled against NumPy C-API version {text}",)


@pytest.mark.parametrize("since", ["", "1.23", "2.2", "2.2.0"])
def test_what_was_built_for_numpy_2_runs_on_it(since: str) -> None:
    assert verdict(NumpyBuild(generation=2, how="c-api", since=since), "2.2.6") is None


@pytest.mark.parametrize(
    "numpy", ["", "2", "two.1", "²·1", "v2.1", "2.x", "2.²", f"2.{'9' * 5000}"]
)
def test_no_verdict_over_what_is_no_version(numpy: str) -> None:
    assert verdict(OLD, numpy) is None
    assert minor(numpy) is None


# --- In an environment ---------------------------------------------------------------------------


def test_one_old_module_makes_the_distribution_fail() -> None:
    modules = (
        module("scipy", OLD, file="_fblas"),
        module("scipy", OLD_CYTHON, file="_ckdtree"),
        module("scipy", NEW, file="_new"),
        module("scipy", None, file="_plain"),
    )
    found = clashes.findings(
        case(copy("scipy", "1.11.4"), copy("numpy", "2.2.6"), modules=modules, products=())
    )
    (one,) = found
    assert (one.id, one.severity, one.sure) == ("numpy-abi", "error", "proven")
    assert one.what == "scipy 1.11.4 was compiled for NumPy 1, and NumPy 2.2.6 wins beside it"
    assert one.why == "2 of the 3 modules in it that can use NumPy: the import fails"
    assert one.hits == ("scipy._fblas", "scipy._ckdtree")
    assert set(one.expect) == {
        f"{RUN_IN} 2.2.6",
        "numpy.core.multiarray failed to import",
        DTYPE_CHANGED,
    }
    assert one.repair == (
        "/opt/lab/bin/python -m pip install --upgrade scipy",
        "/opt/lab/bin/python -m pip install 'numpy<2'",
    )


def test_an_old_pybind11_alone_is_a_warning() -> None:
    found = clashes.findings(
        case(
            copy("writer", "1.0"),
            copy("numpy", "2.2.6"),
            modules=(module("writer", OLD_PYBIND),),
            products=(),
        )
    )
    (one,) = found
    assert (one.id, one.severity) == ("numpy-abi-degraded", "warning")
    assert one.expect == (UNREADABLE_DTYPE,)


def test_a_module_that_waits_for_a_newer_numpy() -> None:
    build = NumpyBuild(generation=2, how="c-api", since="2.1")
    found = clashes.findings(
        case(
            copy("fast", "3"), copy("numpy", "2.0.2"), modules=(module("fast", build),), products=()
        )
    )
    (one,) = found
    assert one.what == "fast 3 was compiled for NumPy 2.1 or newer, and NumPy 2.0.2 wins beside it"
    assert one.repair[-1] == "/opt/lab/bin/python -m pip install 'numpy>=2.1'"


def test_one_copy_is_told_once_whatever_it_meets() -> None:
    """Before Kit starts and after, it is the same SciPy that does not work."""
    base = case(
        copy("numpy", "2.3.5"), copy("numpy", "2.2.6", site=ARCHIVE), copy("scipy", "1.11.4")
    )
    scan = msgspec.structs.replace(base.scan, modules=(module("scipy", OLD),))
    (one,) = clashes.findings(Case(scan=scan))
    assert one.what == (
        "scipy 1.11.4 was compiled for NumPy 1, and NumPy 2.3.5 and 2.2.6 win beside it"
    )
    assert one.where[1:] == (f"{SITE}/numpy", f"{ARCHIVE}/numpy")


@pytest.mark.parametrize(
    ("release", "numpy", "told"),
    [("6.0.0", "2.3.1", False), ("6.0.0", "2.2.6", False), ("4.5.0", "2.2.6", True)],
)
def test_a_products_own_module_is_as_it_was_released(release: str, numpy: str, told: bool) -> None:
    """Isaac Sim 6.0.0 has a plugin of an old pybind11, and brings NumPy 2.3.1 itself."""
    product = msgspec.structs.replace(SIM_5_1, release=release)
    plugin = msgspec.structs.replace(
        module("isaacsim-core", OLD_PYBIND), path=f"{SIM}/exts/x/bin/libx.plugin.so", tag=""
    )
    base = case(
        copy("numpy", numpy),
        copy("isaacsim-core", "6.0.0.1"),
        modules=(plugin,),
        products=(product,),
    )
    found = clashes.findings(base)
    assert bool(found) is told
    assert [one.hits for one in found] == (
        [("isaacsim/exts/x/bin/libx.plugin.so",)] if told else []
    )


def test_a_module_for_newer_numpys_beside_others_that_work_is_nothing() -> None:
    """h5py 3.14 has one, and imports it under a NumPy that has what it wants."""
    newer = NumpyBuild(generation=2, how="c-api", since="2.1")
    modules = (module("h5py", NEW), module("h5py", newer, file="_npystrings"))
    assert not clashes.findings(
        case(copy("h5py", "3.14"), copy("numpy", "2.0.2"), modules=modules, products=())
    )


def test_what_belongs_to_nobody_is_judged_too() -> None:
    found = clashes.findings(
        case(copy("numpy", "2.2.6"), modules=(module("", OLD_PYBIND),), products=())
    )
    (one,) = found
    assert one.where[0] == f"{SITE}/own/_core.cpython-311-x86_64-linux-gnu.so"
    assert one.what.startswith("_core.cpython-311-x86_64-linux-gnu.so was compiled for NumPy 1")


@pytest.mark.parametrize("build", [OLD, OLD_CYTHON, OLD_PYBIND, NEW])
def test_nothing_is_said_where_numpy_fits(build: NumpyBuild) -> None:
    modules = (module("scipy", build),)
    assert not clashes.findings(case(copy("scipy", "1"), copy("numpy", "1.26.0"), modules=modules))


def test_nothing_is_said_without_a_numpy() -> None:
    assert not clashes.findings(case(copy("scipy", "1.11.4"), modules=(module("scipy", OLD),)))


def test_numpy_is_not_held_against_itself() -> None:
    modules = (module("numpy", OLD),)
    assert not clashes.findings(case(copy("numpy", "2.2.6"), modules=modules, products=()))
