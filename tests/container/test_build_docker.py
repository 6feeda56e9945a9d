"""``envbuild build`` with docker: by the BuildKit that was built into docker before 23, and by a newer
one with buildx."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.test_build_command import (
    HELLO,
    PROFILE,
    STAND_IN,
    TEMPLATE,
    VARIANT,
    VENDOR,
    certificate,
)
from tests.support.dockerd import Daemon, dockerd, newer
from tests.support.engine import BASE, base_tar
from tests.support.workspace import ENVBUILD

pytestmark = [pytest.mark.container, pytest.mark.network]


class Dock:
    """A workspace, and a daemon that has a stand-in for the vendor's image."""

    def __init__(self, root: Path, docker: Daemon, builder: str) -> None:
        self.builder = builder
        self.root = root
        self.docker = docker
        self.environment = {**docker.environ, "XDG_CACHE_HOME": str(root / "cache")}

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ENVBUILD, *argv],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def build(self, *argv: str) -> subprocess.CompletedProcess[str]:
        mirror = ("--mirror", f"{VENDOR}=stand-in")
        return self.run("build", "--json", "--engine", "docker", *mirror, *argv)

    def one(self, *argv: str) -> dict[str, object]:
        done = self.build(*argv)
        assert done.returncode == 0, done.stderr
        (row,) = [row for row in json.loads(done.stdout) if row["status"] != "skipped"]
        return dict(row)


@pytest.fixture(scope="module", params=["buildkit", "buildx"])
def dock(request: pytest.FixtureRequest) -> Iterator[Dock]:
    """The profile, locked without the vendor's registry: its base is a tag, not a digest."""
    programs = newer() if request.param == "buildx" else None
    with tempfile.TemporaryDirectory(prefix="envbuild-dock-") as place:
        root = Path(place)
        for name in ("daemon", "envs", "stand-in"):
            (root / name).mkdir()
        (root / "envs/small.yaml").write_text(PROFILE)
        (root / "envs/hello.py").write_text(HELLO)
        (root / "stand-in/Dockerfile").write_text(STAND_IN)
        with dockerd(root / "daemon", programs=programs) as docker:
            docker("import", str(base_tar()), BASE)
            docker("build", "--network=none", "--tag", "stand-in:5.1.0", str(root / "stand-in"))
            made = Dock(root, docker, request.param)
            for command in ("lock", "render"):
                done = made.run(command)
                assert done.returncode == 0, done.stderr
            yield made


def test_a_hermetic_build(dock: Dock) -> None:
    made = dock.one()
    assert (made["status"], made["hermetic"], made["base-digest"]) == ("built", True, "")
    assert f"({dock.builder})" in str(made["engine"])
    said = dock.docker("run", "--rm", "--network=none", f"small:{VARIANT}")
    assert said.splitlines()[-1] == "4.9.0"
    again = dock.one()
    assert (again["status"], again["identity"]) == ("unchanged", made["identity"])


def test_certificates_that_buildkit_does_not_take_are_refused_early(dock: Dock) -> None:
    path = dock.root / "long.pem"
    path.write_text("".join(certificate(str(number)) for number in range(500)))
    done = dock.build("--ca-bundle", str(path), "--no-cache")
    assert done.returncode == 2
    assert "takes secrets of at most 500 KiB" in done.stderr
    assert "building with" not in done.stderr


def test_a_secret_in_a_layer_is_refused(dock: Dock) -> None:
    (dock.root / "token").write_text("correct horse battery staple\n")
    (dock.root / "ca.pem").write_text(certificate("own"))
    given = ("--secret", f"id=token,src={dock.root}/token", "--ca-bundle", f"{dock.root}/ca.pem")
    line = "--mount=type=secret,id=token --mount=type=secret,id=envbuild_ca "
    (dock.root / "templates").mkdir()
    template = dock.root / "templates/Dockerfile.j2"
    try:
        template.write_text(TEMPLATE.replace("LINE", f"{line} cat /run/secrets/token > /opt/t"))
        assert dock.run("render").returncode == 0
        done = dock.build(*given, "--tag", "leaking:1")
        assert done.returncode == 1, done.stderr
        assert "the secret token is in /opt/t" in done.stderr
        assert "leaking" not in dock.docker("images")
    finally:
        shutil.rmtree(dock.root / "templates")
        assert dock.run("render").returncode == 0


def test_built_twice_it_is_the_same(dock: Dock) -> None:
    """By what the engine exports, or behind the normaliser where it cannot set times."""
    mirror = ("--mirror", f"{VENDOR}=stand-in")
    done = dock.run("verify", "small", "--rebuild", "--json", "--engine", "docker", *mirror)
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)
    assert said["status"] == "identical"
    assert said["normalised"] == (dock.builder == "buildkit")
