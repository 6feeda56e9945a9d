"""The light workspace: small forms of the shipped profiles, which can be built without GPU and CUDA.

Their images are in a registry on loopback under the vendors' names, their git sources are
repositories made here, their conda channel is the tests' own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support import conda_real, micromamba, replica
from tests.support.engine import CACHE, Engine
from tests.support.registry import Registry
from tests.support.workspace import ENVBUILD

HERE = Path(__file__).parent / "workspace"
PROFILES = ("groot-inference-light", "isaac-g1-light", "isaaclab-light")
SHIPPED = Path(__file__).parents[2] / "envs"

BASES = {
    "nvcr.io/nvidia/isaac-sim:5.0.0": "layout",
    "docker.io/library/ubuntu:24.04": "base",
    "nvcr.io/nvidia/cuda:12.6.3-base-ubuntu22.04": "base",
    "nvcr.io/nvidia/cuda:12.6.3-devel-ubuntu22.04": "base",
}
"""What stands for each vendor's image: a tier of the replica, or Debian 12 with Python."""

_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "t"), ("EMAIL", "t@example.org"), ("DATE", "2025-01-01T00:00:00Z"))
}


@dataclass(frozen=True)
class Workspace:
    """A workspace folder with its engine and registry."""

    root: Path
    engine: Engine
    registry: Registry
    environment: Mapping[str, str]

    def run(self, *argv: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """Run envbuild in it."""
        return subprocess.run(
            [ENVBUILD, *argv],
            cwd=self.root,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def build(self, *profiles: str, options: tuple[str, ...] = ()) -> str:
        """Build profiles with podman and without network; what was said. It must end well."""
        done = self.run(
            "build", *profiles, "--engine", "podman", *self.registry.mirrors(), *options
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def fill(registry: Registry, engine: Engine, scratch: Path) -> None:
    """Push what stands for the vendors' images, and the images that uv and micromamba come from."""
    for reference, name in BASES.items():
        registry.put(replica.layout_of(engine, name), reference)
    uv = Path(ENVBUILD).with_name("uv")
    version = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True)
    _program(engine, registry, uv, f"ghcr.io/astral-sh/uv:{version.stdout.split()[1]}", "/uv")
    program = scratch / "micromamba"
    micromamba.write(program)
    _program(engine, registry, program, "docker.io/mambaorg/micromamba:2.3.2", "/bin/micromamba")


def _program(engine: Engine, registry: Registry, program: Path, name: str, place: str) -> None:
    """Push an image of one file."""
    context = engine.home / f"context-{program.name}"
    context.mkdir()
    shutil.copy2(program, context / program.name)
    recipe = context / "Dockerfile"
    recipe.write_text(f"FROM scratch\nCOPY --chmod=755 {program.name} {place}\n")
    engine("build", "--network=none", "--tag", registry.name(name), str(context))
    engine("push", "--quiet", "--tls-verify=false", registry.name(name))


def make(root: Path, engine: Engine, registry: Registry) -> Workspace:
    """The workspace: profiles with their places filled in, locked and rendered."""
    envs = root / "envs"
    envs.mkdir(parents=True)
    commits = repositories(root / "git")
    for profile in (*HERE.glob("envs/*.yaml"), *SHIPPED.glob("*.yaml")):
        text = profile.read_text().replace("file:///REPOSITORIES", f"file://{root}/git")
        for name, commit in commits.items():
            text = text.replace(f"COMMIT-OF-{name}", commit)
        (envs / profile.name).write_text(text)
    channel = conda_real.real_channel(CACHE)
    settings = {"mirrored_channels": {"conda-forge": [channel.as_uri()]}}
    (root / "condarc").write_text(yaml.safe_dump(settings))
    environment = {
        **engine.environment,
        "CONDARC": str(root / "condarc"),
        "RATTLER_CACHE_DIR": str(root / "rattler"),
        "NO_COLOR": "1",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
    }
    made = Workspace(root, engine, registry, environment)
    for argv in (["lock", *PROFILES, *registry.mirrors()], ["render", *PROFILES]):
        done = made.run(*argv)
        assert done.returncode == 0, done.stderr
    return made


def repositories(folder: Path) -> dict[str, str]:
    """Make the git repositories that the profiles name; the commit of each."""
    commits = {}
    for source in sorted((HERE / "git").iterdir()):
        place = folder / source.name
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        if source.name == "isaacsim-replica":
            _as_package(place / "isaacsim")
        git = ["git", "-C", str(place), "-c", "commit.gpgsign=false"]
        environment = {**os.environ, **_AUTHOR}
        for argv in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=All"]):
            subprocess.run([*git, *argv], env=environment, check=True)
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        commits[source.name] = head.stdout.strip()
    return commits


def _as_package(place: Path) -> None:
    """The replica as pip installs it: all below the package isaacsim, nothing bundled."""
    tree = replica.SOURCES / "tree"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(tree / "python_packages/isaacsim", place, ignore=ignored)
    for name in ("kit", "exts", "extscache", "apps"):
        shutil.copytree(tree / name, place / name, ignore=ignored)
