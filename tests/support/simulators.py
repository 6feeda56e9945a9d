"""Layouts of Isaac Sim and what stands beside it, as files of a tree: names without contents."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from tests.support.scanned import Link

Files = dict[str, bytes | str | Link | int]

REPLICA = os.path.join(os.path.dirname(__file__), os.pardir, "replica", "isaac_sim", "tree")

PYTHON_SH = """\
#!/bin/bash
set -e

error_exit()
{
    echo "There was an error running python"
    exit 1
}

SCRIPT_DIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"
# the generated file
export CARB_APP_PATH=$SCRIPT_DIR/kit
export ISAAC_PATH=$SCRIPT_DIR
source ${SCRIPT_DIR}/setup_python_env.sh

python_exe=${PYTHONEXE:-"${SCRIPT_DIR}/kit/python/bin/python3"}

if ! [[ -z "${CONDA_PREFIX}" ]]; then
  echo "Warning: running in conda env, please deactivate before executing this script"
fi
export LD_PRELOAD=$SCRIPT_DIR/kit/libcarb.so
$python_exe "$@" $args || error_exit
"""
"""The shape of the vendor's launcher: a function with an exit, a default, a test of a variable."""

CONDA_SH = """\
#!/bin/bash
SCRIPT_DIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"
if [ -n "$ZSH_VERSION" ]; then
    SCRIPT_DIR="$( cd "$( dirname "$0" )" && pwd )"
    export BASH_SOURCE=$SCRIPT_DIR/setup_python_env.sh
fi
MY_DIR="$(realpath -s "$SCRIPT_DIR")"
export ISAAC_PATH=$MY_DIR
. ${MY_DIR}/setup_python_env.sh

# conda has its own Python
export PYTHONPATH=$(echo "$PYTHONPATH" | tr ':' '\\n' | grep -v "$SCRIPT_DIR/kit/python" | tr '\\n' ':' | sed 's/:$//')
"""

ARCHIVE_5_1 = "extscache/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle"

ORDER_5_1 = (
    "kit/python/lib/python3.11",
    "kit/python/lib/python3.11/site-packages",
    "python_packages",
    "exts/isaacsim.simulation_app",
    "kit/kernel/py",
    ARCHIVE_5_1,
    "exts/omni.isaac.core_archive/pip_prebundle",
    "exts/omni.isaac.ml_archive/pip_prebundle",
)


def numpy(site: str, version: str = "1.26.0") -> Files:
    """A copy of NumPy in a site."""
    return {
        f"{site}/numpy/__init__.py": "",
        f"{site}/numpy/version.py": f'version = "{version}"\n',
        f"{site}/numpy-{version}.dist-info/METADATA": f"Name: numpy\nVersion: {version}\n",
    }


def setup_python_env(folders: Iterable[str]) -> str:
    """The generated file, in the vendor's form: one line."""
    joined = ":".join(f"$SCRIPT_DIR/{one}" for one in folders)
    return (
        "#!/bin/bash\n"
        'SCRIPT_DIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"\n'
        "export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$SCRIPT_DIR/../../../$LD_LIBRARY_PATH:$SCRIPT_DIR/.\n"
        f"export PYTHONPATH=$PYTHONPATH:$SCRIPT_DIR/../../../$PYTHONPATH:{joined}\n"
    )


def binary(
    root: str,
    *,
    version: str = "5.1.0-rc.19+release.26219.9c81211b.gl",
    python: str = "3.11",
    order: Iterable[str] = ORDER_5_1,
    bundles: Mapping[str, str] | None = None,
) -> Files:
    """An Isaac Sim folder. ``bundles`` are folders of packages with the version of their NumPy."""
    order = tuple(order)
    site = f"{root}/kit/python/lib/python{python}/site-packages"
    files: Files = {
        f"{root}/VERSION": version,
        f"{root}/python.sh": PYTHON_SH,
        f"{root}/setup_python_env.sh": setup_python_env(order),
        f"{root}/setup_conda_env.sh": CONDA_SH,
        f"{root}/kit/python/bin/python3": Link(f"python{python}"),
        f"{root}/kit/python/bin/python{python}": 8000,
        f"{root}/kit/python/lib/python{python}/os.py": 1000,
        f"{site}/pip-24.0.dist-info/METADATA": "Name: pip\nVersion: 24.0\n",
    }
    for one in order:
        if not one.endswith("pip_prebundle") and "/lib/python" not in one:
            files[f"{root}/{one}/"] = ""
    for folder, number in (bundles or {}).items():
        files |= numpy(f"{root}/{folder}", number) if number else {f"{root}/{folder}/six.py": 9}
    return files


def binary_5_1(root: str = "/isaac-sim") -> Files:
    """Isaac Sim 5.1 as its container has it."""
    bundles = {
        ARCHIVE_5_1: "1.26.0",
        "exts/omni.isaac.core_archive/pip_prebundle": "",
        "exts/omni.isaac.ml_archive/pip_prebundle": "",
    }
    return binary(root, bundles=bundles)


def conda(prefix: str, python: str = "3.11") -> Files:
    """A conda environment with a Python."""
    return {
        f"{prefix}/conda-meta/history": "",
        f"{prefix}/bin/python": Link(f"python{python}"),
        f"{prefix}/bin/python{python}": 8000,
        f"{prefix}/lib/python{python}/os.py": 1000,
        f"{prefix}/lib/python{python}/site-packages/": "",
    }


def installed(site: str, version: str = "5.1.0.0") -> Files:
    """Isaac Sim as pip installs it, without an archive of its own."""
    return {
        f"{site}/isaacsim-{version}.dist-info/METADATA": f"Name: isaacsim\nVersion: {version}\n",
        f"{site}/isaacsim_kernel-{version}.dist-info/METADATA": (
            f"Name: isaacsim-kernel\nVersion: {version}\nRequires-Dist: numpy==1.26.0\n"
        ),
        f"{site}/isaacsim/__init__.py": "",
        f"{site}/isaacsim/kit/kernel/py/carb/__init__.py": "",
        f"{site}/isaacsim/exts/isaacsim.simulation_app/config/extension.toml": "",
    }


def debian() -> Files:
    """Debian 12's own Python."""
    return {
        "/etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
        "/bin": Link("usr/bin"),
        "/lib": Link("usr/lib"),
        "/usr/bin/python3": Link("python3.11"),
        "/usr/bin/python3.11": 6_000_000,
        "/usr/lib/python3.11/os.py": 1000,
        "/usr/lib/python3/dist-packages/": "",
        "/usr/local/lib/python3.11/dist-packages/": "",
    }


def replica(root: str = "/isaac-sim") -> Files:
    """The replica's own files, and what its Dockerfile installs into them."""
    files: Files = {}
    for folder, _, names in os.walk(REPLICA):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                files[f"{root}/{os.path.relpath(path, REPLICA)}"] = file.read()
    site = f"{root}/kit/python/lib/python3.11/site-packages"
    archive = f"{root}/extscache/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle"
    return {
        **files,
        f"{root}/kit/python/pyvenv.cfg": "home = /usr/bin\ninclude-system-site-packages = false\n",
        f"{root}/kit/python/bin/python3": Link("/usr/bin/python3"),
        f"{site}/pip-23.0.1.dist-info/METADATA": "Name: pip\nVersion: 23.0.1\n",
        **numpy(archive),
        f"{root}/exts/omni.isaac.core_archive/pip_prebundle/packaging/__init__.py": "",
        f"{root}/exts/omni.pip.compute/pip_prebundle/scipy/__init__.py": "",
    }
