"""Builders of the tests' own: docker daemons that look like BuildKit elsewhere.

A daemon speaks BuildKit's own protocol behind ``POST /grpc``. A proxy of a few lines does that
handshake, so that buildx's driver ``remote`` takes the daemon for a buildkitd: no stand-alone one
comes with Debian.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.dockerd import Daemon
from tests.support.engine import CACHE, base_tar

BASE = "envbuild-tests/slim:python"

_UPGRADE = b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

_DROPPED = re.compile(
    r"usr/share/(?!python)|var/(?:lib|cache|log)/|usr/lib/(?:locale|apt|udev|systemd|python3)/"
    r"|usr/lib/x86_64-linux-gnu/(?:perl|gconv|security)|usr/bin/perl"
    r"|usr/s?bin/(?!env$|python|sleep$|sh$|dash$|sha256sum$|rm$|mkdir$)"
)
"""What Python needs not: each daemon unpacks the image anew."""


def slim_tar() -> Path:
    """A Debian with Python and a shell, and little else, kept for a next run."""
    tar = CACHE / "slim-python.tar"
    if not tar.exists():
        part = tar.with_suffix(f".{os.getpid()}.tar")
        with tarfile.open(base_tar()) as whole, tarfile.open(part, "w") as slim:
            for member in whole:
                if not _DROPPED.match(member.name.removeprefix("./")):
                    slim.addfile(member, whole.extractfile(member) if member.isreg() else None)
        part.rename(tar)
    return tar


@contextlib.contextmanager
def buildkitd(daemon: Daemon, place: Path) -> Iterator[str]:
    """The address at which a daemon looks like a buildkitd; ``place`` is a path for its socket."""
    target = daemon.environ["DOCKER_HOST"].removeprefix("unix://")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen(64)

    def accept() -> None:
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                client, _ = listener.accept()
                threading.Thread(target=_serve, args=(client, target), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"unix://{place}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _serve(client: socket.socket, target: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(target)
            server.sendall(_UPGRADE)
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += server.recv(1)
        except OSError:
            return
        forth = threading.Thread(target=_pipe, args=(client, server), daemon=True)
        forth.start()
        _pipe(server, client)
        forth.join()


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def lose(daemon: Daemon, home: Path) -> None:
    """End a daemon at once, as a machine ends that loses its power, with the containerd of its
    own; what they ran in a container ends with them."""
    children = [int((home / "exec/containerd/containerd.pid").read_text())]
    daemon.process.kill()
    daemon.process.wait(timeout=30)
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                line = (folder / "cmdline").read_bytes().decode(errors="replace")
                if f"{home}/" in line:  # its shims; each container's first process is their child
                    children.append(int(folder.name))
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((one for one in mounted if one.startswith(f"{home}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=True)


def run(argv: list[str], root: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command in a workspace."""
    return subprocess.run(
        argv,
        cwd=root,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
