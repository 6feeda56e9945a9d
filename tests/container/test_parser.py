"""Every rendered Dockerfile is accepted by BuildKit's own front end, and by hadolint.

The vendor's images are not here: an empty image stands under each of their names. The front end
reads the whole file and plans it before the first step is taken, and in an empty image that step
fails: nothing can be run there, and no file can be mounted or copied from it. So *accepted* means:
it came as far as taking a step.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.container

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted(
    path for path in (ROOT / "Dockerfiles").glob("*/Dockerfile*") if path.suffix != ".dockerignore"
)
DOCKER = "/usr/bin/docker"
"""Debian's client: it has BuildKit built in, which a newer one on PATH leaves to a plugin."""

STEP_FAILED = ("executor failed running", "failed to compute cache key")
"""What BuildKit says of a step that ran, and of one whose files are not there. Steps that do not
need each other run side by side: which of them fails first is not fixed."""

Docker = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """A docker daemon of the tests' own, in a network namespace of its own, without networks."""
    for tool in ("/usr/sbin/dockerd", DOCKER, "/usr/bin/unshare"):
        if not Path(tool).exists():
            if os.environ.get("CI") == "true":
                pytest.fail(f"{tool} is missing, and CI must run the container tests")
            pytest.skip(f"not run: {tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("not run: a docker daemon of one's own needs root")
    home = tmp_path_factory.mktemp("docker")
    socket = f"unix://{home}/socket"
    with (home / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                "unshare", "--net", "dockerd", "--host", socket,
                "--data-root", f"{home}/root", "--exec-root", f"{home}/exec",
                "--pidfile", f"{home}/pid", "--bridge=none", "--iptables=false",
                "--ip6tables=false",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )  # fmt: skip

    def run(*argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [DOCKER, "--host", socket, *argv],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(home / "config")},
        )

    try:
        deadline = time.monotonic() + 30
        while run("version").returncode:
            assert daemon.poll() is None, (home / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the docker daemon does not answer"
            time.sleep(0.2)
        yield run
    finally:
        daemon.terminate()
        daemon.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def bases(text: str) -> dict[str, str]:
    """The images that a Dockerfile begins from, by the build arguments that name them."""
    return dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", text, re.MULTILINE))


def empty_image(docker: Docker, tmp: Path, name: str) -> None:
    """Put an empty image under a name, for every platform that is asked for here."""
    archive = tmp / "empty.tar"
    if not archive.exists():
        (tmp / "empty").mkdir()
        subprocess.run(["tar", "-cf", archive, "-C", tmp / "empty", "."], check=True)
    done = docker("import", str(archive), name)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_buildkit_accepts_it(docker: Docker, tmp_path: Path, path: Path) -> None:
    arguments = []
    for name, image in bases(path.read_text()).items():
        # Whatever stands under a name here has not the digest that the lock pins.
        stand_in = image.partition("@")[0]
        empty_image(docker, tmp_path, stand_in)
        arguments += ["--build-arg", f"{name}={stand_in}"]
    assert arguments
    done = docker(
        "build", "--progress=plain", "--network=none", *arguments,
        "--file", str(path), str(path.parent),
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "LLB definition" not in said, said[-2000:]
    assert any(step in said for step in STEP_FAILED), said[-2000:]


def test_what_is_no_dockerfile_is_not_accepted(docker: Docker, tmp_path: Path) -> None:
    empty_image(docker, tmp_path, "nothing:1")
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM nothing:1\nRUN --mount=type=secret,id=x,mode=zzz true\n")
    done = docker("build", "--network=none", "--file", str(wrong), str(tmp_path / "empty"))
    assert "LLB definition" in done.stdout + done.stderr


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_hadolint_passes(path: Path) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [str(hadolint), "--config", str(ROOT / ".hadolint.yaml"), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
