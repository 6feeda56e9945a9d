"""Servers on loopback, and the program's own ways to them."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envbuild.tools import proc
from envbuild.tools.logins import Logins
from envbuild.tools.net import Http
from envbuild.tools.references import mirrors
from envbuild.tools.registry import Registry
from tests.registry.answers import Server, serving

USER, PASSWORD = "tester", "sesame and more"
BASIC = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuu0Pf.rVv4PDC1f287KSPs/y3w6dJ.aCO\n"
"""bcrypt of the password, as ``htpasswd -B`` writes it."""

_CONFIGURATION = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {storage}}}
http: {{addr: {place}}}
{auth}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose answers a test says."""
    with serving() as served:
        yield served


def reach(home: Path, *options: str, **environment: str) -> Registry:
    """The registries as the program reaches them, for a user with this home."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), **environment}

    def read(path: str) -> str | None:
        return Path(path).read_text() if Path(path).is_file() else None

    return Registry(Http(environ), Logins(environ, read, proc.run), mirrors(options, {}))


@contextmanager
def real_registry(folder: Path, *, closed: bool = False) -> Iterator[str]:
    """Debian's docker-registry on a free port; ``closed``: it wants name and password."""
    if shutil.which("docker-registry") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("docker-registry is missing, and CI must run these tests")
        pytest.skip("not run: docker-registry is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "htpasswd").write_text(HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}" if closed else ""
    config = folder / "config.yml"
    config.write_text(_CONFIGURATION.format(storage=folder / "storage", place=place, auth=auth))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(lambda: process.poll() is None, place)
            yield place
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(lives: Callable[[], bool], place: str) -> None:
    end = time.monotonic() + 20
    while lives() and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://{place}/v2/", timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return  # it wants a login: it is there
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("no registry")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a user without any settings."""
    path = tmp_path / "home"
    path.mkdir()
    return path
