"""What ``envbuild build`` says of input that cannot be, before any engine is asked."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.running import Said, inside

PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile that is locked and rendered, for this machine and another."""
    root = tmp_path_factory.mktemp("ws")
    samples.profile(root, "one", more="  linux-arm64-cpu: {}\n")
    for stage in (("lock", "--offline"), ("render",)):
        said = samples.envbuild(root, *stage)
        assert said.exit == 0, said.stderr
    der = b"\x30" + bytes(range(200))
    body = base64.encodebytes(der).decode().strip()
    (root / "ca.pem").write_text(PEM.format(body))
    (root / "key.pem").write_text(PEM.format(body) + "-----BEGIN PRIVATE KEY-----\n")
    (root / "broken.pem").write_text(PEM.format("AAAA"))
    (root / "empty").write_text("\n")
    (root / "token").write_text("x" * 20)
    return root


def build(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, path: str = "/nowhere"
) -> Said:
    """The command where no engine is installed."""
    return inside(["build", *arguments], workspace, monkeypatch, {"PATH": path})


INPUT = [
    (("--secret", "token"), "a secret is given as id=NAME,src=FILE"),
    (("--secret", "id=envbuild_ca,src=ca.pem"), "the secret envbuild_ca is that of the certifi"),
    (("--secret", "id=a,src=token", "--secret", "id=a,src=token"), "secret a is given twice"),
    (("--secret", "id=a,src=nothing"), "the secret a (nothing) does not exist"),
    (("--secret", "id=a,src=empty"), "the secret a is empty"),
    (("--secret", "id=a,src=token"), "no step of Dockerfiles/one/Dockerfile reads the secret a"),
    (("--ca-bundle", "nothing"), "the bundle of --ca-bundle (nothing) does not exist"),
    (("--ca-bundle", "token"), "token holds no certificate"),
    (("--ca-bundle", "key.pem"), "key.pem holds a private key"),
    (("--ca-bundle", "broken.pem"), "a certificate of broken.pem is broken"),
    (("--tag", "NoSuch"), "'NoSuch' is no name of an image"),
    (("--tag", "-x"), "'-x' is no name of an image"),
    (("--push",), "--push needs a name with a registry in it"),
    (("--cache-to", "cache"), "--cache-to takes a repository of a registry"),
    (("--cache-from", "-x/y"), "--cache-from takes a repository of a registry"),
    (("--mirror", "nvcr.io"), "--mirror takes PREFIX=PLACE, not 'nvcr.io'"),
    (("--output", "image"), "--output takes oci:DIR"),
    (("--output", "oci:envs"), "envs: it exists"),
    (("--platform", "linux/arm64"), "one/linux-amd64-cpu is for linux/amd64, not for linux/arm64"),
    (("--variant", "linux-amd64-cp"), "one has no variant 'linux-amd64-cp'"),
    (
        ("--tag", "x:1", "--variant", "linux-amd64-cpu", "--variant", "linux-arm64-cpu"),
        "--tag x:1 would be that of 2 images",
    ),
    (("--online", "--network", "none"), "--online does not go with --network none"),
    (("--offline", "--online"), "--offline does not go with --online"),
    (("--offline", "--push"), "--offline does not go with --push"),
    (("--offline", "--cache-to", "r.example/x"), "--offline does not go with --cache-to"),
    (("--engine", "nerdctl"), "invalid value for '--engine'"),
    (("nothing",), "no profile is called 'nothing'"),
]


@pytest.mark.parametrize(("arguments", "words"), INPUT, ids=lambda value: str(value)[:40])
def test_input_that_cannot_be(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    said = build(workspace, monkeypatch, *arguments)
    assert said.exit == 2, said.stderr
    assert words in said.stderr
    assert "bug in envbuild" not in said.stderr
    assert not (workspace / ".envbuild/builds").exists()


def test_without_an_engine(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = build(workspace, monkeypatch)
    assert said.exit == 3
    for engine in ("podman", "buildah", "docker"):
        assert engine in said.stderr
    for engine in ("podman", "buildah", "docker"):
        said = build(workspace, monkeypatch, "--engine", engine)
        assert said.exit == 3
        assert engine in said.stderr


def test_a_lock_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples.profile(tmp_path, "one")
    said = build(tmp_path, monkeypatch)
    assert said.exit == 2
    assert "one: lock is missing" in said.stderr
    assert "hint: envbuild lock one" in said.stderr
    assert said.stderr.endswith("1 variant: 1 failed\n")


def test_dockerfiles_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples.profile(tmp_path, "one")
    assert samples.envbuild(tmp_path, "lock", "--offline").exit == 0
    said = build(tmp_path, monkeypatch)
    assert said.exit == 2
    assert "Dockerfiles/one/Dockerfile: missing" in said.stderr
    assert "hint: envbuild render one" in said.stderr


def test_a_broken_profile_and_a_good_one(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workspace / "envs/wrong.yaml"
    path.write_text("schema: 1\nname: wrong\n")
    try:
        said = build(workspace, monkeypatch, "--variant", "linux-arm64-cpu", "--dry-run")
    finally:
        path.unlink()
    assert said.exit == 3  # the good one wants an engine, and there is none
    assert "envs/wrong.yaml" in said.stderr


def test_a_folder_without_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "envs").mkdir()
    said = build(tmp_path, monkeypatch, "none-of-these")
    assert said.exit == 2
