"""Which folders of this machine are read for a prefix, an interpreter, or the current environment.

Nothing is run, and little is looked at: whether folders and files are there, where links lead,
``pyvenv.cfg``, and the scripts in conda's ``activate.d`` that name an Isaac Sim.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.scan.model import Start
from envbuild.scan.starting.pythons import VERSION, settings

VARIABLES = ("PYTHONPATH", "CONDA_PREFIX", "VIRTUAL_ENV", "HOME", "PYTHONNOUSERSITE")
"""The variables that say where Python looks for packages."""

"""The environment variables that tell where Python looks for packages."""

_NONE: Mapping[str, str] = MappingProxyType({})
_SOURCED = re.compile(r"(/[^\s'\"$;]+)/setup_(?:conda|python)_env\.sh")
_SYSTEM = ("/", "/usr", "/usr/local")
_PACKAGES = ("site-packages", "dist-packages")
_LONGEST = 64 * 1024
"""Bytes of a file that are read; pyvenv.cfg has a few hundred."""

_WINDOWS = "Windows environments are not examined"


class Places(Struct, frozen=True, kw_only=True):
    """What is read: ``roots`` are folders without links, none within another. ``label`` is what
    messages call the whole, ``start`` how Python is started there."""

    label: str
    roots: tuple[str, ...]
    start: Start


def of_prefix(path: str, environ: Mapping[str, str] = _NONE) -> Places:
    """A folder: of an Isaac Sim, a conda environment, a virtual environment, or any other.

    With it goes what its Python reads elsewhere: the base of a virtual environment that takes over
    its packages, the user's packages and PYTHONPATH as ``environ`` has them, an Isaac Sim that
    Isaac Lab (``_isaac_sim``) or the activation of a conda environment leads to, and what Kit
    keeps in the user's home.

    Raises:
        InputError: it is not there, not a folder, cannot be entered, or a Windows environment.
    """
    root = _folder(path)
    variables = dict(_variables(environ))
    if os.path.isdir(os.path.join(root, "conda-meta")):
        variables["CONDA_PREFIX"] = root
        variables.pop("VIRTUAL_ENV", None)
    elif os.path.isfile(os.path.join(root, "pyvenv.cfg")):
        variables["VIRTUAL_ENV"] = root
        variables.pop("CONDA_PREFIX", None)
    start = Start(variables=tuple(sorted(variables.items())))
    return Places(label=path, roots=_roots([root], root, environ), start=start)


def of_interpreter(executable: str, environ: Mapping[str, str] = _NONE) -> Places:
    """What an interpreter sees, by its path, or by its name on the PATH of ``environ``.

    Of a virtual environment it is the environment; of the system's Python its folders of packages
    alone, and not all of ``/usr``. An Isaac Sim's ``python.sh`` stands for its folder.

    Raises:
        InputError: it is not there, no interpreter, or one of Windows.
    """
    found = executable if os.sep in executable else _on_path(executable, environ)
    path = os.path.join(_real(os.path.dirname(os.path.abspath(found))), os.path.basename(found))
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else "is not there"
        raise InputError(
            f"{executable} {what}",
            hint="name an interpreter, as …/bin/python, or a folder without --python",
        )
    if path.endswith(".exe"):
        raise InputError(f"{executable} is Python for Windows: {_WINDOWS}")
    if os.path.basename(path) == "python.sh":
        whole = of_prefix(os.path.dirname(path), environ)
        return Places(label=executable, roots=whole.roots, start=_start(path, environ))
    prefix = _environment(path)
    if not prefix:
        path = _real(path)
        prefix = os.path.dirname(os.path.dirname(path))
    version = _version(path)
    own = [*_sites(prefix, version)]
    if not own:
        raise InputError(
            f"{executable} is no interpreter of an environment: "
            f"there is no lib/python3.*/site-packages in {prefix}",
            hint="a script that starts another one? That says which it is: "
            f"{executable} -c 'import sys; print(sys.executable)'",
        )
    if prefix not in _SYSTEM:
        own = [prefix.removesuffix("/kit/python")]
    roots = _roots(own, prefix, environ, version=version)
    return Places(label=executable, roots=roots, start=_start(path, environ))


def current(environ: Mapping[str, str]) -> Places:
    """The environment that is active: VIRTUAL_ENV, CONDA_PREFIX, or the first Python of PATH.

    Raises:
        InputError: there is none, or it is not what it is said to be.
    """
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = environ.get(name, "")
        if prefix:
            programs = (os.path.join(prefix, "bin", one) for one in ("python", "python3"))
            program = next((one for one in programs if os.path.isfile(one)), "")
            if program:
                return of_interpreter(program, environ)
            return of_prefix(prefix, environ)
    return of_interpreter("python3", environ)


# What is there ------------------------------------------------------------------


def _folder(path: str) -> str:
    """A folder without links."""
    if not path:
        raise InputError("no folder was named")
    real = _real(path)
    signs = ("python.exe", "Scripts/python.exe", "Lib/site-packages")
    if any(os.path.exists(os.path.join(real, one)) for one in signs):
        raise InputError(f"{path} is an environment for Windows: {_WINDOWS}")
    if os.path.isdir(real):
        return real
    if os.path.lexists(real):
        raise InputError(
            f"{path} is not a folder", hint="name the folder of an environment, or --python FILE"
        )
    raise InputError(f"{path} is not there")


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path!r} cannot be found: {error}") from None


def _on_path(name: str, environ: Mapping[str, str]) -> str:
    found = shutil.which(name, path=environ.get("PATH", os.defpath))
    if found:
        return found
    raise InputError(
        f"there is no {name} on the PATH", hint="name a folder, or an interpreter with --python"
    )


def _environment(path: str) -> str:
    """The virtual environment that an interpreter lies in; empty: in none."""
    folder = os.path.dirname(path)
    places = (os.path.dirname(folder), folder)
    return next((one for one in places if os.path.isfile(os.path.join(one, "pyvenv.cfg"))), "")


def _version(executable: str) -> str:
    found = VERSION.search(executable) or VERSION.search(os.path.realpath(executable))
    return found[1] if found else ""


def _start(path: str, environ: Mapping[str, str]) -> Start:
    return Start(executable=path, variables=tuple(sorted(_variables(environ))))


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, environ[name]) for name in VARIABLES if environ.get(name))


# Roots --------------------------------------------------------------------------


def _roots(
    own: Iterable[str], prefix: str, environ: Mapping[str, str], *, version: str = ""
) -> tuple[str, ...]:
    """What is read for a prefix; what is not there is left out, and what lies in another."""
    home = environ.get("HOME", "")
    near = [*own, *_bases(prefix), *_sourced(prefix), os.path.join(prefix, "_isaac_sim")]
    near += _listed(prefix, environ)
    if home and _shares(prefix):
        versions = {version} if version else {*_versions(prefix)}
        near += [f"{home}/.local/lib/python{one}/site-packages" for one in sorted(versions)]
    there = [_real(one) for one in near if os.path.isdir(one)]
    if home and any(map(_is_sim, there)):
        there += [_real(one) for one in [f"{home}/.local/share/ov/data"] if os.path.isdir(one)]
    every = dict.fromkeys(there)
    return tuple(
        one for one in every if not any(_within(one, other) for other in every if other != one)
    )


def _listed(prefix: str, environ: Mapping[str, str]) -> Iterator[str]:
    """The folders of PYTHONPATH, and the Isaac Sim that some of them lie in. A folder that holds
    the prefix or the user's home is left out: all of it would be read."""
    entries = [_real(one) for one in environ.get("PYTHONPATH", "").split(":") if os.path.isabs(one)]
    sim = _real(environ["ISAAC_PATH"]) if environ.get("ISAAC_PATH") else ""
    if sim and any(_within(one, sim) for one in entries):
        yield sim
    held = [one for one in (prefix, sim, environ.get("HOME", "")) if one]
    for one in entries:
        if not any(one == other or _within(other, one) for other in held):
            yield one


def _within(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")


def _sites(prefix: str, version: str) -> Iterator[str]:
    """The folders of packages that a prefix's Python has."""
    named = f"python{version}" if version else "python3.*"
    top = "/usr" if prefix == "/" else prefix
    inside = glob.escape(top)
    patterns = [f"{inside}/lib/{named}/{one}" for one in _PACKAGES]
    patterns.append(f"{inside}/lib64/{named}/site-packages")
    if top == "/usr":
        patterns += ["/usr/lib/python3/dist-packages", f"/usr/local/lib/{named}/dist-packages"]
    found = (path for one in patterns for path in sorted(glob.glob(one)))
    yield from (path for path in found if os.path.isdir(path))


def _versions(prefix: str) -> Iterator[str]:
    tops = (prefix, os.path.join(prefix, "kit/python"))
    for path in (one for top in tops for one in glob.glob(f"{glob.escape(top)}/lib/python3.*")):
        if found := VERSION.search(path):
            yield found[1]


def _settings(prefix: str) -> dict[str, str]:
    """What pyvenv.cfg says; nothing where there is none, or it cannot be read."""
    path = os.path.join(prefix, "pyvenv.cfg")
    return settings(_text(path))


def _shares(prefix: str) -> bool:
    said = _settings(prefix)
    return not said or said.get("include-system-site-packages", "").lower() == "true"


def _bases(prefix: str) -> Iterator[str]:
    """The packages that a virtual environment takes over from its base."""
    said = _settings(prefix)
    if said and _shares(prefix) and os.path.isabs(said.get("home", "")):
        base = os.path.dirname(_real(said["home"]))
        for version in sorted({*_versions(prefix)}):
            yield from _sites(base, version)


def _sourced(prefix: str) -> Iterator[str]:
    """The Isaac Sim that the activation of a conda environment puts on the path."""
    for path in sorted(glob.glob(f"{glob.escape(prefix)}/etc/conda/activate.d/*.sh")):
        yield from _SOURCED.findall(_text(path))


def _text(path: str) -> str:
    """The beginning of a small file; nothing where it cannot be read."""
    try:
        if not os.path.isfile(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST)
    except OSError:
        return ""


def _is_sim(path: str) -> bool:
    """Whether a root holds an Isaac Sim: it is its folder, or pip put one there."""
    inside = glob.escape(path)
    patterns = (f"{inside}/kit", f"{inside}/isaacsim", f"{inside}/lib/python3.*/*/isaacsim")
    return any(glob.glob(one) for one in patterns)
