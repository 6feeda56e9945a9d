"""A container engine of the tests' own: private storage, a base image, nothing left behind."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "envbuild-tests"
SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
EPOCH = "1700000000"
"""A fixed moment for the base image, so that the same archive gives the same bytes."""


class Engine:
    """podman with storage, limits and runtime of its own; it never sees the user's images."""

    def __init__(self, home: Path) -> None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        processes = min(20000, limit)
        (home / "containers.conf").write_text(
            '[engine]\nruntime="runc"\n[containers]\n'
            f'default_ulimits=["nofile={limit}:{limit}","nproc={processes}:{processes}"]\n'
        )
        (home / "storage.conf").write_text(
            f'[storage]\ndriver="overlay"\nrunroot="{home}/run"\ngraphroot="{home}/root"\n'
        )
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(home / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(home / "storage.conf"),
        }

    def __call__(self, *argv: str, check: bool = True, cwd: Path | None = None) -> str:
        """What podman prints on both streams; an error holds its last lines."""
        done = subprocess.run(
            ["podman", *argv],
            env=self.environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1500,
            check=False,
        )
        if check and done.returncode:
            tail = "\n".join(done.stdout.splitlines()[-60:])
            pytest.fail(f"podman {' '.join(argv)[:300]} ended with {done.returncode}:\n{tail}")
        return done.stdout


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


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine; its whole storage is removed at the end."""
    for tool in ("podman", "runc", "mmdebstrap"):
        if shutil.which(tool) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{tool} is missing, and CI must run the container tests")
            pytest.skip(f"not run: {tool} is not installed")
    home = tmp_path_factory.mktemp("engine")
    podman = Engine(home)
    yield podman
    podman("unmount", "--all", "--force", check=False)
    podman("rmi", "--all", "--force", check=False)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def base_tar() -> Path:
    """A Debian root file system with python3, python3-venv and ca-certificates, kept for a next
    run under the user's cache."""
    tar = CACHE / f"{SUITE}-{'-'.join(PACKAGES)}.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = tar.with_suffix(".part.tar")
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


@pytest.fixture(scope="session")
def debian(engine: Engine, base_tar: Path) -> str:
    """The base image's name in the engine."""
    engine("import", "--quiet", str(base_tar), "envbuild-tests/debian:python")
    return "envbuild-tests/debian:python"
