"""The real cosign, of a newer Debian: signed in a registry on loopback, with a key, and without the
public services."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.attest.conftest import GOOD, Space
from tests.support.engine import need
from tests.support.newer import programs_of
from tests.support.registry import serve


@pytest.fixture(autouse=True)
def _cosign(monkeypatch: pytest.MonkeyPatch) -> None:
    """cosign is on the path."""
    place = programs_of("cosign", ("cosign",), ("usr/bin/cosign",))
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")


def keys(place: Path, name: str) -> Path:
    """A new pair of keys; the path of both without what tells them apart."""
    folder = place / name
    folder.mkdir()
    environment = {**os.environ, "COSIGN_PASSWORD": "x"}
    subprocess.run(
        ["cosign", "generate-key-pair"],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
    )
    return folder / "cosign"


def test_what_was_signed_is_verified(space: Space, tmp_path: Path) -> None:
    need("docker-registry", "skopeo")
    own, other = keys(tmp_path, "own"), keys(tmp_path, "other")
    image = space.image(GOOD)
    (tmp_path / "registry").mkdir()
    with serve(tmp_path / "registry") as registry:
        name = f"{registry.place}/team/one:1"
        copy = ["skopeo", "copy", "--dest-tls-verify=false", f"--digestfile={tmp_path}/digest"]
        subprocess.run([*copy, image, f"docker://{name}"], check=True, capture_output=True)
        digest = (tmp_path / "digest").read_text().strip()
        space.record(image, tags=(name,), digest=digest)
        signs = {"PATH": os.environ["PATH"], "COSIGN_PASSWORD": "x"}
        said = space.run(
            "attest", "one", "-o", "out", "--sign", f"--key={own}.key", "--no-log", **signs
        )
        assert said.exit == 0, said.stderr

        def verify(key: Path) -> tuple[int, str]:
            options = ("--attestation", "out", "--signature", "--no-log", f"--key={key}.pub")
            found = space.run("verify", image, *options, **signs)
            return found.exit, found.stderr

        status, text = verify(own)
        assert (status, "signed: by the key" in text) == (0, True), text
        status, text = verify(other)
        assert (status, "its signature does not count" in text) == (1, True), text
        types = ("slsaprovenance1", "cyclonedx", "spdxjson")
        for kind in types:
            argv = ["cosign", "verify-attestation", f"--key={own}.pub", f"--type={kind}"]
            subprocess.run(
                [*argv, "--insecure-ignore-tlog=true", f"{registry.place}/team/one@{digest}"],
                check=True,
                capture_output=True,
                env={**os.environ, "HOME": str(tmp_path)},
            )
