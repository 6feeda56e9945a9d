"""Locks of small profiles for the tests of exports: made without a solver, fresh all the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envbuild.export.model import Subject, subject
from envbuild.lock import assemble, folder
from envbuild.lock.conda.packages import Half
from envbuild.lock.inputs import solver_input
from envbuild.lock.model import HEADER, LockedPackage, Provided
from envbuild.lock.requirements import Pin
from envbuild.names import canonical_name
from envbuild.profile.resolve import Source, resolve
from envbuild.profile.resolved import Variant
from envbuild.tools.conda import Record
from tests.support.conda_values import record

TOP = """\
schema: 1
name: one
summary: A profile of the tests
as-of: 2026-01-01T00:00:00Z
base:
  image: ubuntu:22.04
  distribution: ubuntu-22.04
"""
PLAIN = f"""\
{TOP}python:
  version: "3.11"
  source: uv
  prefix: /opt/one
variants:
  linux-amd64-cpu: {{}}
"""
"""The least that a profile can be."""

CONDA = f"""\
{TOP}env: {{HEADLESS: "1", GREETING: "it's $HOME: \\"yes\\""}}
conda:
  channels: [world]
  packages: [python=3.11]
  platforms: [linux-64, linux-aarch64]
python:
  version: "3.11"
  source: conda
  prefix: /opt/one
  exclude:
    - {{package: pywin32, reason: it is for Windows}}
variants:
  linux-amd64-cu126: {{}}
"""
"""A profile whose Python is conda's."""

FULL = """\
schema: 1
name: one
summary: A profile of the tests
as-of: 2026-01-01T00:00:00Z
accept-eula: true
base:
  image: nvcr.io/nvidia/cuda:12.6.3-base-ubuntu22.04
  build-image: nvcr.io/nvidia/cuda:12.6.3-devel-ubuntu22.04
  distribution: ubuntu-22.04
apt: [ffmpeg, g++, libegl1, libgl1, libsm6]
python:
  version: "3.11"
  source: image
  interpreter: /usr/bin/python3.11
  bundled-sites: [/opt/kit/*/pip_prebundle]
  overrides:
    - {requirement: packaging==23.0, reason: a pin that is older than the truth}
  build-constraints: [setuptools<81]
  build-from-source:
    - package: Beta
      reason: it has no wheel
      isolation: false
      apt: [ninja-build]
      needs: [lib]
      environment: {MAX_JOBS: "4"}
  indexes:
    - {name: vendor, url: "https://vendor.example/simple", packages: [gamma]}
git:
  - name: lib
    url: https://example.com/lib.git
    commit: 0123456789abcdef0123456789abcdef01234567
    path: /opt/lib
    install: cmake
  - name: tasks
    url: https://example.com/tasks.git
    commit: fedcba9876543210fedcba9876543210fedcba98
    path: /work/tasks
    install: none
env: {HEADLESS: "1", PLACE: "${HOME}/here"}
user: {name: lab, uid: 1001, create: true}
workdir: /work
entrypoint: [python, -m, tasks]
command: [--all]
hardware:
  gpus: [sm_89, sm_90]
  driver: {min: "570", below: "595"}
smoke:
  - {name: packages, imports: [alpha]}
contracts:
  - {peer: robot, role: server, transport: zmq, encoding: json, port: 5555}
waive:
  - {rule: some-rule, reason: it is known}
variants:
  linux-amd64-cu126: {}
"""
"""A profile that has what a profile can have."""


def digest(text: str) -> str:
    """A sha256 made of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


RECORDS = {
    "linux-64": (
        record("pip", "25.0", build="pyh_0"),
        record("python", "3.11.14", build="h1_cpython"),
    ),
    "linux-aarch64": (record("python", "3.11.14", build="h2_cpython", subdir="linux-aarch64"),),
}


@dataclass(frozen=True)
class Locking:
    """What solvers would have said: ``name==version`` with its kind, conda's packages, and what
    the image brings."""

    pins: Mapping[str, str] = field(default_factory=lambda: {"alpha==1.0": "wheel"})
    records: Mapping[str, tuple[Record, ...]] = field(default_factory=lambda: RECORDS)
    provided: tuple[Provided, ...] = ()
    indexes: tuple[str, ...] = ()


def pin(text: str) -> Pin:
    """A pin with two hashes made of its text."""
    name, version = text.split("==")
    hashes = tuple(sorted(f"sha256:{digest(f'{text} {kind}')}" for kind in ("wheel", "sdist")))
    return Pin(name=name, version=version, hashes=hashes, via=("profile",))


def lock_folder(text: str, said: Locking = Locking()) -> dict[str, bytes]:
    """The files of the lock folder of a profile."""
    profile = resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=text)})
    return assemble.folder_files(
        "one",
        {variant.name: _answer(variant, said) for variant in profile.variants},
        kept=folder.LockFolder(label="lockfiles/one", header=None, texts={}),
        copied={},
        sources=assemble.Sources(tools=lambda: {"uv": "0.13.8"}, read=lambda _: {}),
    )


def _answer(variant: Variant, said: Locking) -> assemble.Answer:
    moment = variant.environment.as_of or ""
    asked, _ = solver_input(variant, as_of=moment, indexes=said.indexes)
    built = variant.environment.python.build_from_source
    system = {canonical_name(row.package): row.apt for row in built}
    half = None
    if asked.conda:
        own = asked.conda.targets[0].platform
        half = Half.of(said.records, own=own, solver="a solver 1.0")
    return assemble.Answer(
        variant=variant,
        asked=asked,
        pins=tuple(map(pin, said.pins)),
        packages=tuple(
            LockedPackage(
                name=text.split("==")[0],
                version=text.split("==")[1],
                requested=(),
                integrity=kind,  # type: ignore[arg-type]
                system=system.get(text.split("==")[0], ()),
            )
            for text, kind in said.pins.items()
        ),
        provided=said.provided,
        conda=half,
    )


def exported(text: str, said: Locking = Locking(), *, variant: int = 0) -> Subject:
    """A variant of a profile, as it is exported."""
    files = lock_folder(text, said)
    profile = resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=text)})
    header = folder.decode(files[HEADER], HEADER)
    read = folder.LockFolder(label="lockfiles/one", header=header, texts=files)
    return subject(profile.variants[variant], read, dockerfile="Dockerfile")


def place(root: Path, text: str, said: Locking = Locking()) -> None:
    """Write a profile and its lock into a workspace."""
    (root / "envs").mkdir(parents=True, exist_ok=True)
    (root / "envs/one.yaml").write_text(text)
    for path, data in lock_folder(text, said).items():
        target = root / "lockfiles/one" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
