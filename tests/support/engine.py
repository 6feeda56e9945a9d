"""A container engine of the tests' own: private storage, a base image, nothing left behind."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "envbuild-tests"
SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
EPOCH = "1700000000"
"""A fixed moment for the base image, so that the same archive gives the same bytes."""

BASE = "envbuild-tests/debian:python"
"""The base image's name in the engine."""


class Engine:
    """podman with storage, limits and runtime of its own; it never sees the user's images."""

    def __init__(
        self, home: Path, *, images: Path | None = None, running: Path | None = None
    ) -> None:
        """``images`` is where its storage is, ``running`` where it keeps what runs; below ``home``
        when it is not said."""
        self.home = home
        self._running = running or home / "run"
        self._images = images or home / "root"
        self._shared: list[Path] = []
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        processes = min(20000, limit)
        (home / "containers.conf").write_text(
            '[engine]\nruntime="runc"\n[containers]\n'
            f'default_ulimits=["nofile={limit}:{limit}","nproc={processes}:{processes}"]\n'
        )
        self._write_storage()
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(home / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(home / "storage.conf"),
        }

    def __call__(self, *argv: str, check: bool = True, cwd: Path | None = None) -> str:
        """What podman prints on both streams; an error holds its last lines."""
        done = self.run(*argv, cwd=cwd)
        if check and done.returncode:
            tail = "\n".join(done.stdout.splitlines()[-60:])
            pytest.fail(f"podman {' '.join(argv)[:300]} ended with {done.returncode}:\n{tail}")
        return done.stdout

    def run(
        self, *argv: str, cwd: Path | None = None, timeout: float = 1500
    ) -> subprocess.CompletedProcess[str]:
        """The end of a podman call, both streams in ``stdout``."""
        return subprocess.run(
            ["podman", *argv],
            env=self.environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def share(self, images: Path) -> None:
        """Read images from the storage of another engine too, and leave it as it is."""
        if images not in self._shared:
            self._shared.append(images)
            self._write_storage()

    def _write_storage(self) -> None:
        shared = ", ".join(f'"{path}"' for path in self._shared)
        (self.home / "storage.conf").write_text(
            f'[storage]\ndriver="overlay"\nrunroot="{self._running}"\n'
            f'graphroot="{self._images}"\n'
            f"[storage.options]\nadditionalimagestores=[{shared}]\n"
        )

    def trust(self, place: str) -> None:
        """Speak plain HTTP to a registry on loopback (``127.0.0.1:5000``)."""
        path = self.home / "registries.conf"
        before = path.read_text() if path.exists() else ""
        path.write_text(f'{before}[[registry]]\nlocation="{place}"\ninsecure=true\n')
        self.environment["CONTAINERS_REGISTRIES_CONF"] = str(path)

    def remove(self) -> None:
        """End what runs in it, and take its storage away."""
        self("rm", "--all", "--force", "--time", "0", check=False)
        self("unmount", "--all", "--force", check=False)
        self("rmi", "--all", "--force", check=False)
        shutil.rmtree(self.home, ignore_errors=True)


def index_options() -> list[str]:
    """What a container needs to reach the index that the user's settings name: the host's network,
    its proxies, and the certificates it trusts, where these are settings of the host."""
    options = ["--network=host"]
    named = next((os.environ[n] for n in ("SSL_CERT_FILE", "PIP_CERT") if os.environ.get(n)), None)
    if named:
        options += [f"--volume={Path(named).resolve()}:/run/host-ca.pem:ro"]
        for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
            options += ["--env", f"{name}=/run/host-ca.pem"]
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        options += ["--env", name] if os.environ.get(name) else []
    return options


def need(*tools: str) -> None:
    """Skip, or fail where continuous integration must have them, without these programs."""
    for tool in tools:
        if shutil.which(tool) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{tool} is missing, and CI must run the container tests")
            pytest.skip(f"not run: {tool} is not installed")


@contextmanager
def private_engine(home: Path) -> Iterator[Engine]:
    """An engine with its storage below ``home``, which is gone afterwards."""
    need("podman", "runc", "mmdebstrap")
    # A short path: with more than 50 characters podman's own clean-up refuses to begin, and every
    # `podman run` waits 20 seconds for it.
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as running:
        podman = Engine(home, running=Path(running))
        try:
            yield podman
        finally:
            podman.remove()


def base_tar() -> Path:
    """A Debian root file system with python3, python3-venv and ca-certificates, kept for a next
    run under the user's cache."""
    tar = CACHE / f"{SUITE}-{'-'.join(PACKAGES)}.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = tar.with_suffix(f".{os.getpid()}.part.tar")
        subprocess.run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                f"--include={','.join(PACKAGES)}",
                SUITE,
                str(part),
            ],
            env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
            check=True,
            timeout=600,
        )
        part.rename(tar)
    return tar


def import_base(engine: Engine, tar: Path) -> str:
    """Put the base image into an engine; its name there."""
    engine("import", "--quiet", str(tar), BASE)
    return BASE
