"""Workspaces that are locked already, and the channels and the index that they install from."""

from __future__ import annotations

import copy
import platform
import random
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conda.conftest import Serve, real, serve
from tests.support import conda_packages, conda_real
from tests.support.conda_server import Fault, Served
from tests.support.conda_workspace import CondaFolder
from tests.support.index import PackageIndex, serving

__all__ = ["Serve", "real", "serve"]  # fixtures of another folder

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
OTHER = {"amd64": "arm64", "arm64": "amd64"}[ARCHITECTURE]
VARIANT = f"linux-{ARCHITECTURE}-cpu"
SUBDIR = conda_real.subdir()

GREET = """
import os, sys


def main():
    print(sys.prefix, os.path.realpath(__file__))
"""


class Lab(CondaFolder):
    """A workspace with one profile, ``one``; environments go to ``places``."""

    def __init__(self, root: Path, **environment: str) -> None:
        super().__init__(root, **environment)
        self.places = root / "places"
        self.places.mkdir(exist_ok=True)
        self.prefix = self.places / "env"

    def write(
        self, *packages: str, python: str = "3.11", requirements: Iterable[str] = (), more: str = ""
    ) -> None:
        """Write the profile; ``more`` are whole keys."""
        path = self.conda_profile(
            "one", *packages, requirements=requirements, variants=(VARIANT,), python=python
        )
        path.write_text(path.read_text() + more)

    def lock(self) -> None:
        done = self.run("lock", "one")
        assert done.returncode == 0, done.stderr

    def install(self, *more: str, **environment: str) -> CompletedProcess[str]:
        return self.run("install", "one", str(self.prefix), *more, **environment)

    def made(self, *more: str, **environment: str) -> CompletedProcess[str]:
        """Install, which must go well and leave nothing beside."""
        done = self.install(*more, **environment)
        assert done.returncode == 0, done.stderr
        assert self.left() == ["env"]
        return done

    def refused(self, *words: str, status: int = 3, **environment: str) -> str:
        """Install, which must fail with these words and leave nothing; all that it says."""
        done = self.install(**environment)
        assert done.returncode == status, done.stderr
        assert self.left() == []
        for word in words:
            assert word in done.stderr
        return done.stderr

    def left(self) -> list[str]:
        """What lies where environments go."""
        return sorted(path.name for path in self.places.iterdir())

    def python(self, script: str) -> str:
        """What the Python of the environment prints."""
        done = self.call("bin/python", "-I", "-c", script)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def call(self, program: str, *argv: str) -> CompletedProcess[str]:
        """Run a program of the environment."""
        command, environment = [self.prefix / program, *argv], {"PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    def copy(self, root: Path) -> Lab:
        """Another workspace with the same profile, lock and settings."""
        made = Lab(root, **self.environment)
        made.environment |= {
            "HOME": str(root / "home"),
            "UV_CACHE_DIR": str(root / "cache"),
            "CONDARC": str(root / "condarc"),
            "RATTLER_CACHE_DIR": str(root / "rattler"),
        }
        for name in ("envs", "lockfiles"):
            shutil.copytree(self.root / name, root / name, dirs_exist_ok=True)
        for key, value in copy.deepcopy(self.settings).items():
            made.setting(key, value)
        return made


# --- A small channel: what is in it cannot run, but what is wrong with a package shows before -----


def stubs(folder: Path) -> Path:
    """The small channel without its pages."""
    for subdir in ("linux-64", "linux-aarch64"):
        conda_packages.stub(folder, "python", "3.11.7", subdir=subdir)
    conda_packages.stub(folder, "pip", "24.0", depends=["python >=3.8"])
    noise = random.Random(1).randbytes(100_000)
    conda_packages.stub(folder, "tool", "1.0", subdir=SUBDIR, files={"share/noise": noise})
    return folder


TOOL = f"{SUBDIR}/tool-1.0-0.conda"


@pytest.fixture(scope="session")
def _small(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    root = tmp_path_factory.mktemp("small")
    channel = conda_packages.index(stubs(root / "world"))
    lab = Lab(root / "ws")
    lab.write("tool")
    lab.mirror("world", channel.as_uri())
    lab.lock()
    return lab


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The small channel that the lock of ``small`` was made from, to be changed."""
    return conda_packages.index(stubs(tmp_path / "world"))


@pytest.fixture
def small(_small: Lab, tmp_path: Path, world: Path) -> Lab:
    """A workspace that is locked, and reads the small channel from its files."""
    lab = _small.copy(tmp_path / "ws")
    lab.mirror("world", world.as_uri())
    return lab


# --- The real channel: Python and numpy of this machine -------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What a workspace is made of: one that is locked, and a cache with every package in it."""

    lab: Lab
    cache: Path


def wheels() -> PackageIndex:
    """The index that the real workspaces are locked against."""
    return (
        PackageIndex()
        .add("alpha", "1.0", requires=("beta>=2",), command="greet", code=GREET)
        .add("beta", "2.0")
        .add("beta", "1.0")
        .add("delta", "1.1")
    )


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """The index, to be changed by a test."""
    with serving(wheels()) as served:
        yield served


@pytest.fixture(scope="session")
def _kit(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    root = tmp_path_factory.mktemp("kit")
    lab = Lab(root / "ws")
    lab.mirror("world", real.as_uri())
    python = conda_real.interpreter().minor
    lab.write(
        f"python={python}",
        python=python,
        requirements=["alpha"],
        more='env: {GREETING: "it\'s me"}\n'
        "smoke: [{name: usual, imports: [beta], before-launch: [alpha]}]\n",
    )
    with serving(wheels()) as served:
        lab.environment["UV_DEFAULT_INDEX"] = served.url
        lab.lock()
        lab.made()
    return Kit(lab=lab, cache=lab.root / "rattler")


@pytest.fixture
def fresh(_kit: Kit, tmp_path: Path, index: PackageIndex) -> Lab:
    """A workspace that is locked against the real channel, with empty caches."""
    lab = _kit.lab.copy(tmp_path / "ws")
    lab.environment["UV_DEFAULT_INDEX"] = index.url
    return lab


@pytest.fixture
def warm(_kit: Kit, fresh: Lab) -> Lab:
    """As ``fresh``; what a package unpacks to is cached already, in a cache that is not its own."""
    (fresh.root / "rattler").mkdir()
    (fresh.root / "rattler/pkgs").symlink_to(_kit.cache / "pkgs")
    return fresh


def behind(
    lab: Lab, channel: Path, serve: Serve, faults: Mapping[str, Fault] | None = None
) -> Served:
    """Let a workspace read a channel over HTTP."""
    served = serve(channel, faults)
    lab.mirror("world", served.url)
    return served
