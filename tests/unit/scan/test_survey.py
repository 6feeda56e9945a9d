"""A tree as one value: the questions joined."""

from envbuild.scan.model import Start
from envbuild.scan.survey import survey
from envbuild.scan.tree import Entry, Tree, Trouble
from envbuild.scan.winners import winners
from tests.support import simulators
from tests.support.scanned import Link, tree

SITE = "/isaac-sim/kit/python/lib/python3.11/site-packages"
ARCHIVE = f"/isaac-sim/{simulators.ARCHIVE_5_1}"


def test_a_container_with_another_numpy_in_kits_python():
    """Seed 002: the environment's copy wins until Kit has started."""
    files = simulators.binary_5_1() | simulators.debian() | simulators.numpy(SITE, "2.2.6")
    scan = survey(tree(files), "sim:5.1", Start(), None)
    assert (scan.label, scan.roots) == ("sim:5.1", ("/",))
    assert [(one.kind, one.release) for one in scan.products] == [("isaac-sim", "5.1.0")]
    copies = {(one.site, one.version) for one in scan.distributions if one.name == "numpy"}
    assert copies == {(SITE, "2.2.6"), (ARCHIVE, "1.26.0")}
    (won,) = winners(scan, "numpy")
    assert (won.order.launcher, won.before.version, won.after.version) == (
        "python.sh",
        "2.2.6",
        "1.26.0",
    )
    assert (won.before.site, won.after.site) == (SITE, ARCHIVE)
    assert scan.site(ARCHIVE).kind == "bundle"
    assert scan.system.release == "debian 12"


def test_seed_000s_prefix():
    prefix = "/home/u/miniconda3/envs/env_isaaclab"
    site = f"{prefix}/lib/python3.11/site-packages"
    fetched = f"{site}/isaacsim/kit/data/Kit/Isaac-Sim/5.1/exts/3/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle"
    files = simulators.conda(prefix) | simulators.installed(site)
    files |= simulators.numpy(site, "2.2.6") | simulators.numpy(fetched)
    scan = survey(tree(files, roots=(prefix,)), prefix, Start(), None)
    (won,) = winners(scan, "numpy")
    assert (won.order.launcher, won.order.path) == ("python", f"{prefix}/bin/python3.11")
    assert (won.before.site, won.after.site) == (site, fetched)
    assert [one.kind for one in scan.sites] == ["site", "runtime"]


def test_a_healthy_container_has_one_numpy_and_no_faults():
    scan = survey(tree(simulators.binary_5_1()), "sim", Start(), None)
    (won,) = winners(scan, "numpy")
    assert won.before == won.after
    assert won.losers == scan.faults == scan.lacking == scan.newer == ()


def test_a_wheel():
    files = {
        "/numpy/__init__.py": "",
        "/numpy/version.py": 'version = "1.26.0"\n',
        "/numpy-1.26.0.dist-info/METADATA": "Name: numpy\nVersion: 1.26.0\n",
        "/numpy-1.26.0.dist-info/RECORD": "numpy/__init__.py,,\n",
    }
    scan = survey(tree(files), "numpy.whl", Start(), None)
    assert [(one.path, one.kind) for one in scan.sites] == [("/", "site")]
    assert [(one.name, one.version) for one in scan.distributions] == [("numpy", "1.26.0")]
    assert (scan.products, scan.orders) == ((), ())


def test_an_empty_tree_and_one_that_is_not_there():
    empty = survey(tree({}), "", Start(), None)
    assert (empty.sites, empty.files, empty.bytes) == ((), 0, 0)
    gone = Tree(roots=("/gone",), folders={}, texts={}, modules={}, missing=("/gone",))
    assert survey(gone, "", Start(executable="/gone/bin/python"), None).sites == ()


def test_what_could_not_be_read_and_what_leads_out_is_passed_on():
    trouble = Trouble(path="/env/lib/secret", why="permission denied")
    files = {
        "/env/lib/python3.11/site-packages/a.pth": "/home/u/code\n",
        "/env/bin/python": Link("/usr/bin/python3"),
    }
    made = tree(files, roots=("/env",))
    made = Tree(
        roots=made.roots,
        folders=made.folders,
        texts=made.texts,
        modules={},
        troubles=(trouble,),
    )
    scan = survey(made, "", Start(), None)
    assert scan.troubles == (trouble,)
    assert scan.outside == ("/home/u/code", "/usr/bin/python3")


def test_a_tree_of_links_that_loop_or_dangle_is_surveyed():
    files = {
        "/isaac-sim/VERSION": Link("VERSION"),
        "/isaac-sim/kit": Link("../isaac-sim/kit"),
        "/isaac-sim/python.sh": Link("gone"),
        "/isaac-sim/exts": Link("/isaac-sim"),
        "/env/lib/python3.11/site-packages/a.pth": Link("a.pth"),
        "/env/lib/python3.11/site-packages/numpy": Link("numpy"),
        "/env/lib/python3.11/site-packages/up": Link(".."),
        "/env/pyvenv.cfg": Link("nowhere"),
        "/lab/isaaclab.sh": "",
        "/lab/_isaac_sim": Link("../lab/_isaac_sim"),
    }
    scan = survey(tree(files), "", Start(), None)
    assert [one.path for one in scan.sites] == ["/env/lib/python3.11/site-packages"]
    assert [one.launcher for one in scan.orders] == ["python"]


def test_names_that_are_no_text_do_no_harm():
    odd = "/env/lib/python3.11/site-packages/\udcff\n-1.0.dist-info"
    folders = {
        "/env": {"lib": Entry("folder")},
        "/env/lib": {"python3.11": Entry("folder")},
        "/env/lib/python3.11": {"site-packages": Entry("folder")},
        "/env/lib/python3.11/site-packages": {"\udcff\n-1.0.dist-info": Entry("folder")},
        odd: {"METADATA": Entry("file", 2)},
    }
    made = Tree(
        roots=("/env",), folders=folders, texts={f"{odd}/METADATA": b"\xff\xfe"}, modules={}
    )
    assert [one.path for one in survey(made, "", Start(), None).sites] == [
        "/env/lib/python3.11/site-packages"
    ]
