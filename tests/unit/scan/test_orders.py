"""Where each launcher's Python looks, before Kit starts and after."""

import pytest

from tests.support import simulators
from tests.support.scanned import Link, tree
from tests.support.surveyed import NOTHING, by_launcher, orders_of, start

R = "/isaac-sim"
KIT = f"{R}/kit/python/lib/python3.11/site-packages"
ARCHIVE = f"{R}/{simulators.ARCHIVE_5_1}"
CORE = f"{R}/exts/omni.isaac.core_archive/pip_prebundle"
ML = f"{R}/exts/omni.isaac.ml_archive/pip_prebundle"
OF_KIT = (f"{R}/python_packages", f"{R}/exts/isaacsim.simulation_app", f"{R}/kit/kernel/py")
CONDA = "/opt/conda/envs/isaac"
SITE = f"{CONDA}/lib/python3.11/site-packages"


def orders(files, begin=NOTHING, **more):
    return by_launcher(orders_of(tree(files, **more), begin))


def test_python_sh_of_5_1_puts_what_pip_installs_before_the_bundles_until_kit_starts():
    found = orders(simulators.binary_5_1())
    order = found.pop("python.sh")
    assert found == {}
    assert (order.path, order.python, order.read) == (f"{R}/python.sh", "3.11", True)
    assert order.before == (KIT, *OF_KIT, ARCHIVE, CORE, ML)
    assert order.after == (ARCHIVE, CORE, ML, KIT, *OF_KIT)


def test_pythonpath_goes_first_until_kit_starts():
    files = simulators.binary_5_1() | {"/work/six.py": ""}
    order = orders(files, start(PYTHONPATH="/work:/gone"))["python.sh"]
    assert order.before == ("/work", KIT, *OF_KIT, ARCHIVE, CORE, ML)
    assert order.after == (ARCHIVE, CORE, ML, "/work", KIT, *OF_KIT)


def test_the_replicas_own_script_is_read():
    order = orders(simulators.replica())["python.sh"]
    archive = f"{R}/extscache/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle"
    compute = f"{R}/exts/omni.pip.compute/pip_prebundle"
    assert order.read
    assert order.before == (KIT, *OF_KIT, archive, CORE, compute)
    assert order.after == (archive, CORE, compute, KIT, *OF_KIT)


def test_a_script_that_was_not_read_leaves_the_known_order():
    files = simulators.binary_5_1()
    files[f"{R}/setup_python_env.sh"] = 700
    order = orders(files)["python.sh"]
    assert not order.read
    assert order.before == (KIT, *OF_KIT, ARCHIVE, CORE, ML)


def test_a_script_that_cannot_be_followed_to_its_end_is_not_called_read():
    files = simulators.binary_5_1()
    files[f"{R}/setup_python_env.sh"] += "export PYTHONPATH=$(python3 list.py):$PYTHONPATH\n"
    order = orders(files)["python.sh"]
    assert not order.read
    assert order.before == (KIT, *OF_KIT, ARCHIVE, CORE, ML)


def test_2023_1_1_has_its_archive_in_kit_exts():
    archive = "kit/exts/omni.kit.pip_archive/pip_prebundle"
    order = ("kit/python/lib/python3.10/site-packages", "exts/omni.isaac.kit", archive)
    files = simulators.binary(
        R, version="2023.1.1-rc.8", python="3.10", order=order, bundles={archive: "1.25.2"}
    )
    found = orders(files)["python.sh"]
    site = f"{R}/kit/python/lib/python3.10/site-packages"
    assert found.before == (site, f"{R}/exts/omni.isaac.kit", f"{R}/{archive}")
    assert found.after == (f"{R}/{archive}", site, f"{R}/exts/omni.isaac.kit")


def test_4_1_has_its_archive_in_kit_extscore():
    archive = "kit/extscore/omni.kit.pip_archive/pip_prebundle"
    other = "exts/omni.pip.compute/pip_prebundle"
    order = ("kit/python/lib/python3.10/site-packages", other)
    files = simulators.binary(
        R, version="4.1.0", python="3.10", order=order, bundles={archive: "1.26.0", other: ""}
    )
    found = orders(files)["python.sh"]
    site = f"{R}/kit/python/lib/python3.10/site-packages"
    assert found.before == (site, f"{R}/{other}")
    assert found.after == (f"{R}/{archive}", f"{R}/{other}", site)


def test_pip_installed_5_1_is_healthy_until_kit_fetches_an_archive():
    """Seed 000: site-packages first, and the archive that Kit fetched at its first start after."""
    files = simulators.conda(CONDA) | simulators.installed(SITE) | simulators.numpy(SITE, "2.2.6")
    order = orders(files)["python"]
    assert (order.path, order.before, order.after) == (f"{CONDA}/bin/python3.11", (SITE,), (SITE,))
    exts = f"{SITE}/isaacsim/kit/data/Kit/Isaac-Sim/5.1/exts/3"
    fetched = f"{exts}/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle"
    order = orders(files | simulators.numpy(fetched))["python"]
    assert order.before == (SITE,)
    assert order.after == (fetched, SITE)


def test_an_archive_for_another_python_is_not_asked():
    fetched = "omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp310/pip_prebundle"
    files = simulators.conda(CONDA) | simulators.installed(SITE)
    files |= simulators.numpy(f"/root/.local/share/ov/data/exts/v2/{fetched}")
    assert orders(files)["python"].after == (SITE,)
    files |= simulators.numpy(f"/root/.local/share/ov/data/exts/v2/{fetched.replace('310', '311')}")
    assert len(orders(files)["python"].after) == 2


def test_what_kits_pip_installs_comes_last():
    files = simulators.conda(CONDA) | simulators.installed(SITE)
    place = f"{SITE}/isaacsim/kit/data/Kit/Isaac-Sim/5.1/pip3-envs/default"
    order = orders(files | simulators.numpy(place))["python"]
    assert order.before == (SITE,)
    assert order.after == (SITE, place)


def test_pip_installed_6_has_no_archive():
    site = "/env/lib/python3.12/site-packages"
    files = simulators.conda("/env", "3.12") | simulators.installed(site, "6.0.1.0")
    files |= simulators.numpy(site, "2.3.1")
    newton = f"{site}/isaacsim/exts/isaacsim.pip.newton/pip_prebundle"
    order = orders(files | {f"{newton}/six.py": ""})["python"]
    assert (order.before, order.after) == ((site,), (newton, site))


def test_of_two_archives_the_one_that_was_fetched_goes_first_then_by_place():
    places = (
        f"{R}/kit/data/Kit/Isaac-Sim/5.1/exts/3/omni.kit.pip_archive-0.0.0+1.lx64.cp311/pip_prebundle",
        f"{R}/extscache/omni.kit.pip_archive-0.0.0+1.lx64.cp311/pip_prebundle",
        f"{R}/kit/exts/omni.kit.pip_archive/pip_prebundle",
        f"{R}/kit/extscore/omni.kit.pip_archive/pip_prebundle",
        f"{R}/extscache/a-1.0/pip_prebundle",
        f"{R}/exts/a/pip_prebundle",
        f"{R}/extsDeprecated/a/pip_prebundle",
    )
    files = simulators.binary(R)
    for one in places:
        files |= simulators.numpy(one)
    assert orders(files)["python.sh"].after[:7] == places


# Environments --------------------------------------------------------------------


def with_conda(**more):
    files = simulators.binary_5_1() | simulators.conda(CONDA) | simulators.numpy(SITE, "2.2.6")
    return files | {f"{CONDA}/etc/conda/activate.d/{name}.sh": text for name, text in more.items()}


def test_a_conda_environment_beside_a_binary_has_nothing_to_do_with_it_by_itself():
    found = orders(with_conda(other="export FOO=1\n"))
    assert set(found) == {"python.sh", "python"}
    assert found["python"].before == found["python"].after == (SITE,)


@pytest.mark.parametrize("script", ["setup_conda_env.sh", "setup_python_env.sh"])
def test_activation_that_sources_isaac_sims_script_puts_the_bundles_first(script):
    found = orders(with_conda(setenv=f"export A=1\nsource {R}/{script}\n"))
    order = found["conda activate"]
    assert set(found) == {"python.sh", "conda activate"}
    assert (order.path, order.python, order.read) == (CONDA, "3.11", True)
    kit = () if script == "setup_conda_env.sh" else (KIT,)
    assert order.before == (*kit, *OF_KIT, ARCHIVE, CORE, ML, SITE)
    assert order.after == (ARCHIVE, CORE, ML, *kit, *OF_KIT, SITE)


def test_activation_through_isaac_labs_link_is_the_same():
    files = with_conda(setenv="source /workspace/isaaclab/_isaac_sim/setup_conda_env.sh\n")
    files["/workspace/isaaclab/_isaac_sim"] = Link("../../isaac-sim")
    order = orders(files)["conda activate"]
    assert order.read
    assert order.before == (*OF_KIT, ARCHIVE, CORE, ML, SITE)


def test_a_shell_that_is_activated_already_says_it_in_pythonpath():
    begin = start(f"{CONDA}/bin/python", PYTHONPATH=f"{ARCHIVE}:{CORE}", CONDA_PREFIX=CONDA)
    order = orders(with_conda(), begin)["conda activate"]
    assert order.before == (ARCHIVE, CORE, SITE)
    assert order.after == (ARCHIVE, CORE, ML, SITE)


def test_isaac_lab_in_an_environment_without_isaac_sim_works_with_its_script_alone():
    info = f"{SITE}/isaaclab-0.47.1.dist-info/METADATA"
    order = orders(with_conda() | {info: "Name: isaaclab\n"})["conda activate"]
    assert not order.read
    assert order.before == (*OF_KIT, ARCHIVE, CORE, ML, SITE)
    other = {**with_conda(), info: "", f"{R}/kit/python/bin/python3.11": 1}
    other |= simulators.installed(SITE)
    assert set(orders(other)) == {"python.sh", "python"}


def test_a_pth_file_may_put_an_isaac_sim_on_the_path():
    files = with_conda() | {f"{SITE}/sim.pth": f"{R}/kit/kernel/py\n{CORE}\n"}
    order = orders(files)["python"]
    assert order.before == (SITE, f"{R}/kit/kernel/py", CORE)
    assert order.after == (ARCHIVE, CORE, ML, SITE, f"{R}/kit/kernel/py")


def lab(**files):
    return {
        "/lab/isaaclab.sh": "#!/bin/bash\n",
        "/lab/_isaac_sim": Link(R),
        "/lab/source/isaaclab/": "",
    } | simulators.binary_5_1()


def test_isaaclab_sh_takes_the_simulators_python_through_its_link():
    found = orders(lab())
    assert found["isaaclab.sh"].path == "/lab/isaaclab.sh"
    assert found["isaaclab.sh"].before == found["python.sh"].before
    assert found["isaaclab.sh"].after == found["python.sh"].after


def test_isaaclab_sh_takes_an_active_environment_before():
    files = lab() | with_conda(setenv="source /lab/_isaac_sim/setup_conda_env.sh\n")
    order = orders(files, start(CONDA_PREFIX=CONDA))["isaaclab.sh"]
    assert order.before == (*OF_KIT, ARCHIVE, CORE, ML, SITE)
    assert orders(files)["isaaclab.sh"].before[0] == KIT


def test_isaaclab_sh_without_a_link_takes_the_python_that_isaac_sim_was_installed_in():
    files = simulators.conda("/opt/conda", "3.12") | simulators.conda(CONDA)
    files |= simulators.installed(SITE) | {"/lab/isaaclab.sh": ""}
    every = orders_of(tree(files))
    (order,) = [one for one in every if one.launcher == "isaaclab.sh"]
    assert order.before == (SITE,)
    assert [one.launcher for one in orders_of(tree({"/lab/isaaclab.sh": ""}))] == []


def test_isaac_labs_folders_come_behind_the_site_whose_pth_file_names_them():
    files = simulators.replica() | {
        f"{KIT}/isaaclab.pth": "/workspace/isaaclab/source/isaaclab\n",
        "/workspace/isaaclab/source/isaaclab/isaaclab/__init__.py": "",
    }
    order = orders(files)["python.sh"]
    assert order.before[-1] == "/workspace/isaaclab/source/isaaclab"
    assert order.after[-1] == "/workspace/isaaclab/source/isaaclab"
