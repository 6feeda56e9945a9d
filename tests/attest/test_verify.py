"""Whether an image is still as it was built, and signed."""

from __future__ import annotations

import json

import msgspec
import pytest

from envbuild.build import records
from tests.attest.conftest import GOOD, NAME, Space
from tests.attest.test_attest import PUSHED, REFERENCE, Calls

MORE = {"etc/more": "x"}


def test_the_image_of_the_record(space: Space) -> None:
    image = space.image(GOOD)
    space.record(image)
    said = space.run("verify", image)
    assert said.exit == 0, said.stderr
    assert (
        f"one/{NAME}: {image} is what the lock says, and as it was built (the record" in said.stderr
    )
    (data,) = json.loads(space.run("verify", image, "--json").stdout)
    assert (data["as-built"], data["by"]) == ("same", "the record of its build")


def test_an_image_with_a_layer_more_under_the_same_labels(space: Space) -> None:
    space.record(space.image(GOOD))
    edited = space.image(GOOD, MORE, name="edited")
    said = space.run("verify", edited)
    assert said.exit == 1
    assert f"{edited} is not the image that was built" in said.stderr
    assert "1 layer more than the record of its build has: it was changed since" in said.stderr
    assert "--attestation names what was said of that build" in said.stderr


def test_a_saved_image_whose_bytes_were_changed(space: Space) -> None:
    image = space.image(GOOD, MORE)
    space.record(image)
    for path in (space.home / "image/blobs/sha256").iterdir():
        data = path.read_bytes()
        if b"etc/more" in data:
            path.write_bytes(data.replace(b"x\0", b"y\0", 1))
    said = space.run("verify", image)
    assert said.exit == 1
    assert "layer 2 of 2 holds sha256:" in said.stderr


def test_what_nobody_knows_is_said(space: Space) -> None:
    image = space.image(GOOD)
    said = space.run("verify", image)
    assert said.exit == 0
    assert "not known: whether it is as it was built: no build of it is recorded" in said.stderr
    space.record(image, lock_digest="sha256:before")
    assert (
        "the build that is recorded here was of another lock" in space.run("verify", image).stderr
    )


def test_an_image_of_another_machine_by_its_attestation(space: Space) -> None:
    image = space.image(GOOD)
    space.record(image)
    assert space.run("attest", "one", "-o", "out").exit == 0
    other = msgspec.structs.replace(
        space.record(image), identity="sha256:elsewhere", layers=("sha256:other",)
    )
    records.write(str(space.root), other)
    assert space.run("verify", image).exit == 1
    for named in ("out", "out/", "out/provenance.intoto.json"):
        said = space.run("verify", image, "--attestation", named)
        assert said.exit == 0, said.stderr
        assert "and as it was built (out/provenance.intoto.json)" in said.stderr
    edited = space.image(GOOD, MORE, name="edited")
    assert space.run("verify", edited, "--attestation", "out").exit == 1


def test_an_image_of_nobody(space: Space) -> None:
    empty = {"io.envbuild.profile": "", "io.envbuild.variant": ""}
    said = space.run("verify", space.image(GOOD, **empty))
    assert said.exit == 2
    assert "is no image that envbuild has built: it has no label io.envbuild.profile" in said.stderr
    foreign = space.image(GOOD, name="foreign", **{"io.envbuild.profile": "two"})
    assert (
        "names no profile of this workspace in its labels, but 'two'"
        in space.run("verify", foreign).stderr
    )


def test_several_images_at_once(space: Space) -> None:
    first, second = space.image(GOOD), space.image(GOOD, MORE, name="second")
    space.record(first)
    data = json.loads(space.run("verify", first, second, "--quick", "--json").stdout)
    assert [one["as-built"] for one in data] == ["same", "other"]


# --- Signatures, by a stand-in -------------------------------------------------------------------


@pytest.mark.parametrize(
    "trust",
    [
        ("--key", "cosign.pub"),
        (
            "--certificate-identity",
            "me@example.com",
            "--certificate-oidc-issuer",
            "https://x.example",
        ),
    ],
)
def test_a_signature_that_counts(
    space: Space, cosign: tuple[str, Calls], trust: tuple[str, ...]
) -> None:
    path, calls = cosign
    image = space.image(GOOD)
    space.record(image, **PUSHED)
    assert space.run("attest", "one", "-o", "out", "--sign", PATH=path).exit == 0
    said = space.run("verify", image, "--attestation", "out", "--signature", *trust, PATH=path)
    assert said.exit == 0, said.stderr
    assert "signed: by " in said.stderr
    verify, blob = calls()[-2:]
    assert (verify[0], verify[-1]) == ("verify", REFERENCE)
    assert blob[0] == "verify-blob"
    assert blob[-1].endswith("lockfiles/one/envbuild.lock.json")


def test_a_signature_that_does_not_count(space: Space, cosign: tuple[str, Calls]) -> None:
    image = space.image(GOOD)
    space.record(image, **PUSHED)
    said = space.run("verify", image, "--signature", "--key", "other.pub", PATH=cosign[0])
    assert said.exit == 1
    assert "its signature does not count: Error: no matching signatures" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--signature",), 2, "a signature is held against a key, or against an identity"),
        (("--signature", "--key", "x", "--certificate-identity", "y"), 2, "a signature is held"),
        (("--signature", "--key", "x"), 2, "is not known to be an image of a registry"),
        (("--key", "x"), 2, "--key goes with --signature"),
        (("--signature", "--no-log"), 2, "--no-log goes with --key"),
        (("--certificate-identity", "x"), 2, "--certificate-identity goes with --signature"),
        (("--attestation", "nowhere"), 2, "nowhere does not exist"),
        (("--attestation", "envs/one.yaml"), 2, "envs/one.yaml is no provenance of an image"),
        (("--attestation", "envs"), 2, "envs/provenance.intoto.json"),
        (("--rebuild",), 2, "--rebuild builds a PROFILE: an image does not go with it"),
        (("--rebuild", "--signature"), 2, "--signature does not go with --rebuild"),
    ],
)
def test_what_cannot_be_asked(
    space: Space, arguments: tuple[str, ...], status: int, said: str
) -> None:
    image = space.image(GOOD)
    space.record(image)
    found = space.run("verify", image, *arguments, PATH="/nowhere")
    assert (found.exit, said in found.stderr) == (status, True), found.stderr


def test_without_cosign(space: Space) -> None:
    image = space.image(GOOD)
    space.record(image, **PUSHED)
    said = space.run("verify", image, "--signature", "--key", "x", PATH="/nowhere")
    assert (said.exit, "cosign is not installed" in said.stderr) == (3, True)
