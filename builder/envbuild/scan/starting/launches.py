"""The ways in which Python is started in a tree, and the PYTHONPATH that each of them sets."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from envbuild.scan.landmarks import Landmarks
from envbuild.scan.model import Product, Start
from envbuild.scan.starting.pythons import VERSION, Python
from envbuild.scan.starting.shellpaths import Reading, expanded, pythonpath
from envbuild.scan.tree import Tree

_KNOWN = (
    "kit/python/lib/python3.*/site-packages",
    "python_packages",
    "exts/isaacsim.simulation_app",
    "extsDeprecated/omni.isaac.kit",
    "exts/omni.isaac.kit",
    "kit/kernel/py",
    "kit/plugins/bindings-python",
    "exts/isaacsim.replicator.episode_recorder/pip_prebundle",
    "exts/isaacsim.replicator.teleop/pip_prebundle",
    "ext*/*lula/pip_prebundle",
    "exts/isaacsim.robot_motion.cumotion/pip_prebundle",
    "exts/isaacsim.robot_motion.pink/pip_prebundle",
    "exts/*exporter.urdf/pip_prebundle",
    "extscache/omni.kit.pip_archive*/pip_prebundle",
    "kit/extscore/omni.kit.pip_archive*/pip_prebundle",
    "kit/exts/omni.kit.pip_archive*/pip_prebundle",
    "exts/omni.isaac.core_archive/pip_prebundle",
    "exts/omni.isaac.ml_archive/pip_prebundle",
    "exts/omni.pip.compute/pip_prebundle",
    "exts/omni.pip.cloud/pip_prebundle",
)
"""The order of Isaac Sim 4.5 to 6.0 (isaac-sim/IsaacSim v5.0.0, v5.1.0 and v6.0.1, repo.toml), for
where the launcher's own file was not read; what a release lacks is not there."""

_TAG = re.compile(r"\.cp3(\d+)(?:\.|$)")
_LAB = re.compile(r"(?:isaaclab|omni[._]isaac[._]lab)[\w.]*-", re.IGNORECASE)


class Launch(Struct, frozen=True, kw_only=True):
    """One way of starting a Python.

    ``folders`` are what PYTHONPATH holds then, of folders and of what is none; ``read`` says
    whether that was read from the launcher's own files. ``python`` is its interpreter (None: it
    is not in the tree), ``version`` that one's. ``asked`` is its whole sys.path, where the
    interpreter itself was asked for it.
    """

    launcher: str
    path: str
    python: Python | None
    version: str
    folders: tuple[str, ...]
    read: bool = True
    asked: tuple[str, ...] = ()


class _Given(Struct, frozen=True, kw_only=True):
    """What is known before: the tree, its Pythons and products, and the variables that hold."""

    tree: Tree
    marks: Landmarks
    pythons: Sequence[Python]
    sims: Sequence[Product]
    variables: Mapping[str, str]


def find(
    tree: Tree,
    marks: Landmarks,
    pythons: Sequence[Python],
    *,
    products: Sequence[Product],
    start: Start,
) -> tuple[Launch, ...]:
    """Every launcher of a tree: ``python.sh`` of each Isaac Sim, environments that are activated
    with one, ``isaaclab.sh`` of each Isaac Lab, and the plain ``python`` of what is left; of an
    interpreter that was named only those that start it."""
    sims = [one for one in products if one.kind == "isaac-sim"]
    variables = {key: value for key, value in start.variables if value}
    given = _Given(tree=tree, marks=marks, pythons=pythons, sims=sims, variables=variables)
    wrapped = [one for sim in sims if sim.way == "binary" for one in _wrapped(given, sim)]
    active = [one for python in pythons for one in _activated(given, python, wrapped)]
    started = {one.python for one in (*wrapped, *active)}
    plain = [_plain(given, one) for one in pythons if one not in started]
    labs = [one for one in products if one.kind == "isaac-lab"]
    through = [one for lab in labs for one in _lab(given, lab, (*wrapped, *active, *plain))]
    return _named(tree, (*wrapped, *active, *through, *plain), start)


# Isaac Sim's own -------------------------------------------------------------


def _wrapped(given: _Given, sim: Product) -> Iterator[Launch]:
    """``python.sh`` of an Isaac Sim."""
    scripts = (posixpath.join(sim.path, one) for one in ("python.sh", "setup_python_env.sh"))
    script = next((one for one in scripts if given.tree.entry(one)), "")
    if not script:
        return
    reading = _read(given, script, dict.fromkeys(("here", "SCRIPT_DIR"), sim.path))
    if not _reached(given, reading.folders):
        known = (expanded(given.tree, posixpath.join(sim.path, one)) for one in _KNOWN)
        folders = (*_listed(given), *(path for paths in known for path in paths))
        reading = Reading(folders, sure=False)
    python = next((one for one in given.pythons if one.prefix == f"{sim.path}/kit/python"), None)
    yield Launch(
        launcher="python.sh",
        path=posixpath.join(sim.path, "python.sh"),
        python=python,
        version=python.version if python else _said(reading.folders),
        folders=reading.folders,
        read=reading.sure,
    )


def _said(folders: Sequence[str]) -> str:
    """The version of Python that folders belong to."""
    by_path = (found[1] for found in map(VERSION.search, folders) if found)
    by_tag = (found for found in map(tagged, folders) if found)
    return next(by_path, "") or next(by_tag, "")


def tagged(path: str) -> str:
    """The version of Python in the name of a bundle's extension (``….cp311``), or empty."""
    found = _TAG.search(path.removesuffix("/pip_prebundle"))
    return f"3.{found[1]}" if found else ""


def _read(given: _Given, script: str, variables: Mapping[str, str]) -> Reading:
    """PYTHONPATH after a script, without links, and without the folder above Isaac Sim: its script
    joins a path to what PYTHONPATH was, which is empty as a rule."""
    reading = pythonpath(given.tree, script, {**given.variables, **variables})
    places = [given.tree.place(one) for one in reading.folders]
    paths = dict.fromkeys(one.path for one in places if one.state == "here")
    kept = (one for one in paths if not any(_within(sim.path, one) for sim in given.sims))
    return Reading(tuple(dict.fromkeys((*_listed(given), *kept))), sure=reading.sure)


def _listed(given: _Given) -> tuple[str, ...]:
    """What PYTHONPATH holds before anything is started."""
    entries = given.variables.get("PYTHONPATH", "").split(":")
    return tuple(given.tree.place(one).path for one in entries if one.startswith("/"))


def _reached(given: _Given, folders: Sequence[str]) -> bool:
    return any(_within(one, sim.path) for one in folders for sim in given.sims)


def _within(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")


# Environments ------------------------------------------------------------------


def _activated(given: _Given, python: Python, wrapped: Sequence[Launch]) -> Iterator[Launch]:
    """An environment whose activation puts an Isaac Sim on the path."""
    scripts = _activation(given.tree, python)
    reading = Reading(_listed(given), sure=True)
    for script in scripts:
        variables = dict.fromkeys(("CONDA_PREFIX", "VIRTUAL_ENV"), python.prefix)
        variables["PYTHONPATH"] = ":".join(reading.folders)
        after = _read(given, script, variables)
        reading = Reading(after.folders, sure=reading.sure and after.sure)
    if not _reached(given, reading.folders):
        reading = _by_hand(given, python, wrapped)
    if reading.folders:
        conda = python.way == "conda"
        yield Launch(
            launcher="conda activate" if conda else "activate",
            path=python.prefix if conda else posixpath.join(python.prefix, "bin/activate"),
            python=python,
            version=python.version,
            folders=reading.folders,
            read=reading.sure,
        )


def _activation(tree: Tree, python: Python) -> list[str]:
    """The scripts that are sourced when an environment is activated."""
    if python.way == "venv":
        return [posixpath.join(python.prefix, "bin/activate")]
    folder = posixpath.join(python.prefix, "etc/conda/activate.d")
    names = tree.names(tree.place(folder).path) if python.way == "conda" else ()
    return [posixpath.join(folder, name) for name in names if name.endswith(".sh")]


def _by_hand(given: _Given, python: Python, wrapped: Sequence[Launch]) -> Reading:
    """The path of an environment that holds Isaac Lab and no Isaac Sim, beside an Isaac Sim of the
    same Python: it works with that one's ``setup_conda_env.sh`` alone."""
    names = [name for site in python.own for name in given.tree.names(site)]
    own = {posixpath.dirname(sim.path) for sim in given.sims} & {*python.own}
    if python.way in ("conda", "venv") and not own and any(map(_LAB.match, names)):
        for launch in wrapped:
            script = posixpath.join(posixpath.dirname(launch.path), "setup_conda_env.sh")
            if launch.version == python.version and given.tree.is_file(script):
                return Reading(_read(given, script, {}).folders, sure=False)
    return Reading((), sure=True)


def _plain(given: _Given, python: Python) -> Launch:
    return Launch(
        launcher="python",
        path=python.executable or python.prefix,
        python=python,
        version=python.version,
        folders=_listed(given),
    )


def _lab(given: _Given, lab: Product, launches: Sequence[Launch]) -> Iterator[Launch]:
    """``isaaclab.sh``: it takes the environment that is active, then Isaac Sim's ``python.sh``,
    then the Python that an Isaac Sim was installed in (isaac-sim/IsaacLab, isaaclab.sh)."""
    tree, variables = given.tree, given.variables
    script = posixpath.join(lab.path, "isaaclab.sh")
    if not tree.is_file(script):
        return
    linked = tree.place(posixpath.join(lab.path, "_isaac_sim")).path
    active = (variables.get(name, "") for name in ("CONDA_PREFIX", "VIRTUAL_ENV"))
    prefixes = [tree.place(one).path for one in active if one]
    installed = {posixpath.dirname(sim.path) for sim in given.sims if sim.way == "pip"}
    for one in launches:
        python = one.python
        if (
            (python is not None and prefixes and python.prefix == prefixes[0])
            or (not prefixes and one.path == posixpath.join(linked, "python.sh"))
            or (not prefixes and python is not None and installed & {*python.own})
        ):
            yield msgspec.structs.replace(one, launcher="isaaclab.sh", path=script)
            return


# An interpreter that was named ---------------------------------------------------


def _named(tree: Tree, launches: Sequence[Launch], start: Start) -> tuple[Launch, ...]:
    """The ways that start an interpreter which was named; all of them where none was."""
    if not start.executable:
        return tuple(launches)
    folder, name = posixpath.split(start.executable)
    path = posixpath.join(tree.place(folder).path, name)
    prefix, said = posixpath.dirname(posixpath.dirname(path)), VERSION.search(name)
    version = said[1] if said else ""
    fitting = tuple(one for one in launches if one.path == path or _starts(one, prefix, version))
    if not start.path:
        return fitting
    like = fitting[0] if fitting else None
    return (
        Launch(
            launcher=like.launcher if like and like.path == path else "python",
            path=path,
            python=like.python if like else None,
            version=like.version if like else version or _said(start.path),
            folders=(),
            asked=start.path,
        ),
    )


def _starts(launch: Launch, prefix: str, version: str) -> bool:
    python = launch.python
    return python is not None and python.prefix == prefix and version in ("", python.version)
