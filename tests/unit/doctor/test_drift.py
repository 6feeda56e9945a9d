"""An environment against its lock."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.doctor import drift, integrity
from envbuild.doctor.model import Install
from envbuild.lock.model import (
    AptPins,
    CondaHalf,
    CondaPackage,
    FileDigest,
    GitPin,
    LockedPackage,
    Provided,
    SolverInput,
    VariantLock,
)
from envbuild.scan.model import CondaPackage as Installed
from envbuild.scan.model import Fault, Product, System
from tests.unit.doctor.scans import ARCHIVE, ENV, SIM_5_1, SITE, case, copy

FILE = FileDigest(path="requirements.txt", sha256="0" * 64)
ASKED = SolverInput(
    image="ubuntu:24.04",
    python="3.11",
    platform="x86_64-manylinux_2_39",
    as_of="2026-11-21T00:00:00Z",
    requirements=("numpy",),
)


def lock(*pins, **changes):
    packages = tuple(
        LockedPackage(name=name, version=version, requested=())
        for name, version in (pin.split("==") for pin in pins)
    )
    values = {"digest": "0" * 64, "input": ASKED, "wheels": FILE, "packages": packages}
    return VariantLock(**(values | changes))


def conda(*packages):
    named = (one.split("=") for one in packages)
    return CondaHalf(
        solver="py-rattler 0.28",
        packages=tuple(
            CondaPackage(
                name=n, version=v, build=b, sha256="0" * 64, python=n if n == "six" else ""
            )
            for n, v, b in named
        ),
        explicit=(FILE,),
        environment=FILE,
        lock=FILE,
        virtual=FILE,
    )


def judged(locked, *distributions, products=(), **changes):
    one = case(*distributions, products=products)
    scan = msgspec.structs.replace(one.scan, **changes)
    return drift.findings(msgspec.structs.replace(one, scan=scan, lock=locked))


def test_without_a_lock_nothing_is_said():
    assert drift.findings(case(copy("numpy", "1.26.0"))) == ()


def test_what_was_locked_and_installed_is_no_drift():
    found = (copy("numpy", "1.26.0"), copy("torch", "2.7.0+cu128"), copy("flatdict", "4.0.1"))
    assert judged(lock("numpy==1.26", "torch==2.7.0", "flatdict==4.0.1"), *found) == ()


@pytest.mark.parametrize("name", ["pip", "setuptools", "wheel", "envbuild", "uv"])
def test_what_makes_environments_is_no_extra(name):
    assert judged(lock("numpy==1.26.0"), copy("numpy", "1.26.0"), copy(name, "25.0")) == ()


def test_another_version_is_an_error_that_can_be_repaired():
    (one,) = judged(lock("numpy==1.26.0"), copy("numpy", "2.2.6"))
    assert (one.id, one.severity) == ("lock-version", "error")
    assert one.what == (
        "1 package is not in the version of the lock: numpy 2.2.6 (locked is 1.26.0)"
    )
    assert one.where == (f"{SITE}/numpy-2.2.6.dist-info",)
    assert one.repair[0] == (
        f"{ENV}/bin/python -m pip install --force-reinstall --no-deps numpy==1.26.0"
    )
    assert one.actions == (
        Install(
            site=SITE,
            distribution="numpy",
            version="1.26.0",
            found="2.2.6",
            python=f"{ENV}/bin/python",
        ),
    )


def test_another_build_of_a_locked_build_is_another_version():
    (one,) = judged(lock("torch==2.7.0+cu128"), copy("torch", "2.7.0+cu126"))
    assert one.id == "lock-version"


def test_a_missing_package_would_be_installed():
    (one,) = judged(lock("numpy==1.26.0", "click==8.1.7"), copy("numpy", "1.26.0"))
    assert (one.id, one.severity) == ("lock-missing", "error")
    assert one.what == "1 package of the lock is not there: click 8.1.7"
    (action,) = one.actions
    assert (action.distribution, action.version, action.found) == ("click", "8.1.7", "")


def test_extras_are_one_warning_and_few_are_named():
    extras = [copy(f"extra-{index:02}", "1.0") for index in range(25)]
    (one,) = judged(lock("numpy==1.26.0"), copy("numpy", "1.26.0"), *extras)
    assert (one.id, one.severity, one.actions) == ("lock-extra", "warning", ())
    assert one.what.startswith("25 packages are not in the lock: extra-00 1.0, ")
    assert one.what.endswith("extra-04 1.0 and 20 more")
    assert (len(one.hits), one.hits[-1]) == (20, "extra-19 1.0")
    assert len(one.repair) == 1
    (few,) = judged(lock("numpy==1.26.0"), copy("numpy", "1.26.0"), *extras[:2])
    assert few.repair[0].endswith("uninstall --yes extra-00 extra-01")


def test_many_packages_are_installed_by_the_lock_s_own_list():
    locked = lock(*(f"package-{index}==1.0" for index in range(6)))
    found = msgspec.structs.replace(case(copy("numpy", "1.26.0")), lock=locked)
    placed = msgspec.structs.replace(found, lock_folder="locks of mine/lab")
    by_list = next(one for one in drift.findings(placed) if one.id == "lock-missing")
    assert by_list.repair[0].endswith(
        "--require-hashes --requirement 'locks of mine/lab/requirements.txt'"
    )
    by_name = next(one for one in drift.findings(found) if one.id == "lock-missing")
    assert by_name.repair[0].endswith("package-4==1.0 package-5==1.0")


def test_what_the_image_provides_is_not_compared():
    locked = lock("numpy==1.26.0", provided=(Provided(name="click", by="isaac-sim-5-1-0"),))
    assert judged(locked, copy("numpy", "1.26.0"), copy("click", "7.0")) == ()


def test_bundles_and_what_the_product_itself_brings_are_no_extras():
    bundled = copy("scipy", "1.15.3", site=ARCHIVE)
    assert (
        judged(lock("numpy==1.26.0"), copy("numpy", "1.26.0"), bundled, products=(SIM_5_1,)) == ()
    )
    whole = Product(kind="isaac-sim", release="5.1.0", path=ENV, way="binary")
    found = (copy("numpy", "1.26.0"), copy("toml", "0.10.2"))
    assert judged(lock("numpy==1.26.0"), *found, products=(whole,)) == ()


def test_checkouts_of_the_lock_are_no_extras():
    editable = msgspec.structs.replace(copy("isaaclab", "0.47.2"), editable="/workspace/isaaclab")
    numpy = copy("numpy", "1.26.0")
    git = (GitPin(name="unitree-sdk2py", commit="0" * 40),)
    sdk = copy("unitree-sdk2py", "1.0.1")
    assert judged(lock("numpy==1.26.0", git=git), numpy, editable, sdk) == ()
    found = judged(lock("numpy==1.26.0"), numpy, editable, sdk)
    assert [one.id for one in found] == ["lock-extra"]


def test_another_python_is_drift():
    asked = msgspec.structs.replace(ASKED, python="3.12")
    (one,) = judged(lock("numpy==1.26.0", input=asked), copy("numpy", "1.26.0"))
    assert one.what.endswith("Python 3.11 (locked is 3.12)")


def test_changed_files_are_drift_and_are_not_said_twice():
    fault = Fault(
        kind="changed",
        site=SITE,
        distributions=("numpy 1.26.0",),
        paths=(f"{SITE}/numpy/a.py",),
        count=2,
    )
    (one,) = judged(lock("numpy==1.26.0"), copy("numpy", "1.26.0"), faults=(fault,))
    assert (one.id, one.severity) == ("lock-changed", "warning")
    assert one.what.endswith("numpy 1.26.0 (2 files)")
    assert [action.version for action in one.actions] == ["1.26.0"]
    both = case(copy("numpy", "1.26.0"))
    scan = msgspec.structs.replace(both.scan, faults=(fault,))
    with_lock = msgspec.structs.replace(both, scan=scan, lock=lock("numpy==1.26.0"))
    assert integrity.findings(with_lock) == ()


def test_conda_packages_are_compared_with_their_builds():
    here = (("python", "3.11.13", "1"), ("zlib", "1.3", "a"), ("six", "1.17.0", "p"))
    installed = tuple(Installed(name=n, version=v, build=b, prefix=ENV) for n, v, b in here)
    locked = lock("numpy==1.26.0", conda=conda("python=3.11.13=0", "gdb=15=x", "six=1.17.0=p"))
    six = copy("six", "1.17.0", installer="conda")
    found = judged(locked, copy("numpy", "1.26.0"), six, conda=installed)
    assert [(one.id, one.hits) for one in found] == [
        ("lock-missing", ("gdb 15 x",)),
        ("lock-version", ("python 3.11.13 1 (locked is 3.11.13 0)",)),
        ("lock-extra", ("zlib 1.3 a",)),
    ]
    assert all("conda package" in one.what for one in found)
    assert found[0].where == (f"{ENV}/conda-meta",)


def test_pinned_debian_packages_are_compared_in_a_whole_system():
    apt = AptPins(
        archive="Ubuntu 24.04 noble", as_of="2026-11-21T00:00:00Z", packages=("git=2.43", "curl=8")
    )
    system = System(whole=True, debian=(("git", "2.44"), ("bash", "5")))
    locked = lock("numpy==1.26.0", apt=apt)
    found = judged(locked, copy("numpy", "1.26.0"), system=system)
    assert [(one.id, one.hits) for one in found] == [
        ("lock-missing", ("curl 8",)),
        ("lock-version", ("git 2.44 (locked is 2.43)",)),
    ]
    apart = msgspec.structs.replace(system, whole=False)
    assert judged(locked, copy("numpy", "1.26.0"), system=apart) == ()
