"""Environments on disk made of real wheels, as those of the reports that doctor is made for.

The wheels come through the user's own index and stay in the tests' cache, unpacked once; a tree
is made of hard links to those files. What is no real wheel is said to be none: the wheels of Isaac
Sim before 6.0.0.1 are not on the public index, so of them there is only metadata of the tests' own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from tests.support import environments
from tests.support.engine import CACHE
from tests.support.replica import PYTHON, digest, fetched

ARCHIVE = "omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle"
_SCRIPTS = (".data/scripts/", ".data/headers/")


def unpacked(pin: str, python: str = PYTHON) -> Path:
    """A folder of the cache with the files of a wheel as they lie in a site."""
    folder = CACHE / f"unpacked-{digest(pin.encode(), python.encode())}"
    if not folder.is_dir():
        (wheel,) = fetched(pin, python=python)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="unpacking-") as scratch:
            into = Path(scratch) / "site"
            unpack(wheel, into)
            try:
                into.rename(folder)
            except OSError:  # another process was first
                assert folder.is_dir()
    return folder


def unpack(wheel: Path, into: Path) -> None:
    """Lay a wheel out as an installer does, but for its scripts and headers."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            name = member.filename
            if member.is_dir() or any(part in name for part in _SCRIPTS):
                continue
            for scheme in (".data/purelib/", ".data/platlib/"):
                name = name.rpartition(scheme)[2]
            place = into / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, place.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    for info in into.glob("*.dist-info"):
        (info / "INSTALLER").write_text("pip\n")


def put(site: Path, *pins: str, python: str = PYTHON) -> None:
    """Install wheels into a site. What is there already is replaced, as by a copy over it."""
    for pin in pins:
        overlay(unpacked(pin, python), site)


def overlay(source: Path, target: Path) -> None:
    """Link every file of a folder into another one, over what has its name there."""
    for folder, _, names in os.walk(source):
        into = target / Path(folder).relative_to(source)
        into.mkdir(parents=True, exist_ok=True)
        for name in names:
            place = into / name
            place.unlink(missing_ok=True)
            _link(Path(folder, name), place)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def own(site: Path, name: str, version: str, *requires: str, **files: str) -> None:
    """Metadata of the tests' own in a site, with files by path (``__`` is a slash)."""
    paths = {path.replace("__", "/") + ".py": text for path, text in files.items()}
    made = environments.installed(".", name, version, paths, requires=requires)
    environments.write(made, site)


def conda_prefix(root: Path, python: str = PYTHON) -> Path:
    """A conda prefix with a Python and no package; its site-packages."""
    site = root / f"lib/python{python}/site-packages"
    site.mkdir(parents=True)
    (root / "conda-meta").mkdir()
    (root / "conda-meta/history").touch()
    (root / "bin").mkdir()
    (root / f"bin/python{python}").write_text("#!/bin/sh\n")
    (root / "bin/python").symlink_to(f"python{python}")
    return site


def isaac_sim_pip(site: Path, release: str = "5.1.0", *, archive: str = "1.26.0") -> Path:
    """The metadata of Isaac Sim as pip installs it, and what Kit fetches when it first runs: its
    archive of packages (with no ``archive`` it has not run yet). The folder of the archive."""
    wheels = f"{release}.0"
    kernel = f"isaacsim-kernel=={wheels}"
    own(
        site,
        "isaacsim",
        wheels,
        kernel,
        f"isaacsim-core=={wheels}",
        isaacsim____init__="# isaacsim\n",
    )
    own(site, "isaacsim-kernel", wheels, "numpy==1.26.0", isaacsim__kit__kit_app="# kit\n")
    own(site, "isaacsim-core", wheels, kernel, "scipy==1.15.3", isaacsim__exts__core="# core\n")
    folder = site / f"isaacsim/kit/data/Kit/Isaac-Sim/{release[:3]}/exts/3" / ARCHIVE
    if archive:
        folder.mkdir(parents=True)
        put(folder, f"numpy=={archive}")
    return folder


_SETUP = """\
#!/bin/bash
SCRIPT_DIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$SCRIPT_DIR/kit
"""


def isaac_sim_folder(root: Path, version: str, python: str, *bundles: str) -> Path:
    """An Isaac Sim as it lies in its image: ``python.sh`` and the file that sets PYTHONPATH, in the
    form of the real one, with the interpreter's own folder before the bundles. Its site."""
    site = root / f"kit/python/lib/python{python}/site-packages"
    site.mkdir(parents=True)
    (root / "VERSION").write_text(f"{version}\n")
    (root / "kit/python/bin").mkdir()
    (root / "kit/python/bin/python3").write_text("#!/bin/sh\n")
    folders = (f"kit/python/lib/python{python}", f"kit/python/lib/python{python}/site-packages")
    lines = [f"export PYTHONPATH=$PYTHONPATH:$SCRIPT_DIR/{one}" for one in (*folders, *bundles)]
    (root / "setup_python_env.sh").write_text(_SETUP + "\n".join(lines) + "\n")
    (root / "python.sh").write_text(
        '#!/bin/bash\nSCRIPT_DIR=$(dirname "$0")\nsource ${SCRIPT_DIR}/setup_python_env.sh\n'
        '$SCRIPT_DIR/kit/python/bin/python3 "$@"\n'
    )
    for one in bundles:
        (root / one).mkdir(parents=True, exist_ok=True)
    return site


# --- The environments of the reports -------------------------------------------------------------


def seed_000(root: Path) -> None:
    """Isaac Sim 5.1.0 by pip in a conda environment whose NumPy is 2.2.6, after its first run."""
    site = conda_prefix(root)
    put(site, "numpy==2.2.6", "scipy==1.15.3")
    isaac_sim_pip(site)


def seed_002(root: Path) -> None:
    """The image of Isaac Sim 2023.1.1, in which ``pip install numpy`` put 2.2.6 before the
    archive's 1.25.2."""
    bundle = "kit/exts/omni.kit.pip_archive/pip_prebundle"
    site = isaac_sim_folder(root, "2023.1.1-rc.8+2023.1.688.573e0291.tc", "3.10", bundle)
    put(site, "numpy==2.2.6", python="3.10")
    put(root / bundle, "numpy==1.25.2", python="3.10")


def unitree(root: Path) -> None:
    """Isaac Sim 5.0.0 by pip, before its first run; opencv-python then took NumPy along to 2.2.6
    (unitree_sim_isaaclab#82)."""
    site = conda_prefix(root)
    put(site, "numpy==2.2.6", "scipy==1.15.3", "opencv-python==4.12.0.88")
    isaac_sim_pip(site, "5.0.0", archive="")


def healthy(root: Path) -> None:
    """Isaac Sim 5.1.0 by pip with the NumPy that it asks for, after its first run."""
    site = conda_prefix(root)
    put(site, "numpy==1.26.0", "scipy==1.15.3", "opencv-python==4.11.0.86")
    isaac_sim_pip(site)


def pair(root: Path, site_numpy: str, bundle_numpy: str) -> None:
    """An image of Isaac Sim 5.1.0 with one NumPy in its site, another one in the archive, and a
    SciPy in the bundle that was built for NumPy 1."""
    archive = f"extscache/{ARCHIVE}"
    core = "exts/omni.isaac.core_archive/pip_prebundle"
    site = isaac_sim_folder(root, "5.1.0-rc.19+release", PYTHON, archive, core)
    put(site, f"numpy=={site_numpy}")
    put(root / archive, f"numpy=={bundle_numpy}")
    put(root / core, "scipy==1.11.4")


# --- Files of two versions -----------------------------------------------------------------------


def numpy_over(site: Path, below: str, above: str, *parts: str) -> None:
    """NumPy ``below``, and over it another one: all of its files, or these ``parts`` of the
    package alone (a part that is a folder is replaced whole)."""
    put(site, f"numpy=={below}")
    source = unpacked(f"numpy=={above}")
    if not parts:
        overlay(source, site)
    for part in parts:
        there, new = site / "numpy" / part, source / "numpy" / part
        if new.is_dir():
            shutil.rmtree(there, ignore_errors=True)
            overlay(new, there)
        else:
            there.unlink(missing_ok=True)
            _link(new, there)


def remove(site: Path, *names: str) -> None:
    """Take folders of a site away."""
    for name in names:
        shutil.rmtree(site / name)
