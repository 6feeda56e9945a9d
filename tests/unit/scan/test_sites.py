"""Every folder of packages, each once, and what kind it is."""

import json

from envbuild.scan.starting.pathfiles import added
from tests.support import simulators
from tests.support.scanned import Link, tree
from tests.support.surveyed import NOTHING, sites_of, start

CONDA = "/opt/conda/envs/isaac"
SITE = f"{CONDA}/lib/python3.11/site-packages"


def found(files, begin=NOTHING, **more):
    return {one.path: one for one in sites_of(tree(files, **more), begin).sites}


def kinds(files, begin=NOTHING, **more):
    return {path: (one.kind, one.python) for path, one in found(files, begin, **more).items()}


def test_an_isaac_sim_has_its_pythons_site_bundles_and_what_python_sh_puts_on_the_path():
    assert kinds(simulators.binary_5_1()) == {
        "/isaac-sim/kit/python/lib/python3.11/site-packages": ("site", "3.11"),
        f"/isaac-sim/{simulators.ARCHIVE_5_1}": ("bundle", "3.11"),
        "/isaac-sim/exts/omni.isaac.core_archive/pip_prebundle": ("bundle", ""),
        "/isaac-sim/exts/omni.isaac.ml_archive/pip_prebundle": ("bundle", ""),
        "/isaac-sim/python_packages": ("kit", ""),
        "/isaac-sim/exts/isaacsim.simulation_app": ("kit", ""),
        "/isaac-sim/kit/kernel/py": ("kit", ""),
    }


def test_a_bundle_says_its_extension():
    sites = found(simulators.binary_5_1())
    bundle = sites[f"/isaac-sim/{simulators.ARCHIVE_5_1}"]
    assert bundle.extension == (
        "/isaac-sim/extscache/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311"
    )


def test_the_replicas_sites():
    site = "/isaac-sim/kit/python/lib/python3.11/site-packages"
    assert kinds(simulators.replica()) == {
        site: ("site", "3.11"),
        "/isaac-sim/extscache/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle": (
            "bundle",
            "3.11",
        ),
        "/isaac-sim/exts/omni.isaac.core_archive/pip_prebundle": ("bundle", ""),
        "/isaac-sim/exts/omni.pip.compute/pip_prebundle": ("bundle", ""),
        "/isaac-sim/python_packages": ("kit", ""),
        "/isaac-sim/exts/isaacsim.simulation_app": ("kit", ""),
        "/isaac-sim/kit/kernel/py": ("kit", ""),
    }


def test_archives_of_older_releases_are_bundles():
    files = simulators.numpy("/isaac-sim/kit/exts/omni.kit.pip_archive/pip_prebundle", "1.25.2")
    files |= simulators.numpy("/sim/kit/extscore/omni.kit.pip_archive/pip_prebundle")
    assert kinds(files) == {
        "/isaac-sim/kit/exts/omni.kit.pip_archive/pip_prebundle": ("bundle", ""),
        "/sim/kit/extscore/omni.kit.pip_archive/pip_prebundle": ("bundle", ""),
    }


def test_what_kit_fetched_while_it_ran_is_runtime():
    archive = "omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle"
    fetched = f"{SITE}/isaacsim/kit/data/Kit/Isaac-Sim/5.1/exts/3/{archive}"
    registry = f"/root/.local/share/ov/data/exts/v2/{archive}"
    omni = f"{SITE}/omni/data/Kit/Isaac-Sim/4.5/exts/3/{archive.replace('311', '310')}"
    pip = f"{SITE}/isaacsim/kit/data/Kit/Isaac-Sim/5.1/pip3-envs/default"
    home = "/root/.local/share/ov/data/Kit/Isaac-Sim/6.0/pip3-envs/default-3.12"
    files = simulators.conda(CONDA) | simulators.installed(SITE)
    for one in (fetched, registry, omni, pip, home):
        files |= simulators.numpy(one)
    sites = kinds(files)
    assert sites.pop(SITE) == ("site", "3.11")
    assert sites == {
        fetched: ("runtime", "3.11"),
        registry: ("runtime", "3.11"),
        omni: ("runtime", "3.10"),
        pip: ("runtime", ""),
        home: ("runtime", "3.12"),
    }


def test_debian_and_the_users_packages():
    files = simulators.debian() | {
        "/root/.local/lib/python3.11/site-packages/": "",
        "/usr/lib/python3.11/dist-packages/": "",
    }
    assert kinds(files) == {
        "/usr/lib/python3/dist-packages": ("debian", ""),
        "/usr/lib/python3.11/dist-packages": ("debian", "3.11"),
        "/usr/local/lib/python3.11/dist-packages": ("debian", "3.11"),
        "/root/.local/lib/python3.11/site-packages": ("user", "3.11"),
    }


def test_nested_conda_environments_are_sites_and_condas_cache_is_none():
    files = simulators.conda("/opt/conda", "3.12") | simulators.conda(CONDA)
    files |= simulators.numpy("/opt/conda/pkgs/numpy-1.26.0-py311h1/lib/python3.11/site-packages")
    files |= {"/opt/conda/pkgs/six-1.16-pyh6/site-packages/six.py": ""}
    assert kinds(files) == {
        "/opt/conda/lib/python3.12/site-packages": ("site", "3.12"),
        SITE: ("site", "3.11"),
    }


def test_a_folder_with_two_paths_is_one_site():
    files = {
        "/env/pyvenv.cfg": "home = /usr/bin\n",
        "/env/lib/python3.11/site-packages/six.py": "",
        "/env/lib64": Link("lib"),
        "/other": Link("env"),
    }
    sites = found(files, start(PYTHONPATH="/other/lib64/python3.11/site-packages:/other"))
    assert {path: one.real for path, one in sites.items()} == {
        "/env/lib/python3.11/site-packages": "/env/lib/python3.11/site-packages",
        "/env": "/env",
    }


def test_an_extension_or_its_bundle_may_be_a_link():
    """Images of 5.1 and 6.x hold what is there twice once, with a link to it."""
    files = simulators.numpy("/isaac-sim/extscache/a-1.0/pip_prebundle")
    files |= {
        "/isaac-sim/exts/a": Link("../extscache/a-1.0"),
        "/isaac-sim/exts/b/pip_prebundle": Link("../../extscache/a-1.0/pip_prebundle"),
        "/isaac-sim/exts/c": Link("/elsewhere/c-1.0"),
        "/isaac-sim/exts/d": Link("/shared/d-1.0"),
        "/shared": Link("/srv/shared"),
        "/srv/shared/d-1.0/pip_prebundle": Link("packages"),
        "/srv/shared/d-1.0/packages/six.py": "",
        "/elsewhere/c-1.0/pip_prebundle/six.py": "",
    }
    sites = found(files)
    assert {path: one.real for path, one in sites.items()} == {
        "/isaac-sim/exts/d/pip_prebundle": "/srv/shared/d-1.0/packages",
        "/elsewhere/c-1.0/pip_prebundle": "/elsewhere/c-1.0/pip_prebundle",
        "/isaac-sim/extscache/a-1.0/pip_prebundle": "/isaac-sim/extscache/a-1.0/pip_prebundle",
    }


def test_links_that_lead_nowhere_or_to_each_other_are_no_sites():
    files = {
        "/isaac-sim/exts/a/pip_prebundle": Link("../b/pip_prebundle"),
        "/isaac-sim/exts/b/pip_prebundle": Link("../a/pip_prebundle"),
        "/isaac-sim/exts/c/pip_prebundle": Link("gone"),
        "/isaac-sim/exts/d": Link("d"),
        "/env/lib/python3.11/site-packages": Link("gone"),
        "/env/lib/python3.12/site-packages": "a file",
    }
    assert found(files) == {}


def test_pth_files_and_editable_installs():
    finder = "MAPPING: dict[str, str] = {'isaaclab': '/work/lab/source/isaaclab/isaaclab'}\n"
    direct = {"url": "file:///work/lab/source/isaaclab", "dir_info": {"editable": True}}
    files = simulators.conda(CONDA) | {
        f"{SITE}/names.pth": "# a comment\n\nimport site; site.addsitedir('/work/code')\n/work/plain\n../beside \n/work/plain\n",
        f"{SITE}/__editable__.rsl_rl-3.0.pth": "/work/rsl_rl/src\n",
        f"{SITE}/easy-install.pth": "/work/old\n",
        f"{SITE}/old.egg-link": "/work/old\n../..\n",
        f"{SITE}/__editable___isaaclab_0_47_finder.py": finder,
        f"{SITE}/isaaclab-0.47.1.dist-info/direct_url.json": json.dumps(direct),
        f"{SITE}/.hidden.pth": "/work/hidden\n",
        "/work/plain/": "",
        "/work/code/": "",
        "/work/hidden/": "",
        "/work/rsl_rl/src/": "",
        "/work/old/": "",
        "/work/lab/source/isaaclab/isaaclab/__init__.py": "",
        f"{CONDA}/lib/python3.11/beside/": "",
    }
    sites = kinds(files)
    assert sites.pop(SITE) == ("site", "3.11")
    assert sites == {
        "/work/plain": ("path", "3.11"),
        f"{CONDA}/lib/python3.11/beside": ("path", "3.11"),
        "/work/rsl_rl/src": ("source", "3.11"),
        "/work/old": ("source", "3.11"),
        "/work/lab/source/isaaclab": ("source", "3.11"),
    }


def test_what_is_named_outside_of_what_was_read_is_told():
    direct = {"url": "file:///home/u/lab/source/isaaclab", "dir_info": {"editable": True}}
    files = simulators.conda("/env") | {
        "/env/lib/python3.11/site-packages/a.pth": "/home/u/code\n/env/gone\n",
        "/env/lib/python3.11/site-packages/b-1.dist-info/direct_url.json": json.dumps(direct),
    }
    names = sites_of(tree(files, roots=("/env",)), start(PYTHONPATH="/opt/ros/lib")).outside
    assert names == ("/home/u/code", "/home/u/lab/source/isaaclab", "/opt/ros/lib")


def test_a_wheel_is_one_site():
    files = {"/numpy/__init__.py": "", "/numpy-1.26.0.dist-info/METADATA": "Name: numpy\n"}
    assert kinds(files) == {"/": ("site", "")}


def test_a_folder_of_packages_that_is_examined_itself_is_a_site():
    site = "/home/u/env/lib/python3.11/site-packages"
    assert kinds(simulators.numpy(site), roots=(site,)) == {site: ("site", "3.11")}
    assert kinds(simulators.numpy("/app/libs"), roots=("/app/libs",)) == {"/app/libs": ("site", "")}


def test_what_is_asked_of_the_interpreter_is_a_site():
    begin = start("/env/bin/python3.11")
    begin = type(begin)(executable=begin.executable, path=("/work", "/env/lib/python3.11", SITE))
    files = simulators.conda("/env") | {"/work/six.py": ""}
    sites = kinds(files, begin)
    assert sites == {
        "/env/lib/python3.11/site-packages": ("site", "3.11"),
        "/work": ("path", ""),
    }


def test_the_folder_above_isaac_sim_that_its_script_names_by_accident_is_no_site():
    files = simulators.binary_5_1("/opt/nvidia/isaac-sim/5.1")
    assert "/opt" not in found(files)


def test_a_pth_file_may_hold_anything():
    long = "/" + "x" * 5000
    files = {f"{SITE}/a.pth": b"\xff\xfe/\x00bad\n" + long.encode() + b"\n\r\n  \n"}
    paths = [one.path for one in added(tree(files), SITE)]
    assert paths == [long]


def test_an_empty_tree_has_nothing():
    assert found({}) == {}
    assert found({}, roots=("/gone",)) == {}
