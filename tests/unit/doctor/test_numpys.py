"""NumPy beside Isaac Sim: two copies in one process, another one than the bundle's, mixed files."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.doctor import mixtures, numpys, shadows
from envbuild.doctor.abi import DTYPE_CHANGED
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding, Install, SetAside
from envbuild.knowledge import facts
from envbuild.scan.model import Distribution, Fault, Module, Product, Site
from tests.unit.doctor.scans import (
    ARCHIVE,
    ENV,
    NEW,
    OLD,
    SIM,
    SITE,
    case,
    copy,
    module,
)

NEP50 = "AttributeError: module 'numpy' has no attribute '_no_nep50_warning'"
DTYPE = f"ValueError: {DTYPE_CHANGED}"
BROADCAST = "ImportError: cannot import name 'broadcast_to' from 'numpy.lib.stride_tricks'"
KERNEL = copy("isaacsim-kernel", "5.1.0.0", "numpy==1.26.0")
OPENCV = copy(
    "opencv-python",
    "4.12.0.88",
    'numpy<2.0; python_version < "3.9"',
    'numpy<2.3.0,>=2; python_version >= "3.9"',
)
PIP = "/opt/lab/bin/python -m pip install"


def pair(site: str, bundle: str, *more: Distribution) -> Case:
    return case(copy("numpy", site), copy("numpy", bundle, site=ARCHIVE), *more)


def only(found: tuple[Finding, ...]) -> Finding:
    (one,) = found
    return one


def install(name: str, found: str, wanted: str) -> Install:
    return Install(
        site=SITE, distribution=name, version=wanted, found=found, python=f"{ENV}/bin/python"
    )


# --- Two winners ---------------------------------------------------------------------------------


def test_the_three_errors_of_numpy_2_over_1_26_are_one_finding() -> None:
    one = only(numpys.findings(pair("2.2.6", "1.26.0", KERNEL)))
    assert (one.id, one.severity, one.sure) == ("numpy-two-winners", "error", "proven")
    assert one.what == "with python, NumPy 2.2.6 wins until Kit starts, then 1.26.0"
    assert one.where == (f"{SITE}/numpy", f"{ARCHIVE}/numpy")
    assert one.expect == (NEP50, DTYPE, BROADCAST)
    assert "isaacsim.core.api" in one.hits
    assert "omni.syntheticdata" in one.hits
    assert "isaacsim.robot.manipulators.examples.franka" in one.hits
    assert one.repair[0] == f"{PIP} numpy==1.26.0"
    assert one.actions == (install("numpy", "2.2.6", "1.26.0"),)
    assert "PYTHONHASHSEED" in one.why


def test_a_neighbour_of_the_same_series_is_silent_and_a_warning() -> None:
    one = only(numpys.findings(pair("1.26.4", "1.26.0")))
    assert (one.severity, one.sure, one.expect, one.hits) == ("warning", "proven", (), ())
    assert "27 modules of 1.26.0 run under 1.26.4 without a word" in one.why


def test_versions_that_were_not_tried_are_judged_by_their_neighbours() -> None:
    one = only(numpys.findings(pair("2.2.3", "1.26.1")))
    assert (one.severity, one.sure) == ("error", "heuristic")
    assert one.expect == (NEP50, DTYPE, BROADCAST)


@pytest.mark.parametrize(
    ("site", "bundle", "severity"),
    [("1.21.6", "1.26.0", "error"), ("3.0.0", "2.3.1", "error"), ("2.5.1", "2.5.0", "warning")],
)
def test_a_pair_that_nobody_tried(site: str, bundle: str, severity: str) -> None:
    one = only(numpys.findings(pair(site, bundle)))
    assert (one.severity, one.sure, one.expect) == (severity, "heuristic", ())


@pytest.mark.parametrize("version", ["1.26.0", "2.3.1"])
def test_two_copies_of_one_version_are_nothing(version: str) -> None:
    assert not numpys.findings(pair(version, version))


def test_one_finding_for_all_launchers() -> None:
    one = pair("2.2.6", "1.26.0")
    second = msgspec.structs.replace(one.scan.orders[0], launcher="isaaclab.sh")
    scan = msgspec.structs.replace(one.scan, orders=(*one.scan.orders, second))
    found = only(numpys.findings(Case(scan=scan)))
    assert found.what.startswith("with python and isaaclab.sh, NumPy 2.2.6 wins")


def test_where_the_bundle_wins_from_the_start_nothing_is_said() -> None:
    one = pair("2.2.6", "1.26.0")
    order = msgspec.structs.replace(one.scan.orders[0], before=(ARCHIVE, SITE))
    scan = msgspec.structs.replace(one.scan, orders=(order,))
    assert not numpys.findings(Case(scan=scan))


def test_what_was_built_for_numpy_1_is_hit_and_healed_with_it() -> None:
    scipy = (copy("scipy", "1.11.4"), copy("pandas", "2.2.3"))
    modules = (module("scipy", OLD), module("pandas", NEW))
    base = pair("2.2.6", "1.26.0", *scipy)
    scan = msgspec.structs.replace(base.scan, modules=modules)
    one = only(numpys.findings(Case(scan=scan)))
    assert "scipy" in one.hits
    assert "pandas" not in one.hits
    assert one.expect[3].startswith("A module that was compiled using NumPy 1.x")


def test_isaac_lab_is_hit() -> None:
    base = pair("2.2.6", "1.26.0")
    lab = Product(kind="isaac-lab", release="2.3.0", path="/src/IsaacLab", way="source")
    scan = msgspec.structs.replace(base.scan, products=(*base.scan.products, lab))
    assert "isaaclab-assets" in only(numpys.findings(Case(scan=scan))).hits


# --- Another one than the bundle's ---------------------------------------------------------------


def test_what_opencv_did_to_the_pin_of_the_kernel() -> None:
    one = only(numpys.findings(case(copy("numpy", "2.2.6"), KERNEL, OPENCV)))
    assert (one.id, one.severity) == ("numpy-not-the-bundle", "error")
    assert one.what == "NumPy 2.2.6 stands where Isaac Sim 5.1.0 brings 1.26.0"
    assert one.why.endswith("opencv-python 4.12.0.88 asks for numpy<2.3.0,>=2")
    assert one.expect == (NEP50, DTYPE, BROADCAST)
    assert one.repair[0] == f"{PIP} numpy==1.26.0 'opencv-python<=4.11.0.86'"
    assert one.actions == (
        install("numpy", "2.2.6", "1.26.0"),
        install("opencv-python", "4.12.0.88", "4.11.0.86"),
    )
    assert one.source.startswith("isaacsim-kernel 5.1.0.0 requires numpy==1.26.0")


def test_without_a_kernel_the_facts_say_what_the_release_brings() -> None:
    one = only(numpys.findings(case(copy("numpy", "2.2.6"))))
    assert one.what == "NumPy 2.2.6 stands where Isaac Sim 5.1.0 brings 1.26.0"
    assert one.source.startswith("Isaac Sim 5.1.0 brings numpy 1.26.0 (isaacsim-kernel")


def test_a_mover_without_a_known_release_is_named() -> None:
    other = copy("mysim", "1.0", "numpy>=2")
    one = only(numpys.findings(case(copy("numpy", "2.2.6"), KERNEL, other)))
    assert one.repair[0] == f"{PIP} numpy==1.26.0"
    assert one.repair[1].startswith("mysim: take a release that does with numpy==1.26.0")


@pytest.mark.parametrize("release", ["4.5.0", "9.9.9", ""])
def test_nothing_is_said_of_a_release_whose_numpy_is_not_known(release: str) -> None:
    product = Product(kind="isaac-sim", release=release, path=SIM, way="pip")
    assert not numpys.findings(case(copy("numpy", "2.2.6"), products=(product,)))


def test_a_pin_that_leaves_several_versions_is_none() -> None:
    product = Product(kind="isaac-sim", release="", path=SIM, way="pip")
    kernel = copy("isaacsim-kernel", "9.0", "numpy==1.26.*")
    assert not numpys.findings(case(copy("numpy", "2.2.6"), kernel, products=(product,)))


def test_without_isaac_sim_any_numpy_will_do() -> None:
    assert not numpys.findings(case(copy("numpy", "2.2.6"), KERNEL, products=()))


def test_the_bundle_itself_is_the_truth() -> None:
    """An image may bring another NumPy than the wheels pin: nobody was to change that."""
    assert not numpys.findings(case(copy("numpy", "1.26.4", site=ARCHIVE)))


# --- The way out ---------------------------------------------------------------------------------


def test_python_sh_repairs_what_it_owns() -> None:
    site = "/isaac-sim/kit/python/lib/python3.11/site-packages"
    base = pair("2.2.6", "1.26.0")
    own = msgspec.structs.replace(
        base.scan.distributions[0], site=site, package=f"{site}/numpy", metadata=""
    )
    order = msgspec.structs.replace(
        base.scan.orders[0], launcher="python.sh", before=(site,), after=(ARCHIVE, site)
    )
    kit = Site(path=site, real=site, kind="site", python="3.11")
    scan = msgspec.structs.replace(
        base.scan,
        distributions=(own, base.scan.distributions[1]),
        orders=(order,),
        sites=(kit, base.scan.sites[1]),
    )
    one = only(numpys.findings(Case(scan=scan)))
    assert one.repair[0] == "/isaac-sim/python.sh -m pip install numpy==1.26.0"


def test_conda_repairs_what_conda_installed() -> None:
    base = case(copy("numpy", "2.2.6", installer="conda"), KERNEL)
    one = only(numpys.findings(base))
    assert one.repair[0] == "conda install --prefix /opt/lab numpy=1.26.0"


def test_a_bundle_is_never_changed() -> None:
    base = pair("1.24.4", "1.26.0")
    sites = tuple(msgspec.structs.replace(one, kind="bundle") for one in base.scan.sites)
    one = only(numpys.findings(Case(scan=msgspec.structs.replace(base.scan, sites=sites))))
    assert one.actions == ()
    assert not any("rm " in line or "numpy==" in line for line in one.repair)


def test_debian_keeps_its_own() -> None:
    one = only(numpys.findings(case(copy("numpy", "1.24.2"), KERNEL, kind="debian")))
    assert one.actions == ()
    assert one.repair[0].startswith("Debian's numpy 1.24.2 stays")


# --- The pairs that were really mixed ------------------------------------------------------------

SILENT = {
    ("1.25.2", "1.24.4"),
    ("1.26.0", "1.24.4"),
    ("1.26.4", "1.24.4"),
    ("1.26.4", "1.26.0"),
    ("2.3.5", "2.2.6"),
}
SITES = ("1.23.5", "1.24.4", "1.25.2", "1.26.0", "1.26.4", "2.0.2", "2.1.3", "2.2.6", "2.3.5")
PAIRS = [(a, p) for p in ("1.24.4", "1.26.0", "2.2.6") for a in SITES if a != p]


@pytest.mark.parametrize(("site", "bundle"), PAIRS)
def test_a_pair_is_judged_as_it_behaves(site: str, bundle: str) -> None:
    one = only(numpys.findings(pair(site, bundle)))
    assert one.severity == ("warning" if (site, bundle) in SILENT else "error")
    assert bool(one.expect) == (one.severity == "error")
    assert one.sure == "proven"


@pytest.mark.parametrize(
    ("site", "bundle", "module_name", "text"),
    [
        ("1.23.5", "1.24.4", "numpy.testing", NEP50),
        (
            "1.25.2",
            "1.26.0",
            "numpy.testing",
            "AttributeError: module 'numpy.linalg._umath_linalg' has no attribute '_ilp64'",
        ),
        (
            "1.26.4",
            "2.2.6",
            "numpy.testing",
            "ImportError: cannot import name '_rename_parameter' from 'numpy._utils'",
        ),
        (
            "2.1.3",
            "2.2.6",
            "numpy.ma",
            "AttributeError: 'numpy.ufunc' object has no attribute '__qualname__'",
        ),
        ("2.0.2", "1.26.0", "numpy.random", DTYPE),
    ],
)
def test_the_texts_of_the_pairs(site: str, bundle: str, module_name: str, text: str) -> None:
    row = facts.numpy_pair(site, bundle)
    assert row is not None
    assert row.fails[module_name] == (text,)


def test_no_pair_has_a_path_of_a_machine() -> None:
    texts = [t for row in facts.numpy_pairs() for said in row.fails.values() for t in said]
    assert texts
    assert not [text for text in texts if "/" in text]


# --- Files of two versions -----------------------------------------------------------------------


def mixed(
    fault: Fault, *distributions: Distribution, modules: tuple[Module, ...] = ()
) -> tuple[Finding, ...]:
    base = case(*distributions, modules=modules, products=())
    return mixtures.findings(Case(scan=msgspec.structs.replace(base.scan, faults=(fault,))))


def fault(*paths: str, detail: str = "2.2.6 and another version") -> Fault:
    return Fault(
        kind="mixed",
        site=SITE,
        distributions=("numpy 2.2.6",),
        paths=tuple(f"{SITE}/numpy/{path}" for path in paths),
        count=len(paths),
        detail=detail,
    )


@pytest.mark.parametrize(
    ("version", "part", "text"),
    [
        ("2.2.6", "testing/__init__.py", "module 'numpy' has no attribute '_no_nep50_warning'"),
        ("2.2.6", "random/mtrand.so", DTYPE_CHANGED),
        ("2.2.6", "lib/npyio.py", "module 'numpy.core.numeric' has no attribute float_"),
        ("1.26.4", "lib/_npyio_impl.py", "cannot import name 'asarray' from 'numpy._core'"),
        ("1.26.4", "__init__.py", "No module named 'numpy._expired_attrs_2_0'"),
        ("1.26.4", "core/x.so", "you should not try to import numpy from its source directory"),
    ],
)
def test_a_part_of_another_release(version: str, part: str, text: str) -> None:
    one = only(mixed(fault(part), copy("numpy", version)))
    assert (one.id, one.severity, one.expect) == ("numpy-mixed-tree", "error", (text,))
    assert one.where == (f"{SITE}/numpy", f"{SITE}/numpy/{part}")


def test_a_mixed_tree_is_put_aside_and_installed_again() -> None:
    two = (copy("numpy", "2.2.6"), copy("numpy", "1.26.4"))
    blas = msgspec.structs.replace(module("numpy", None), path=f"{SITE}/numpy.libs/libblas.so")
    said = fault("core/a.so", detail="1.26.4 and 2.2.6")
    one = only(mixed(said, *two, modules=(blas,)))
    assert one.expect == ("cannot import name 'set_array_function_like_doc'", DTYPE_CHANGED)
    paths = (
        f"{SITE}/numpy",
        f"{SITE}/numpy.libs",
        f"{SITE}/numpy-2.2.6.dist-info",
        f"{SITE}/numpy-1.26.4.dist-info",
    )
    assert one.actions[0] == SetAside(paths=paths)
    assert one.repair[0] == f"rm -r {' '.join(paths)}"
    assert one.repair[1] == f"{PIP} --no-deps numpy==2.2.6"


def test_numpy_1_over_numpy_2_says_nothing() -> None:
    two = (copy("numpy", "1.26.4"), copy("numpy", "1.26.4"))
    assert only(mixed(fault("_core/a.so"), *two)).expect == ()


def test_what_a_product_brings_is_not_put_aside() -> None:
    base = case(copy("numpy", "2.2.6"), kind="bundle")
    scan = msgspec.structs.replace(base.scan, faults=(fault("core/a.so"),))
    one = only(mixtures.findings(Case(scan=scan)))
    assert one.actions == ()
    assert not any("rm " in line for line in one.repair)


def test_another_package_of_two_releases() -> None:
    other = Fault(
        kind="mixed", site=SITE, distributions=("scipy 1.15.3",), paths=(), count=3, detail="x"
    )
    one = only(mixed(other, copy("scipy", "1.15.3")))
    assert (one.id, one.severity, one.expect) == ("two-versions", "error", ())


# --- Other compiled packages ---------------------------------------------------------------------


def two(name: str, own: str, bundled: str, modules: bool) -> Case:
    base = case(copy(name, own), copy(name, bundled, site=ARCHIVE))
    found = (module(name, NEW),) if modules else ()
    return Case(scan=msgspec.structs.replace(base.scan, modules=found))


@pytest.mark.parametrize(("name", "modules"), [("scipy", True), ("torch", False)])
def test_two_versions_of_a_compiled_package(name: str, modules: bool) -> None:
    one = only(shadows.findings(two(name, "2.8.0", "2.7.0", modules)))
    assert (one.id, one.severity) == ("package-two-winners", "warning")
    assert one.repair == (f"{PIP} {name}==2.7.0",)
    assert one.actions == (install(name, "2.8.0", "2.7.0"),)


@pytest.mark.parametrize(
    ("name", "own", "modules"),
    [("scipy", "2.7.1", True), ("scipy", "2.7.0", True), ("yarl", "3.0", False)],
)
def test_neighbours_and_what_is_not_compiled_are_nothing(
    name: str, own: str, modules: bool
) -> None:
    assert not shadows.findings(two(name, own, "2.7.0", modules))
