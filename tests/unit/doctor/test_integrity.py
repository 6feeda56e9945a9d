"""Faults of files, metadata and links, as findings."""

from __future__ import annotations

import pytest

from envbuild.doctor import integrity
from envbuild.doctor.case import Case
from envbuild.doctor.model import Install, SetAside
from envbuild.scan.binary import Binary
from envbuild.scan.model import Distribution, Fault, Module, Product, Scan, Site, System
from envbuild.scan.tree import Trouble
from tests.unit.doctor.scans import ARCHIVE, ENV, SIM_5_1, SITE, copy


def judged(*faults, distributions=(), **changes):
    values = {
        "label": "lab",
        "roots": (ENV,),
        "sites": (
            Site(path=SITE, real=SITE, kind="site", python="3.11"),
            Site(path=ARCHIVE, real=ARCHIVE, kind="runtime"),
        ),
        "products": (SIM_5_1,),
        "distributions": distributions,
        "faults": faults,
        **changes,
    }
    return integrity.findings(Case(scan=Scan(**values)))


def fault(kind, *distributions, paths=(), count=1, site=SITE, detail=""):
    return Fault(
        kind=kind, site=site, distributions=distributions, paths=paths, count=count, detail=detail
    )


def test_a_healthy_environment_has_no_finding():
    assert judged(distributions=(copy("numpy", "1.26.0"),)) == ()


def test_missing_code_is_an_error_and_is_put_in_place_again():
    paths = (f"{SITE}/click/core.py",)
    (one,) = judged(
        fault("missing", "click 8.1.7", paths=paths, count=2),
        distributions=(copy("click", "8.1.7"),),
    )
    assert (one.id, one.severity) == ("files-missing", "error")
    assert one.what == "2 files of click 8.1.7 are missing"
    assert one.where == paths
    assert one.repair == (
        f"{ENV}/bin/python -m pip install --force-reinstall --no-deps click==8.1.7",
    )
    assert one.actions == (
        Install(
            site=SITE,
            distribution="click",
            version="8.1.7",
            found="8.1.7",
            python=f"{ENV}/bin/python",
        ),
    )


def test_missing_documents_are_a_warning():
    (one,) = judged(fault("missing", "click 8.1.7", paths=(f"{SITE}/click/README.txt",)))
    assert one.severity == "warning"
    assert one.what == "1 file of click 8.1.7 is missing"


def test_edited_sources_are_not_overwritten_without_being_asked():
    numpy = copy("numpy", "1.26.0")
    (one,) = judged(
        fault("changed", "numpy 1.26.0", paths=(f"{SITE}/numpy/a.py",)), distributions=(numpy,)
    )
    assert (one.id, one.severity, one.actions) == ("files-changed", "warning", ())
    assert "--force-reinstall" in one.repair[0]


def test_overwritten_modules_are_put_in_place_again():
    paths = (f"{SITE}/numpy/core/_multiarray.cpython-311-x86_64-linux-gnu.so",)
    (one,) = judged(
        fault("changed", "numpy 1.26.0", paths=paths), distributions=(copy("numpy", "1.26.0"),)
    )
    assert [action.version for action in one.actions] == ["1.26.0"]


@pytest.mark.parametrize("kind", ["changed", "missing", "no-files", "dangling", "loop"])
def test_a_bundled_copy_is_never_changed(kind):
    torch = copy("torch", "2.7.0", site=ARCHIVE)
    (one,) = judged(
        fault(kind, "torch 2.7.0", paths=(f"{ARCHIVE}/torch/a.so",), site=ARCHIVE),
        distributions=(torch,),
    )
    assert one.actions == ()
    (command,) = one.repair
    assert command.startswith("pip install --force-reinstall 'isaacsim[all,extscache]==5.1.0.*' ")


def test_a_damaged_image_is_pulled_again():
    (one,) = judged(
        fault("missing", "torch 2.7.0", paths=(f"{ARCHIVE}/a.py",), site=ARCHIVE),
        system=System(whole=True),
    )
    assert one.repair[0].startswith("pull the image again")


def test_a_binary_product_is_unpacked_again():
    bundle = "/isaac-sim/exts/a/pip_prebundle"
    (one,) = judged(
        fault("dangling", "packaging 23.0", paths=(f"{bundle}/packaging",), site=bundle, count=3),
        sites=(Site(path=bundle, real=bundle, kind="bundle"),),
        products=(Product(kind="isaac-sim", release="5.1.0", path="/isaac-sim", way="binary"),),
    )
    assert (one.id, one.severity) == ("links-dangling", "error")
    assert one.what == "3 links to nothing of packaging 23.0"
    assert one.repair == ("unpack Isaac Sim 5.1.0 again in /isaac-sim",)


def test_of_two_versions_the_one_without_files_is_set_aside():
    there = copy("numpy", "1.26.0")
    stale = Distribution(
        name="numpy",
        version="1.26.0",
        recorded="2.2.6",
        site=SITE,
        metadata=f"{SITE}/numpy-2.2.6.dist-info",
        package=f"{SITE}/numpy",
    )
    (one,) = judged(
        fault("two-versions", "numpy 1.26.0", "numpy 2.2.6", detail="1.26.0 and 2.2.6"),
        distributions=(stale, there),
    )
    assert one.id == "two-versions"
    assert one.what == "numpy 1.26.0 and numpy 2.2.6 stand in one folder"
    assert one.actions == (SetAside(paths=(f"{SITE}/numpy-2.2.6.dist-info",)),)
    assert one.repair[0].endswith("numpy==1.26.0")


def test_changed_code_is_a_warning_and_a_changed_list_a_note():
    code, listed = judged(
        fault("changed", "certifi 2025.1.31", paths=(f"{SITE}/certifi/core.py",)),
        fault("changed", "certifi 2025.1.31", paths=(f"{SITE}/certifi/cacert.pem",)),
    )
    assert (code.severity, listed.severity) == ("warning", "note")


def test_a_library_for_another_system_is_no_fault():
    def module(wrong):
        return Module(
            path=f"{SITE}/a/{len(wrong)}.so",
            site=SITE,
            distribution="a",
            tag="",
            binary=Binary(wrong=wrong),
        )

    (one,) = judged(modules=(module("no ELF file"), module("it is cut off"), module("")))
    assert (one.id, one.where) == ("unreadable", (f"{SITE}/a/13.so",))


def test_two_versions_are_a_warning_and_in_a_bundle_an_error():
    two = ("packaging 21.3", "packaging 23.0")
    (own,) = judged(fault("two-versions", *two, detail="21.3 and 23.0"))
    (bundled,) = judged(
        fault("two-versions", *two, site=ARCHIVE, detail="21.3 and 23.0"),
        system=System(whole=True),
    )
    assert (own.severity, bundled.severity) == ("warning", "error")
    assert "pip was told to install into the bundle" in bundled.why
    assert bundled.actions == ()


def test_one_of_two_owners_is_removed_and_the_other_comes_back():
    names = ("opencv-python", "opencv-python-headless")
    (one,) = judged(
        fault("two-owners", *(f"{name} 4.11.0" for name in names), paths=(f"{SITE}/cv2/cv2.so",)),
        distributions=tuple(copy(name, "4.11.0") for name in names),
    )
    assert one.what.startswith("opencv-python 4.11.0 and opencv-python-headless 4.11.0 both own")
    assert one.repair == (
        f"{ENV}/bin/python -m pip uninstall --yes opencv-python-headless",
        f"{ENV}/bin/python -m pip install --force-reinstall --no-deps opencv-python==4.11.0",
    )


def test_metadata_without_files_names_the_module_that_is_missed():
    (one,) = judged(
        fault("no-files", "rsl-rl-lib 3.0.1"), distributions=(copy("rsl-rl-lib", "3.0.1"),)
    )
    assert (one.id, one.severity) == ("metadata-without-files", "error")
    assert one.expect == ("No module named 'rsl_rl_lib'",)
    assert len(one.actions) == 1


def test_files_without_metadata_are_named_by_their_folder():
    (one,) = judged(fault("no-metadata", paths=(f"{SITE}/trimesh",)))
    assert (one.id, one.what) == (
        "files-without-metadata",
        "trimesh has files and no metadata",
    )
    assert one.actions == ()


def test_links_in_circles_say_what_the_system_says():
    (one,) = judged(fault("loop", paths=(f"{SITE}/a", f"{SITE}/b"), count=2))
    assert (one.id, one.what) == ("links-loop", "2 links to each other")
    assert one.expect == ("Too many levels of symbolic links",)


def test_a_mixed_tree_is_told_elsewhere():
    assert judged(fault("mixed", "numpy 1.26.0", detail="1.26.0 and 2.2.6")) == ()


@pytest.mark.parametrize(
    ("installer", "command"),
    [
        ("conda", f"conda install --prefix {ENV} --force-reinstall click=8.1.7"),
        ("debian", "apt-get install --reinstall python3-click"),
    ],
)
def test_who_installed_it_repairs_it(installer, command):
    (one,) = judged(
        fault("missing", "click 8.1.7", paths=(f"{SITE}/click/a.py",)),
        distributions=(copy("click", "8.1.7", installer=installer),),
    )
    assert one.repair == (command,)


def test_names_of_the_tree_are_quoted_in_commands():
    (one,) = judged(
        fault("missing", "a;reboot 1", paths=(f"{SITE}/a.py",)),
        distributions=(copy("a;reboot", "1"),),
    )
    assert one.repair[0].endswith("'a;reboot==1'")


def test_what_could_not_be_read_is_one_note():
    broken = Module(
        path=f"{SITE}/a.so", site=SITE, distribution="", tag="", binary=Binary(wrong="cut off")
    )
    troubles = tuple(Trouble(path=f"{SITE}/{index}", why="denied") for index in range(30))
    (one,) = judged(troubles=troubles, modules=(broken,))
    assert (one.id, one.severity) == ("unreadable", "note")
    assert one.what == "31 files and folders could not be read"
    assert len(one.where) == 20
    assert f"{SITE}/0: denied" in one.hits
    assert one.hits[-1] == "and 11 more"
    (one,) = judged(modules=(broken,))
    assert one.what == "1 file or folder could not be read"
    assert one.hits == (f"{SITE}/a.so: cut off",)


# --- Tags ----------------------------------------------------------------------------------------


def module(path, tag, *, owner="torch"):
    return Module(
        path=f"{SITE}/{path}", site=SITE, distribution=owner, tag=tag, binary=Binary(python=True)
    )


def test_modules_for_another_python_are_one_finding_of_their_distribution():
    modules = tuple(
        module(f"torch/{name}.cpython-312-x86_64-linux-gnu.so", "cpython-312") for name in "ab"
    )
    (one,) = judged(modules=modules, distributions=(copy("torch", "2.7.0"),))
    assert (one.id, one.severity) == ("python-tag", "error")
    assert one.what == "2 modules of torch 2.7.0 for Python 3.12, in a site of Python 3.11"
    assert one.where == tuple(each.path for each in modules)
    assert one.expect[0] == "No module named 'a'"
    assert [action.distribution for action in one.actions] == ["torch"]


@pytest.mark.parametrize(
    "twin",
    [("a.cpython-311-x86_64-linux-gnu.so", "cpython-311"), ("a.abi3.so", "abi3"), ("a.so", "")],
)
def test_a_module_that_is_there_for_this_python_too_is_found(twin):
    path, tag = twin
    other = module("torch/a.cpython-312-x86_64-linux-gnu.so", "cpython-312")
    assert judged(modules=(other, module(f"torch/{path}", tag))) == ()


def test_folders_of_several_pythons_are_left_alone():
    other = module("a.cpython-312-x86_64-linux-gnu.so", "cpython-312")
    debian = Site(path=SITE, real=SITE, kind="debian", python="3.11")
    assert judged(modules=(other,), sites=(debian,)) == ()
    assert judged(modules=(other,), sites=(Site(path=SITE, real=SITE, kind="site"),)) == ()
