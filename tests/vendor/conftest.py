"""A profile with wheels, a git source and a base image, all on loopback, locked."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fetch.test_repositories import git
from tests.registry.answers import Server
from tests.registry.answers import serving as registry
from tests.registry.images import DEBIAN, Image, image, layer
from tests.support.index import PackageIndex
from tests.support.index import serving as index
from tests.support.workspace import Folder

PROFILE = """\
schema: 1
name: {name}
summary: A profile of the tests
as-of: 2025-06-01T00:00:00Z
base:
  image: docker.io/library/debian:12
  distribution: debian-12
python:
  version: "3.11"
  source: image
  interpreter: /usr/bin/python3
  prefix: /opt/one
  requirements: [alpha, beta]
{git}variants:
  linux-amd64-cpu: {{}}
"""
GIT = """\
git:
  - name: tool
    url: file://{url}
    commit: {commit}
    path: /opt/tool
    install: none
"""
STATUS = "".join(
    f"Package: {name}\nStatus: install ok installed\nVersion: 1.0-1\n\n"
    for name in ("git", "ca-certificates")
)
"""What git sources need, already in the base image."""

SILENT = "#!/bin/sh\n/usr/bin/touch {trace}\nexit 1\n"
"""An engine that works nowhere, and leaves a trace when it is called."""


class World(Folder):
    """The workspace, its servers, and the folder that it vendors into."""

    def __init__(self, root: Path, packages: PackageIndex, server: Server) -> None:
        super().__init__(
            root,
            UV_DEFAULT_INDEX=packages.url,
            ENVBUILD_MIRRORS=f"docker.io={server.place}/hub",
            XDG_CACHE_HOME=str(root / "xdg"),
        )
        programs = root.parent / "programs"
        programs.mkdir()
        self.trace = root.parent / "called"
        for engine in ("podman", "buildah", "docker"):
            (programs / engine).write_text(SILENT.format(trace=self.trace))
            (programs / engine).chmod(0o755)
        # Engines are looked for in every folder of PATH, so that no other is in it.
        (programs / "git").symlink_to(str(shutil.which("git")))
        self.environment["PATH"] = str(programs)
        self.packages, self.server = packages, server
        self.dir = root.parent / "dir"
        self.image = self.hold()
        self.source, self.commit = root.parent / "source", ""
        self.profile("one")

    def hold(self) -> Image:
        """Put the base image into the registry."""
        files = [
            layer({"etc/os-release": DEBIAN, "var/lib/dpkg/status": STATUS}),
            layer({"big": "x" * 300_000}, packed=""),
        ]
        made = image(*files)
        self.server.hold("hub/library/debian", "12", made)
        return made

    def profile(self, name: str, *_: str) -> Path:
        path = self.root / "envs" / f"{name}.yaml"
        stated = GIT.format(url=self.source, commit=self.commit) if self.commit else ""
        path.write_text(PROFILE.format(name=name, git=stated))
        return path

    def with_git(self) -> None:
        """The profile takes a git source too, and is locked with it."""
        self.source.mkdir()
        git(self.source, "init", "--quiet")
        for text in ("one", "two"):
            (self.source / "file").write_text(text)
            git(self.source, "add", ".")
            git(self.source, "commit", "--quiet", "--message", text)
        self.commit = git(self.source, "rev-parse", "HEAD")
        self.profile("one")
        self.lock("one")

    def lock(self, *names: str) -> None:
        for verb in ("lock", "render"):
            done = self.run(verb, *names)
            assert done.returncode == 0, done.stderr

    def vendor(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("vendor", *argv, str(self.dir), **environment)

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.dir / "vendor.json").read_text())
        return found

    def artifact(self, kind: str, name: str = "") -> dict[str, Any]:
        """One artifact of a kind, of a name where several are."""
        return next(
            one
            for one in self.manifest()["artifacts"]
            if one["kind"] == kind and name in (one["name"], "")
        )

    def file(self, kind: str, name: str = "") -> Path:
        return self.dir / str(self.artifact(kind, name)["file"])

    def whole(self) -> None:
        """The folder is whole, by its own check."""
        done = self.run("vendor", "--check", str(self.dir))
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    packages = PackageIndex().add("alpha", "1.0").add("beta", "2.0")
    with index(packages), registry() as server:
        made = World(tmp_path / "ws", packages, server)
        made.lock("one")
        yield made
