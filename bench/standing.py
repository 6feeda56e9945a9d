"""What the figures of images stand on: an engine, a registry and a workspace of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import registry as registries
from tests.support.engine import EPOCH, Engine, base_tar, import_base, private_engine

ENVBUILD = str(Path(sys.executable).parent / "envbuild")
PROFILE = "figures"
VARIANT = "linux-amd64-cpu"
BASE = "docker.io/library/figures:1"
PYTHON = "/opt/python/bin/python"
HEAVY = (
    "matplotlib",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "usd-core",
)
"""What an Isaac Lab environment has beside torch: 240 MB of wheels, a small part of the whole."""

LIGHT = "humanize"

_BASE = f"""\
FROM {{base}}
RUN python3 -m venv /opt/python
ENTRYPOINT ["{PYTHON}"]
"""

_PROFILE = f"""\
schema: 1
name: {PROFILE}
summary: Heavy packages that stay, and a light one that moves
as-of: 2026-02-01T00:00:00Z
base: {{image: "{BASE}", distribution: debian-12}}
python:
  version: "3.11"
  source: image
  interpreter: {PYTHON}
  requirements: [{", ".join(HEAVY)}, {LIGHT}==@light@]
env: {{PYTHONNOUSERSITE: "1"}}
entrypoint: [{PYTHON}]
smoke: [{{name: imports, imports: [numpy, {LIGHT}]}}]
variants: {{{VARIANT}: {{}}}}
"""


@dataclass(frozen=True)
class Standing:
    """A workspace in ``folder``, whose base image the registry at ``place`` has."""

    folder: Path
    engine: Engine
    place: str

    @property
    def mirror(self) -> tuple[str, str]:
        """The option that reads the base image from the registry."""
        return ("--mirror", f"docker.io={self.place}/docker.io")

    @property
    def base(self) -> str:
        """The base image as the engine reads it."""
        return f"{self.place}/{BASE}"

    @property
    def environment(self) -> dict[str, str]:
        """The engine's, with a cache of the figures' own."""
        return {**self.engine.environment, "XDG_CACHE_HOME": str(self.folder / "cache")}

    @property
    def stored(self) -> int:
        """Bytes of all blobs that the registry has: layers, configurations, manifests."""
        blobs = self.folder / "registry/storage/docker/registry/v2/blobs"
        return sum(path.stat().st_size for path in blobs.rglob("data"))

    def lock(self, light: str) -> None:
        """Lock and render the profile with this version of the light package."""
        (self.folder / "envs").mkdir(exist_ok=True)
        (self.folder / f"envs/{PROFILE}.yaml").write_text(_PROFILE.replace("@light@", light))
        self.envbuild("lock", *self.mirror)
        self.envbuild("render")

    def envbuild(self, *argv: str, environment: Mapping[str, str] | None = None) -> str:
        """Run envbuild in the workspace; what it prints on stdout."""
        return run((ENVBUILD, "--quiet", *argv), self.folder, environment or self.environment)

    def push(self, image: str, name: str) -> int:
        """Push an image; the bytes that the registry did not have."""
        before = self.stored
        self.engine("push", "--quiet", "--tls-verify=false", image, f"{self.place}/{name}")
        return self.stored - before


def run(argv: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command that must end with 0; its stdout."""
    done = subprocess.run(
        argv,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def timed(argv: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> float:
    """Seconds that a command took; it must end with 0."""
    started = time.perf_counter()
    run(argv, folder, environment)
    return time.perf_counter() - started


@contextmanager
def standing() -> Iterator[Standing]:
    """Everything of its own, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="envbuild-figures-") as place:
        folder = Path(place)
        for name in ("engine", "registry", "base"):
            (folder / name).mkdir()
        with (
            private_engine(folder / "engine") as engine,
            registries.serve(folder / "registry") as registry,
        ):
            engine.trust(registry.place)
            stands = Standing(folder, engine, registry.place)
            name = import_base(engine, base_tar())
            (folder / "base/Dockerfile").write_text(_BASE.format(base=name))
            options = ("--pull=never", "--network=none", f"--timestamp={EPOCH}")
            engine("build", "--quiet", *options, "--tag", stands.base, str(folder / "base"))
            stands.push(stands.base, BASE)
            yield stands


def identity(folder: Path) -> str:
    """The image that was built in a workspace."""
    record = folder / f".envbuild/builds/{PROFILE}.{VARIANT}.json"
    return str(json.loads(record.read_text())["identity"])


def cores() -> str:
    """The machine, for the head of a table."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
