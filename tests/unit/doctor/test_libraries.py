"""Missing and old shared libraries, as findings."""

from __future__ import annotations

from envbuild.doctor import libraries
from envbuild.doctor.case import Case
from envbuild.scan.model import CondaPackage, Lacking, Newer, Scan, Site, System
from tests.unit.doctor.scans import ENV, SITE, module

CONDA = (CondaPackage(name="python", version="3.11.13", build="0", prefix=ENV),)
CV2 = module("cv2", None)


def judged(*, lacking=(), newer=(), **changes):
    values = {
        "label": "lab",
        "roots": (ENV,),
        "sites": (Site(path=SITE, real=SITE, kind="site", python="3.11"),),
        "modules": (CV2,),
        "lacking": lacking,
        "newer": newer,
        **changes,
    }
    return libraries.findings(Case(scan=Scan(**values)))


def missing(library="libXt.so.6"):
    return Lacking(library=library, needed_by=(CV2.path,), count=1, distributions=("cv2",))


def old(family="GLIBCXX", wanted="3.4.30", library=f"{ENV}/lib/libstdc++.so.6"):
    return Newer(
        family=family,
        wanted=wanted,
        found="3.4.29",
        library=library,
        needed_by=(CV2.path,),
        count=1,
    )


def test_nothing_missing_is_no_finding():
    assert judged() == ()


def test_a_missing_library_names_its_package_of_the_system():
    (one,) = judged(lacking=(missing(),), system=System(release="ubuntu 22.04", whole=True))
    assert (one.id, one.severity, one.sure) == ("library-missing", "error", "proven")
    assert one.what == "libXt.so.6 is not there, and 1 module of cv2 needs it"
    assert one.expect == ("libXt.so.6: cannot open shared object file: No such file or directory",)
    assert one.repair == ("apt-get install --yes libxt6",)
    assert one.source


def test_a_package_that_was_renamed_has_the_name_of_the_release():
    (one,) = judged(lacking=(missing(),), system=System(release="ubuntu 24.04"))
    assert one.repair == ("apt-get install --yes libxt6t64",)
    assert one.sure == "heuristic"


def test_in_a_conda_environment_conda_comes_first():
    (one,) = judged(lacking=(missing("libGL.so.1"),), conda=CONDA)
    assert one.repair == (
        f"conda install --prefix {ENV} --channel conda-forge libgl",
        "apt-get install --yes libgl1",
    )


def test_a_library_that_nobody_knows_is_told_all_the_same():
    (one,) = judged(lacking=(missing("libown.so.3"),))
    assert one.repair == ("install the system package that has libown.so.3",)


def test_an_old_cxx_library_of_conda_is_replaced_by_conda():
    (one,) = judged(newer=(old(),), conda=CONDA)
    assert (one.id, one.severity) == ("library-older", "error")
    assert one.what == "libstdc++.so.6 is older than 1 module asks for: GLIBCXX 3.4.29, not 3.4.30"
    assert one.expect == (
        f"{ENV}/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by {CV2.path})",
    )
    assert one.repair == (f"conda install --prefix {ENV} --channel conda-forge 'libstdcxx-ng>=12'",)
    assert one.hits == ("cv2",)


def test_an_old_cxx_library_of_the_system_needs_another_system():
    (one,) = judged(newer=(old(library="/usr/lib/x86_64-linux-gnu/libstdc++.so.6"),))
    assert one.repair == ("a system whose libstdc++ has GLIBCXX_3.4.30 (that of GCC 12 or newer)",)


def test_glibc_is_not_replaced():
    (one,) = judged(newer=(old("GLIBC", "2.35", "/lib/x86_64-linux-gnu/libc.so.6"),))
    assert one.repair[0].startswith("a system with glibc 2.35 or newer")
