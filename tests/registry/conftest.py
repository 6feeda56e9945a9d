"""Servers on loopback, and the program's own ways to them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a user without any settings."""
    path = tmp_path / "home"
    path.mkdir()
    return path
