"""A real registry (Debian's docker-registry) on loopback, open and with a login."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from envbuild.tools.net import NetError
from tests.registry.conftest import BASIC, HTPASSWD, PASSWORD, USER, reach
from tests.registry.images import DOCKER_MANIFEST, image, layer, put
from tests.support.engine import need
from tests.support.registry import serve

pytestmark = pytest.mark.container

AMD = image(layer({"etc/a": "amd64"}))
ARM = image(layer({"etc/a": "arm64"}), architecture="arm64")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry for everybody."""
    need("docker-registry")
    with serve(tmp_path_factory.mktemp("open")) as registry:
        yield registry.place


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that wants a login."""
    need("docker-registry")
    folder = tmp_path_factory.mktemp("closed")
    users = folder / "htpasswd"
    users.write_text(HTPASSWD)
    with serve(folder, users=users) as registry:
        put(registry.place, "team/tool", "1", AMD, ARM, authorization=BASIC)
        yield registry.place


def test_an_index_of_two_platforms(opened: str, home: Path) -> None:
    whole = put(opened, "team/tool", "1", AMD, ARM)
    registry = reach(home)
    for name in (f"{opened}/team/tool:1", f"{opened}/team/tool:1@{whole}"):
        assert registry.manifest(name, "amd64").digest == AMD.digest
        assert registry.manifest(name, "arm64").digest == ARM.digest


def test_what_skopeo_says_of_it(opened: str, home: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("not run: skopeo is not installed")
    one = image(layer({"etc/a": "docker"}), kind=DOCKER_MANIFEST)
    put(opened, "team/docker", "1", one)
    done = subprocess.run(
        [
            "skopeo",
            "inspect",
            "--tls-verify=false",
            "--format={{.Digest}}",
            f"docker://{opened}/team/docker:1",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert reach(home).manifest(f"{opened}/team/docker:1", "amd64").digest == done.stdout.strip()


def test_an_image_that_is_not_there(opened: str, home: Path) -> None:
    with pytest.raises(NetError, match="the registry has no such image"):
        reach(home).manifest(f"{opened}/nobody/nothing:1", "amd64")


def test_a_login_of_docker(closed: str, home: Path) -> None:
    with pytest.raises(NetError, match="the registry wants a login"):
        reach(home).manifest(f"{closed}/team/tool:1", "amd64")
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"auths": {closed: {"auth": login}}}))
    registry = reach(home)
    found = registry.manifest(f"{closed}/team/tool:1", "arm64")
    assert found.digest == ARM.digest
    assert b"".join(registry.blob(f"{closed}/team/tool:1", found.layers[0])) == layer(
        {"etc/a": "arm64"}
    )


def test_a_login_with_a_wrong_password(closed: str, home: Path) -> None:
    login = base64.b64encode(f"{USER}:wrong".encode()).decode()
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"auths": {closed: {"auth": login}}}))
    with pytest.raises(NetError, match="the registry refuses the login"):
        reach(home).manifest(f"{closed}/team/tool:1", "amd64")


def test_a_login_that_podman_wrote(closed: str, home: Path, tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("not run: skopeo is not installed")
    path = tmp_path / "auth.json"
    subprocess.run(
        [
            "skopeo",
            "login",
            "--tls-verify=false",
            f"--authfile={path}",
            f"--username={USER}",
            "--password-stdin",
            closed,
        ],
        input=PASSWORD,
        check=True,
        capture_output=True,
        text=True,
    )
    registry = reach(home, REGISTRY_AUTH_FILE=str(path))
    assert registry.manifest(f"{closed}/team/tool:1", "amd64").digest == AMD.digest
