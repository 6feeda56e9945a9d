"""A rendered Dockerfile, built by a plain builder over a base that stands in for the vendor's."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.workspace import ENVBUILD

if TYPE_CHECKING:
    from .conftest import Engine

pytestmark = [pytest.mark.container, pytest.mark.network]

VENDOR = "nvcr.io/nvidia/isaac-sim:5.1.0"
HOSTILE = "two  blanks, 'single', \"double\", $HOME, $(id), `id`, back\\slash, # and ünïcode"

STAND_IN = """\
FROM envbuild-tests/debian:python
RUN python3 -m venv /isaac-sim/kit/python && \\
    printf '#!/bin/sh\\nexec /isaac-sim/kit/python/bin/python "$@"\\n' > /isaac-sim/python.sh && \\
    chmod 755 /isaac-sim/python.sh
ENTRYPOINT ["/isaac-sim/runheadless.sh"]
"""

PROFILE = f"""\
schema: 1
name: small
summary: A small overlay with everything that an image can have
as-of: 2026-02-01T00:00:00Z
accept-eula: true
base:
  image: {VENDOR}
  distribution: debian-12
  provides: [isaac-sim-5-1-0]
python:
  version: 3.11
  source: image
  interpreter: /isaac-sim/python.sh
  requirements: [humanize==4.9.0, docopt==0.6.2, packaging]
  build-constraints: [setuptools<81]
  build-from-source:
    - package: docopt
      reason: published as source only
files:
  - {{source: hello.py, path: /opt/hello.py, mode: "0755"}}
env:
  HOSTILE: {json.dumps(HOSTILE, ensure_ascii=False)}
  PYTHONNOUSERSITE: "1"
user: {{name: robot, uid: 1234, create: true}}
entrypoint: [/isaac-sim/python.sh, /opt/hello.py]
variants:
  linux-amd64-cpu: {{}}
"""

HELLO = """\
import json, os, sys
import docopt, humanize
print(json.dumps({
    "humanize": humanize.__version__,
    "docopt": docopt.__version__,
    "hostile": os.environ["HOSTILE"],
    "eula": os.environ["ACCEPT_EULA"],
    "uid": os.getuid(),
    "arguments": sys.argv[1:],
}))
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose one profile is locked against the real index and rendered."""
    root = tmp_path_factory.mktemp("small")
    (root / "envs").mkdir()
    (root / "envs/small.yaml").write_text(PROFILE)
    (root / "envs/hello.py").write_text(HELLO)
    for command in ("lock", "render"):
        done = subprocess.run(
            [ENVBUILD, command], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def image(engine: Engine, debian: str, workspace: Path) -> str:
    """The image, built with the lock folder as the only context."""
    assert debian
    place = workspace / "stand-in"
    place.mkdir()
    (place / "Dockerfile").write_text(STAND_IN)
    engine("build", "--pull=never", "--network=none", "--tag", VENDOR, str(place))
    secrets = []
    trusted = os.environ.get("SSL_CERT_FILE")
    if trusted:
        secrets = ["--secret", f"id=envbuild_ca,src={trusted}"]
    engine(
        "build",
        "--pull=never",
        "--network=host",
        *secrets,
        "--tag",
        "envbuild-tests/small",
        "--file",
        str(workspace / "Dockerfiles/small/Dockerfile"),
        str(workspace / "lockfiles/small"),
    )
    return "envbuild-tests/small"


def test_the_image_runs_what_the_profile_says(engine: Engine, image: str) -> None:
    said = engine("run", "--rm", "--network=none", image, "one", "two words")
    assert json.loads(said.splitlines()[-1]) == {
        "humanize": "4.9.0",
        "docopt": "0.6.2",
        "hostile": HOSTILE,
        "eula": "Y",
        "uid": 1234,
        "arguments": ["one", "two words"],
    }


def test_what_the_bundle_provides_was_not_installed(engine: Engine, image: str) -> None:
    said = engine(
        "run", "--rm", "--network=none", "--entrypoint", "/isaac-sim/python.sh", image,
        "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check",
    )  # fmt: skip
    assert "humanize==4.9.0" in said
    assert "packaging==" not in said


def test_the_labels_name_profile_and_lock(engine: Engine, image: str, workspace: Path) -> None:
    labels = json.loads(engine("inspect", "--format", "{{json .Config.Labels}}", image))
    header = json.loads((workspace / "lockfiles/small/envbuild.lock.json").read_text())
    assert labels["io.envbuild.profile"] == "small"
    assert labels["io.envbuild.lock-digest"].endswith(
        header["variants"]["linux-amd64-cpu"]["digest"]
    )


def test_no_certificate_and_no_index_is_in_a_layer(
    engine: Engine, image: str, tmp_path: Path
) -> None:
    engine("save", "--quiet", "--format", "oci-dir", "--output", str(tmp_path / "image"), image)
    configuration = b"".join(
        path.read_bytes()
        for path in (tmp_path / "image").rglob("*")
        if path.is_file() and path.stat().st_size < 100_000
    )
    assert b"index-url" not in configuration
    listed = engine(
        "run", "--rm", "--network=none", "--entrypoint", "/bin/sh", image,
        "-c", "find /run -type f; find / -xdev -name '.wh.*'; ls -l /etc/ssl/certs/ca-certificates.crt",
    )  # fmt: skip
    files = [line for line in listed.splitlines() if line.startswith("/run/")]
    assert [line for line in files if "envbuild" in line or "secrets" in line] == []
    assert "ca-certificates.crt" in listed


def build_again(engine: Engine, workspace: Path, dockerfile: str) -> str:
    """What podman says of a build without its cache."""
    (workspace / "Dockerfile").write_text(dockerfile)
    trusted = os.environ.get("SSL_CERT_FILE")
    secrets = ["--secret", f"id=envbuild_ca,src={trusted}"] if trusted else []
    return engine(
        "build", "--pull=never", "--network=host", "--no-cache", *secrets,
        "--file", str(workspace / "Dockerfile"), str(workspace / "lockfiles/small"),
        check=False,
    )  # fmt: skip


def test_a_changed_hash_stops_the_build(engine: Engine, image: str, workspace: Path) -> None:
    assert image
    path = workspace / "lockfiles/small/linux-amd64-cpu.txt"
    dockerfile = (workspace / "Dockerfiles/small/Dockerfile").read_text()
    locked = path.read_bytes()
    changed = re.sub(rb"sha256:[0-9a-f]{64}", b"sha256:" + b"0" * 64, locked)
    path.write_bytes(changed)
    try:
        noticed = build_again(engine, workspace, dockerfile)
        digests = [hashlib.sha256(data).hexdigest() for data in (locked, changed)]
        refused = build_again(engine, workspace, dockerfile.replace(*digests))
    finally:
        path.write_bytes(locked)
    assert "is not what this Dockerfile was rendered from" in noticed
    assert "DO NOT MATCH THE HASHES" in refused
