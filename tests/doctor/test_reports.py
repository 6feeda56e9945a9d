"""The environments of the reports, rebuilt from real wheels: exactly what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.doctor.model import Finding
from tests.doctor.examining import findings
from tests.support import prefixes

pytestmark = pytest.mark.network

NEP50 = "AttributeError: module 'numpy' has no attribute '_no_nep50_warning'"
DTYPE = (
    "ValueError: numpy.dtype size changed, may indicate binary incompatibility. "
    "Expected 96 from C header, got 88 from PyObject"
)
BROADCAST = "ImportError: cannot import name 'broadcast_to' from 'numpy.lib.stride_tricks'"
SITE = "/lab/lib/python3.11/site-packages"
RUN_TIME = f"{SITE}/isaacsim/kit/data/Kit/Isaac-Sim/5.1/exts/3/{prefixes.ARCHIVE}"
EXTENSIONS = (
    "isaacsim.core.api",
    "omni.syntheticdata",
    "omni.replicator.core",
    "isaacsim.sensors.camera",
    "isaacsim.robot.manipulators.examples.franka",
)
OLD_EXTENSIONS = (
    "omni.isaac.core",
    "omni.syntheticdata",
    "omni.replicator.core",
    "omni.isaac.sensor",
    "omni.isaac.franka",
)


def only(found: tuple[Finding, ...]) -> Finding:
    assert [one.id for one in found] == [found[0].id] if found else ["something"]
    return found[0]


def test_isaac_sim_5_1_in_a_conda_environment_with_numpy_2(tmp_path: Path) -> None:
    prefixes.seed_000(tmp_path)
    one = only(findings(tmp_path))
    assert (one.id, one.severity, one.sure) == ("numpy-two-winners", "error", "proven")
    assert one.what == "with python, NumPy 2.2.6 wins until Kit starts, then 1.26.0"
    assert one.where == (f"{SITE}/numpy", f"{RUN_TIME}/numpy")
    assert one.expect == (NEP50, DTYPE, BROADCAST)
    assert one.hits == (*EXTENSIONS, "scipy")
    assert one.repair == (
        "/lab/bin/python -m pip install numpy==1.26.0",
        "keep it: a constraints file (PIP_CONSTRAINT) with numpy==1.26.0",
    )


def test_numpy_installed_into_the_image_of_2023_1_1(tmp_path: Path) -> None:
    prefixes.seed_002(tmp_path)
    one = only(findings(tmp_path))
    assert (one.id, one.severity, one.sure) == ("numpy-two-winners", "error", "proven")
    assert one.what == "with python.sh, NumPy 2.2.6 wins until Kit starts, then 1.25.2"
    assert one.where == (
        "/lab/kit/python/lib/python3.10/site-packages/numpy",
        "/lab/kit/exts/omni.kit.pip_archive/pip_prebundle/numpy",
    )
    assert one.expect == (NEP50, DTYPE, BROADCAST)
    assert one.hits == OLD_EXTENSIONS
    assert one.repair[0] == "/lab/python.sh -m pip install numpy==1.25.2"


def test_opencv_took_numpy_along(tmp_path: Path) -> None:
    prefixes.unitree(tmp_path)
    one = only(findings(tmp_path))
    assert (one.id, one.severity) == ("numpy-not-the-bundle", "error")
    assert one.what == "NumPy 2.2.6 stands where Isaac Sim 5.0.0 brings 1.26.0"
    assert one.where == (f"{SITE}/numpy",)
    assert one.why.endswith("opencv-python 4.12.0.88 asks for numpy<2.3.0,>=2")
    assert one.expect == (NEP50, DTYPE, BROADCAST)
    assert one.hits == (*EXTENSIONS, "scipy")
    assert one.repair[0] == (
        "/lab/bin/python -m pip install numpy==1.26.0 'opencv-python<=4.11.0.86'"
    )
    assert one.source.startswith("isaacsim-kernel 5.0.0.0 requires numpy==1.26.0")


def test_a_healthy_environment_has_no_finding(tmp_path: Path) -> None:
    prefixes.healthy(tmp_path)
    assert findings(tmp_path) == ()


@pytest.mark.parametrize("report", ["seed_000", "seed_002", "unitree"])
def test_the_repair_repairs(tmp_path: Path, report: str) -> None:
    """What the command asks for in the place of what it replaces: nothing is left."""
    getattr(prefixes, report)(tmp_path)
    python = "3.10" if report == "seed_002" else "3.11"
    inner = "kit/python/lib" if report == "seed_002" else "lib"
    site = tmp_path / inner / f"python{python}/site-packages"
    wanted = "1.25.2" if report == "seed_002" else "1.26.0"
    prefixes.remove(site, "numpy", "numpy.libs", "numpy-2.2.6.dist-info")
    prefixes.put(site, f"numpy=={wanted}", python=python)
    if report == "unitree":
        names = ("cv2", "opencv_python.libs", "opencv_python-4.12.0.88.dist-info")
        prefixes.remove(site, *names)
        prefixes.put(site, "opencv-python==4.11.0.86")
    assert findings(tmp_path) == ()


def test_a_link_that_leads_to_the_same_bundle_changes_nothing(tmp_path: Path) -> None:
    """Images keep one copy and link the others to it."""
    prefixes.healthy(tmp_path)
    site = tmp_path / "lib/python3.11/site-packages"
    second = site / "isaacsim/extscache/omni.kit.pip_archive-0.0.0+69cbf6ad/pip_prebundle"
    first = next(site.glob(f"isaacsim/kit/data/Kit/*/*/exts/3/{prefixes.ARCHIVE}"))
    second.parent.mkdir(parents=True)
    second.symlink_to(first)
    assert findings(tmp_path) == ()


# --- The pairs that were really mixed ------------------------------------------------------------

SITES = ("1.23.5", "1.24.4", "1.25.2", "1.26.0", "1.26.4", "2.0.2", "2.1.3", "2.2.6", "2.3.5")
PAIRS = [(a, p) for p in ("1.24.4", "1.26.0", "2.2.6") for a in SITES if a != p]
GOOD = {("1.25.2", "1.24.4"), ("1.26.0", "1.24.4"), ("1.26.4", "1.24.4"), ("1.26.4", "1.26.0")}
BY_SCIPY = ("2.3.5", "2.2.6")
"""NumPy itself is silent here: what fails is the SciPy 1.11.4 of the bundle, built for NumPy 1."""


def test_there_are_24_pairs_of_which_20_fail() -> None:
    assert len(PAIRS) == 24
    assert len(set(PAIRS) - GOOD) == 20


@pytest.mark.parametrize(("site", "bundle"), PAIRS)
def test_a_pair_fails_or_is_silent(tmp_path: Path, site: str, bundle: str) -> None:
    prefixes.pair(tmp_path, site, bundle)
    found = {one.id: one.severity for one in findings(tmp_path)}
    silent = (site, bundle) in GOOD or (site, bundle) == BY_SCIPY
    assert found.pop("numpy-two-winners") == ("warning" if silent else "error")
    # The bundle of these trees is not the one of the release, which is said beside it.
    assert found.pop("release-mismatch", "note") == "note"
    assert found == ({"numpy-abi": "error"} if bundle == "2.2.6" else {})
