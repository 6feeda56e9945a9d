"""Real docker daemons of the tests' own: storage, socket and network namespace apart from the
machine's, ended by their own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.engine import need
from tests.support.newer import programs_of

_PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "containerd")
_PROGRAMS = (
    "usr/bin/docker",
    "usr/sbin/dockerd",
    "usr/bin/containerd",
    "usr/bin/containerd-shim-runc-v2",
    "usr/libexec/docker/cli-plugins/docker-buildx",
)


@dataclass(frozen=True)
class Daemon:
    """A daemon that answers. ``environ`` is that of its clients; it has no network but loopback."""

    environ: dict[str, str]
    process: subprocess.Popen[bytes] = field(repr=False)

    def __call__(self, *argv: str, check: bool = True) -> str:
        """What docker prints on both streams; an error holds it."""
        done = subprocess.run(
            [shutil.which("docker", path=self.environ["PATH"]) or "docker", *argv],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(
                f"docker {' '.join(argv)[:200]} ended with {done.returncode}: {done.stdout}"
            )
        return done.stdout

    def inside(self, *argv: str) -> list[str]:
        """A command line that runs in the daemon's network, for a registry that it shall reach."""
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net", *argv]


@contextmanager
def dockerd(home: Path, *, programs: Path | None = None, bridge: bool = False) -> Iterator[Daemon]:
    """Debian's docker below ``home`` (a short path: a socket's may have 107 characters).

    ``programs`` is a folder from :func:`newer`, whose docker then runs, with containerd's store;
    else it is the machine's own, with the store that docker had before. ``bridge``: there is the
    usual network between containers, which leads nowhere.
    """
    need("dockerd", "runc", "unshare", "ip", "nsenter")
    if os.getuid() != 0:
        pytest.skip("not run: docker's daemon needs root")
    places = [str(programs)] if programs else ["/usr/bin", "/usr/sbin"]
    environ = {
        **os.environ,
        "PATH": os.pathsep.join([*places, os.environ["PATH"]]),
        "DOCKER_HOST": f"unix://{home}/sock",
        "DOCKER_CONFIG": f"{home}/client",
    }
    _configure(home, programs)
    argv = [
        "dockerd",
        f"--config-file={home}/daemon.json",
        f"--data-root={home}/data",
        f"--exec-root={home}/exec",
        f"--pidfile={home}/pid",
        f"--host=unix://{home}/sock",
        *("--iptables=false", "--ip6tables=false"),
        *([] if bridge else ["--bridge=none"]),
    ]
    script = 'ip link set lo up; exec "$@"'
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", script, "sh", *argv],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    daemon = Daemon(environ, process)
    try:
        _wait(daemon, home / "log")
        yield daemon
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def _configure(home: Path, programs: Path | None) -> None:
    plugins = home / "client/cli-plugins"
    plugins.mkdir(parents=True)
    features: dict[str, object] = {}
    if programs:
        (plugins / "docker-buildx").symlink_to(programs / "docker-buildx")
        features = {"features": {"containerd-snapshotter": True}}
    (home / "daemon.json").write_text(json.dumps(features))


def _wait(daemon: Daemon, log: Path) -> None:
    end = time.monotonic() + 30
    while "Server" not in daemon("version", check=False).replace("connect to the", ""):
        if daemon.process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"no dockerd: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def newer() -> Path:
    """A folder with docker, its daemon, containerd and buildx of a newer Debian. They run on this
    Debian's libraries and with its runc."""
    return programs_of("docker", _PACKAGES, _PROGRAMS)
