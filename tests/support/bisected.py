"""A world of packages in two states, and a workspace with a good lock of the one and a bad lock of
the other: what a bisect looks through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import conda_packages
from tests.support.conda_packages import Record, record
from tests.support.conda_workspace import CondaFolder
from tests.support.index import PackageIndex, serving

VARIANT = "linux-amd64-cpu"
OLD, NEW = "2024-06-01T00:00:00Z", "2025-06-01T00:00:00Z"
_UPLOADED = {1: "2024-01-01T00:00:00Z", 2: "2025-01-01T00:00:00Z"}
_STAMPS = {1: 1704067200000, 2: 1735689600000}
"""When the two versions of everything were published, for the index and in conda's milliseconds."""

_PROFILE = """\
schema: 1
name: one
summary: A profile of the tests
accept-eula: false
base:
  image: docker.io/library/ubuntu:22.04
  distribution: ubuntu-22.04
conda:
  channels: [world]
  packages: [{conda}]
python:
  version: "3.11"
  source: conda
  prefix: /opt/env
  requirements: [{requirements}]
variants:
  {variant}: {{}}
"""

SINGLES = tuple(f"single-{number:02d}" for number in range(14))
CONDA = tuple(f"lib{number:02d}" for number in range(10))


@dataclass(frozen=True)
class World:
    """A workspace whose profile ``one`` is locked as of the old moment in ``good``, and as of the
    new one in ``lockfiles``; ``index`` is being served."""

    folder: CondaFolder
    index: PackageIndex

    def good(self) -> str:
        """The folder of the good lock."""
        return "good"


def index() -> PackageIndex:
    """Packages of the index: single ones; a pair in step; a chain, of which each asks for the next;
    one that brings another; one that conda's package must fit."""
    found = PackageIndex()
    for version in (1, 2):
        when = _UPLOADED[version]
        for name in SINGLES:
            found.add(name, f"{version}.0", uploaded=when)
        found.add("left", f"{version}.0", requires=(f"right=={version}.0",), uploaded=when)
        found.add("right", f"{version}.0", uploaded=when)
        found.add("top", f"{version}.0", requires=(f"middle>={version}",), uploaded=when)
        found.add("middle", f"{version}.0", requires=(f"bottom>={version}",), uploaded=when)
        found.add("bottom", f"{version}.0", uploaded=when)
        more = ("brought",) if version == 2 else ("dropped",)
        found.add("changing", f"{version}.0", requires=more, uploaded=when)
        found.add("wants-conda", f"{version}.0", requires=(f"shared=={version}.0",), uploaded=when)
        found.add("shared", f"{version}.0", uploaded=when)
    return found.add("brought", "2.0", uploaded=_UPLOADED[2]).add("dropped", "1.0")


def channel() -> tuple[Record, ...]:
    """Packages of conda: libraries; a pair in step; one that forbids an old companion, which no
    lock says; a Python package that the index wants too."""
    found = [record("python", "3.11.7", timestamp=_STAMPS[1])]
    found.append(record("pip", "24.0", depends=["python >=3.8"], timestamp=_STAMPS[1]))
    for version in (1, 2):
        stamp = _STAMPS[version]
        found += [record(name, f"{version}.0", timestamp=stamp) for name in CONDA]
        near = [f"libabi {version}.*"]
        found.append(record("libuser", f"{version}.0", depends=near, timestamp=stamp))
        found.append(record("libabi", f"{version}.0", timestamp=stamp))
        bound = [f"hidden-b {'<2' if version == 1 else '>=2'}"]
        found.append(record("hidden-a", f"{version}.0", constrains=bound, timestamp=stamp))
        found.append(record("hidden-b", f"{version}.0", timestamp=stamp))
        depends = ["python >=3.8"]
        found.append(record("shared", f"{version}.0", depends=depends, timestamp=stamp))
    return tuple(found)


def workspace(root: Path, url: str) -> CondaFolder:
    """The workspace, not locked yet."""
    folder = CondaFolder(root, UV_DEFAULT_INDEX=url)
    folder.mirror("world", conda_packages.channel(root / "channel", channel()).as_uri())
    conda = (*CONDA, "libuser", "libabi", "hidden-a", "hidden-b", "shared")
    asked = (*SINGLES, "left", "right", "top", "middle", "bottom", "changing", "wants-conda")
    text = _PROFILE.format(conda=", ".join(conda), requirements=", ".join(asked), variant=VARIANT)
    (root / "envs" / "one.yaml").write_text(text)
    return folder


@contextmanager
def world(root: Path) -> Iterator[World]:
    """The world, locked twice."""
    with serving(index()) as served:
        folder = workspace(root, served.url)
        for moment in (OLD, NEW):
            done = folder.run("lock", "-q", "--upgrade", "--exclude-newer", moment, "one")
            assert done.returncode == 0, done.stderr
            if moment == OLD:
                (root / "lockfiles" / "one").rename(root / "good")
        yield World(folder, served)
