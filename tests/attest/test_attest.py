"""Statements, held against the structures that in-toto publishes; and what is signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from tests.attest.conftest import GOOD, Space

Calls = Callable[[], list[list[str]]]
PUSHED = {"tags": ("registry.example:5000/team/one:1",), "digest": f"sha256:{'d' * 64}"}
REFERENCE = f"registry.example:5000/team/one@sha256:{'d' * 64}"
NAMES = {
    "provenance.intoto.json",
    "sbom.cyclonedx.json",
    "sbom.cyclonedx.intoto.json",
    "sbom.spdx.json",
    "sbom.spdx.intoto.json",
}


def statement(path: Path) -> dict[str, object]:
    """A statement that in-toto's own reader takes: unknown fields are refused."""
    said = json.loads(path.read_bytes())
    parsed = json_format.Parse(path.read_bytes(), statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    return dict(said)


def test_statements_that_in_toto_reads(space: Space) -> None:
    space.record(space.image(GOOD))
    said = space.run("attest", "one", "-o", "out")
    assert said.exit == 0, said.stderr
    out = space.root / "out"
    assert {path.name for path in out.iterdir()} == NAMES
    made = statement(out / "provenance.intoto.json")
    parsed = json_format.ParseDict(made["predicate"], provenance_pb2.Provenance())
    assert parsed.build_definition.build_type == "urn:envbuild:build:v1"
    assert parsed.run_details.builder.version["engine"] == "podman 4.3.1"
    rows = {one.uri: one.digest["sha256"] for one in parsed.build_definition.resolved_dependencies}
    assert rows["pkg:pypi/beta@2.0"] == "a" * 64
    kinds = {statement(out / name)["predicateType"] for name in NAMES if "intoto" in name}
    assert kinds == {
        "https://slsa.dev/provenance/v1",
        "https://cyclonedx.org/bom",
        "https://spdx.dev/Document",
    }


def test_the_same_build_gives_the_same_bytes(space: Space) -> None:
    space.record(space.image(GOOD))
    for place in ("a", "b"):
        assert space.run("attest", "one", "-o", place).exit == 0
    for name in NAMES:
        assert (space.root / "a" / name).read_bytes() == (space.root / "b" / name).read_bytes()


def test_of_the_lock_alone(space: Space) -> None:
    assert space.run("attest", "one", "--lock", "-o", "out").exit == 0
    assert not (space.root / "out/provenance.intoto.json").exists()
    (subject,) = statement(space.root / "out/sbom.spdx.intoto.json")["subject"]  # type: ignore[misc]
    assert subject["name"] == "lockfiles/one/envbuild.lock.json"


# --- Signing, by a stand-in ----------------------------------------------------------------------


def test_what_cosign_is_called_with(space: Space, cosign: tuple[str, Calls]) -> None:
    path, calls = cosign
    space.record(space.image(GOOD), **PUSHED)
    said = space.run("attest", "one", "-o", "out", "--sign", "--key", "k.key", PATH=path)
    assert said.exit == 0, said.stderr
    known, blob, sign, *attests = calls()
    assert known == ["sign-blob", "--help"]
    assert blob[:3] == ["sign-blob", "--yes", "--key=k.key"]
    assert blob[4].endswith("lockfiles/one/envbuild.lock.json")
    assert sign == ["sign", "--yes", "--key=k.key", REFERENCE]
    kinds = [call[3] for call in attests]
    assert kinds == ["--type=slsaprovenance1", "--type=cyclonedx", "--type=spdxjson"]
    assert {call[-1] for call in attests} == {REFERENCE}
    assert (space.root / "out/envbuild.lock.json.sigstore.json").exists()
    assert "is signed, with its provenance and its bills" in said.stderr


def test_keyless_signing_names_no_key(space: Space, cosign: tuple[str, Calls]) -> None:
    path, calls = cosign
    assert space.run("attest", "one", "-o", "out", "--lock", "--sign", PATH=path).exit == 0
    assert not any("--key" in word for call in calls() for word in call)


@pytest.mark.parametrize("command", ["sign-blob", "sign", "attest"])
def test_cosign_that_fails(space: Space, cosign: tuple[str, Calls], command: str) -> None:
    path, _ = cosign
    space.record(space.image(GOOD), **PUSHED)
    said = space.run("attest", "one", "-o", "out", "--sign", PATH=path, COSIGN_FAILS=command)
    assert said.exit == 3
    assert "cosign could not" in said.stderr
    assert "token=*** no login" in said.stderr
    assert "--key FILE takes a key" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--sign",), 1, "this one was not pushed"),
        (("--sign", "--lock"), 3, "cosign is not installed"),
        (("--key", "x"), 2, "--key goes with --sign"),
        (("--sign", "--no-log"), 2, "--no-log goes with --key"),
        (("--variant", "no"), 2, "one has no variant 'no'"),
        (("-o", "envs/one.yaml"), 2, "envs/one.yaml is no folder"),
    ],
)
def test_what_cannot_be(space: Space, arguments: tuple[str, ...], status: int, said: str) -> None:
    space.record(space.image(GOOD))
    found = space.run("attest", "one", "-o", "out", *arguments, PATH="/nowhere")
    assert (found.exit, said in found.stderr) == (status, True), found.stderr
    assert not (space.root / "out").exists()


def test_nothing_was_built_or_from_another_lock(space: Space) -> None:
    said = space.run("attest", "one", "-o", "out")
    assert (said.exit, "was not built here" in said.stderr) == (2, True)
    space.record(space.image(GOOD), lock_digest="sha256:other")
    said = space.run("attest", "one", "-o", "out")
    assert (said.exit, "was built from another lock" in said.stderr) == (1, True)
