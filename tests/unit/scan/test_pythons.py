"""Where Pythons without an Isaac Sim look, and those that were named or asked."""

from envbuild.scan.model import Start
from tests.support import simulators
from tests.support.scanned import Link, tree
from tests.support.surveyed import NOTHING, by_launcher, orders_of, start

CONDA = "/opt/conda/envs/isaac"
SITE = f"{CONDA}/lib/python3.11/site-packages"


def orders(files, begin=NOTHING, **more):
    return by_launcher(orders_of(tree(files, **more), begin))


def test_debians_python_asks_the_user_then_what_is_local_then_its_own():
    files = simulators.debian() | {
        "/usr/lib/python3.11/dist-packages/": "",
        "/root/.local/lib/python3.11/site-packages/": "",
        "/root/.local/lib/python3.12/site-packages/": "",
    }
    order = orders(files)["python"]
    assert (order.path, order.python) == ("/usr/bin/python3.11", "3.11")
    assert order.before == (
        "/root/.local/lib/python3.11/site-packages",
        "/usr/local/lib/python3.11/dist-packages",
        "/usr/lib/python3/dist-packages",
        "/usr/lib/python3.11/dist-packages",
    )
    assert order.before == order.after


def test_a_systems_interpreter_that_was_named_need_not_be_in_what_was_read():
    roots = ("/usr/lib/python3/dist-packages", "/usr/local/lib/python3.11/dist-packages")
    files = simulators.numpy(roots[0]) | simulators.numpy(roots[1])
    order = orders(files, start("/usr/bin/python3.11"), roots=roots)["python"]
    assert (order.path, order.python) == ("/usr/bin/python3.11", "3.11")
    assert order.before == roots[::-1]


def test_the_home_that_holds_decides_whose_packages_are_asked():
    files = simulators.debian() | {
        "/root/.local/lib/python3.11/site-packages/": "",
        "/home/u/.local/lib/python3.11/site-packages/": "",
    }
    own = ("/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages")
    home = orders(files, start(HOME="/home/u"))["python"].before
    assert home == ("/home/u/.local/lib/python3.11/site-packages", *own)
    assert orders(files, start(HOME="/home/v"))["python"].before == own
    assert orders(files, start(PYTHONNOUSERSITE="1"))["python"].before == own


def test_a_python_of_its_own_beside_debians():
    files = simulators.debian() | {
        "/usr/local/bin/python3.12": 8000,
        "/usr/local/lib/python3.12/site-packages/": "",
    }
    found = {one.path: one.before for one in orders_of(tree(files))}
    assert found == {
        "/usr/bin/python3.11": (
            "/usr/local/lib/python3.11/dist-packages",
            "/usr/lib/python3/dist-packages",
        ),
        "/usr/local/bin/python3.12": ("/usr/local/lib/python3.12/site-packages",),
    }


def test_a_virtual_environment_is_isolated_unless_it_says_otherwise():
    config = "home = /usr/bin\ninclude-system-site-packages = {}\nversion = 3.11.2\n"
    site = "/env/lib/python3.11/site-packages"
    files = simulators.debian() | {
        f"{site}/six.py": "",
        "/env/bin/python": Link("/usr/bin/python3.11"),
        "/root/.local/lib/python3.11/site-packages/": "",
    }

    def before(said):
        every = orders_of(tree(files | {"/env/pyvenv.cfg": config.format(said)}))
        return next(one.before for one in every if one.path == "/env/bin/python")

    assert before("false") == (site,)
    assert before("True") == (
        site,
        "/root/.local/lib/python3.11/site-packages",
        "/usr/local/lib/python3.11/dist-packages",
        "/usr/lib/python3/dist-packages",
    )


def test_finders_of_editable_installs_are_asked_last():
    files = simulators.conda("/env") | {
        "/env/lib/python3.11/site-packages/__editable___a_1_finder.py": "MAPPING = {'a': '/src/a/a'}",
        "/env/lib/python3.11/site-packages/b.pth": "/src/b\n",
        "/src/a/a/__init__.py": "",
        "/src/b/": "",
    }
    assert orders(files)["python"].before == (
        "/env/lib/python3.11/site-packages",
        "/src/b",
        "/src/a",
    )


def test_only_the_interpreter_that_was_named_counts():
    files = simulators.binary_5_1() | simulators.conda(CONDA) | simulators.debian()
    script = f"{CONDA}/etc/conda/activate.d/setenv.sh"
    files[script] = "source /isaac-sim/setup_conda_env.sh\n"
    assert len(orders(files)) == 3
    assert set(orders(files, start(f"{CONDA}/bin/python"))) == {"conda activate"}
    assert set(orders(files, start("/isaac-sim/kit/python/bin/python3"))) == {"python.sh"}
    assert set(orders(files, start("/isaac-sim/python.sh"))) == {"python.sh"}
    assert set(orders(files, start("/bin/python3"))) == {"python"}
    assert set(orders(files, start("/usr/bin/python3.11"))) == {"python"}
    assert orders(files, start("/opt/other/bin/python")) == {}


def test_an_interpreter_that_was_asked_knows_best():
    files = simulators.conda(CONDA) | simulators.installed(SITE) | {"/work/six.py": ""}
    fetched = (
        f"{SITE}/isaacsim/kit/data/Kit/Isaac-Sim/5.1/exts/3/omni.kit.pip_archive-0/pip_prebundle"
    )
    files |= simulators.numpy(fetched)
    path = ("/work", f"{CONDA}/lib/python311.zip", f"{CONDA}/lib/python3.11", SITE)
    begin = Start(executable=f"{CONDA}/bin/python3.11", path=path)
    order = orders(files, begin)["python"]
    assert order.before == ("/work", SITE)
    assert order.after == (fetched, "/work", SITE)


def test_what_has_no_python_has_no_order():
    assert orders_of(tree({})) == ()
    assert orders_of(tree({"/srv/chroot/usr/lib/python3/dist-packages/": ""})) == ()
    wheel = tree({"/numpy/__init__.py": "", "/numpy-1.26.0.dist-info/METADATA": ""})
    assert orders_of(wheel) == ()
