"""A workspace of many profiles, locked without a solver, for measuring growth."""

from __future__ import annotations

import hashlib
from pathlib import Path

from envbuild.lock.assemble import Answer, Sources, folder_files
from envbuild.lock.folder import LockFolder
from envbuild.lock.inputs import solver_input
from envbuild.lock.model import LockedPackage, Request
from envbuild.lock.requirements import Pin
from envbuild.profile.resolve import Source, resolve
from envbuild.tools import files

PROFILE = """\
schema: 1
name: {name}
summary: Generated profile number {number}
as-of: 2026-02-01T00:00:00Z
base:
  image: nvcr.io/nvidia/isaac-sim:5.1.0
  distribution: ubuntu-22.04
  provides: [isaac-sim-5-1-0]
accept-eula: false
python:
  version: "3.11"
  source: image
  interpreter: /isaac-sim/python.sh
  requirements: [aiohttp, tqdm, pyzmq]
variants:
  linux-amd64-cu128: {{}}
env:
  NUMBER: "{number}"
entrypoint: [/isaac-sim/python.sh]
"""


def make(root: Path, count: int) -> None:
    """Write ``count`` profiles with their locks into a new workspace."""
    (root / "envs").mkdir(parents=True)
    for number in range(count):
        name = f"p{number:04}"
        text = PROFILE.format(name=name, number=number)
        (root / "envs" / f"{name}.yaml").write_text(text)
        source = Source(name=name, file=f"envs/{name}.yaml", text=text)
        profile = resolve(name, {name: source})
        variant = profile.variants[0]
        asked, _ = solver_input(variant, as_of=variant.environment.as_of or "")
        pins = tuple(
            Pin(
                name=package,
                version="1.0",
                hashes=(f"sha256:{hashlib.sha256(package.encode()).hexdigest()}",),
                via=("profile",),
            )
            for package in ("pyzmq", "tqdm")
        )
        answer = Answer(
            variant=variant,
            asked=asked,
            pins=pins,
            packages=tuple(
                LockedPackage(
                    name=pin.name, version=pin.version, requested=(Request(by="profile"),)
                )
                for pin in pins
            ),
            provided=(),
        )
        folder = root / "lockfiles" / name
        written = folder_files(
            name,
            {variant.name: answer},
            kept=LockFolder(label=f"lockfiles/{name}", header=None, texts={}),
            copied={},
            sources=Sources(
                tools=lambda: {"envbuild": "0.1.0", "uv": "0.13.8"},
                read=lambda _: {},
            ),
        )
        folder.mkdir(parents=True)
        files.write_tree(str(folder), written)
