"""Small values of the conda half for unit tests: what is asked, records, answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from envbuild.lock.conda.lockfile import Environment
from envbuild.lock.model import CondaInput, CondaTarget, SolverInput
from envbuild.profile.resolve import Source, resolve
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.tools.conda import Record
from tests.support.locks import INPUT

MACHINE = ("__archspec=1=x86_64", "__glibc=2.35", "__linux=5.10", "__unix=0")

PROFILE = """\
schema: 1
name: one
summary: A profile of the tests
base:
  image: ubuntu:22.04
  distribution: {distribution}
{top}conda:
  channels: [{channels}]
  packages: [{packages}]
{more}python:
  version: "3.11"
  source: conda
  prefix: /opt/env
  requirements: [{requirements}]
variants:
  {variant}: {{}}
"""


def profile(
    *packages: str,
    name: str = "linux-amd64-cpu",
    channels: str = "world",
    distribution: str = "ubuntu-22.04",
    requirements: str = "",
    more: str = "",
    top: str = "",
) -> ResolvedProfile:
    """A profile in conda with one variant, ``name``; ``more`` are whole lines under conda, ``top``
    whole lines above it."""
    text = PROFILE.format(
        channels=channels,
        distribution=distribution,
        packages=", ".join(f'"{spec}"' for spec in packages),
        requirements=requirements,
        more=more,
        top=top,
        variant=name,
    )
    return resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=text)})


def variant(*packages: str, **parts: str) -> Variant:
    """The variant of such a profile."""
    return profile(*packages, **parts).variants[0]


def target(platform: str = "linux-64", *more: str) -> CondaTarget:
    """A machine, with what it has beside the usual or in another version."""
    stated = {text.partition("=")[0]: text for text in (*MACHINE, *more)}
    return CondaTarget(platform=platform, virtual_packages=tuple(sorted(stated.values())))


def wanted(
    *packages: str,
    channels: tuple[str, ...] = ("world",),
    targets: Iterable[CondaTarget] = (),
) -> CondaInput:
    return CondaInput(
        channels=channels,
        packages=tuple(sorted(packages)),
        targets=tuple(targets) or (target(),),
    )


def asked(conda: CondaInput | None, *requirements: str) -> SolverInput:
    return SolverInput(
        image=INPUT.image,
        python="3.11",
        platform="x86_64-manylinux_2_35",
        as_of="2026-01-01T00:00:00Z",
        requirements=requirements,
        conda=conda,
    )


def environment(
    *packages: str,
    channels: tuple[str, ...] = ("world",),
    targets: Iterable[CondaTarget] = (),
) -> Environment:
    return Environment(
        channels=channels, packages=tuple(sorted(packages)), targets=tuple(targets) or (target(),)
    )


def record(
    name: str,
    version: str,
    *depends: str,
    build: str = "0",
    subdir: str = "linux-64",
    channel: str = "world",
    base: str = "",
    purls: tuple[str, ...] = (),
) -> Record:
    """A record whose hashes are made of its name."""
    file = f"{subdir}/{name}-{version}-{build}.conda"
    return Record(
        name=name,
        version=version,
        build=build,
        subdir=subdir,
        url=f"{base or f'https://conda.anaconda.org/{channel}'}/{file}",
        channel=channel,
        depends=depends,
        md5=hashlib.md5(file.encode()).hexdigest(),
        sha256=hashlib.sha256(file.encode()).hexdigest(),
        purls=purls,
    )


def solved(*records: Record, platform: str = "linux-64") -> Mapping[str, tuple[Record, ...]]:
    return {platform: tuple(sorted(records, key=lambda one: one.name))}
