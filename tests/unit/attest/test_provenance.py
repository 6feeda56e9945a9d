"""Statements about an image: what they say, and reading them back."""

from __future__ import annotations

import base64
import json

import pytest

from envbuild.attest import provenance
from envbuild.attest.bill import bill
from envbuild.attest.provenance import Builder, LockFile
from envbuild.errors import InputError
from tests.unit.attest.samples import COMMIT, NAME, built, subject

LOCK = LockFile(path="lockfiles/one/envbuild.lock.json", sha256="f" * 64)


def stated(**fields: object) -> bytes:
    record = built(**fields)
    said = provenance.predicate(bill(subject()), record, lock=LOCK, by=Builder())
    return provenance.statement([provenance.of_image(record)], provenance.SLSA, said)


def test_what_was_locked_is_what_it_was_built_from() -> None:
    said = json.loads(stated())
    rows = said["predicate"]["buildDefinition"]["resolvedDependencies"]
    digests = {row.get("uri", row["name"]): row.get("digest") for row in rows}
    assert digests[LOCK.path] == {"sha256": "f" * 64}
    assert digests[f"pkg:github/team/lab@{COMMIT}"] == {"gitCommit": COMMIT}
    assert digests["pkg:deb/ubuntu/curl@7.81-1?arch=amd64&distro=ubuntu-22.04"] is None
    assert [row["digest"]["sha256"][0] for row in rows if row["name"] == "alpha"] == ["a", "b"]
    assert not any(row["name"] in ("numpy", "kit") for row in rows)  # within the base
    assert any(str(row.get("uri")).startswith("pkg:oci/ubuntu@sha256:") for row in rows)


def test_the_same_record_gives_the_same_bytes() -> None:
    assert stated() == stated()


def test_the_subject_is_the_manifest_where_it_was_pushed() -> None:
    digest = f"sha256:{'9' * 64}"
    (pushed,) = json.loads(stated(digest=digest))["subject"]
    assert pushed["digest"] == {"sha256": "9" * 64}
    assert pushed["annotations"]["envbuild.digest-of"] == "manifest"
    (local,) = json.loads(stated())["subject"]
    assert local["digest"] == {"sha256": "1" * 64}
    assert local["annotations"]["envbuild.digest-of"] == "configuration"


def test_who_builds() -> None:
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "team/robot",
        "GITHUB_WORKFLOW_REF": "team/robot/.github/workflows/x.yml@refs/heads/main",
        "GITHUB_RUN_ID": "7",
    }
    found = provenance.builder(github)
    assert found.id == "https://github.com/team/robot/.github/workflows/x.yml@refs/heads/main"
    assert found.run == "https://github.com/team/robot/actions/runs/7/attempts/1"
    gitlab = {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example.com/robot",
        "CI_RUNNER_ID": "3",
        "CI_JOB_URL": "https://gitlab.example.com/robot/-/jobs/5",
    }
    found = provenance.builder(gitlab)
    assert found.id == "https://gitlab.example.com/robot/-/runners/3"
    assert found.run == gitlab["CI_JOB_URL"]
    assert provenance.builder({}) == Builder(id=provenance.LOCAL)
    assert provenance.builder({}, "https://own.example.com").id == "https://own.example.com"


# --- Read back -----------------------------------------------------------------------------------


def test_what_was_stated_is_read() -> None:
    record = built(digest=f"sha256:{'9' * 64}")
    found = provenance.read(stated(digest=record.digest), "x")
    assert found.identities == (record.digest, record.identity)
    assert (found.layers, found.settings) == (record.layers, record.settings)
    assert found.lock_digest == record.lock_digest


def test_in_an_envelope() -> None:
    payload = base64.b64encode(stated()).decode()
    envelope = {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": []}
    found = provenance.read(json.dumps(envelope).encode(), "x")
    assert found.identities == (built().identity,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"{", b"", "x is no provenance of an image"),
        (b"https://slsa.dev/provenance/v1", b"https://cyclonedx.org/bom", "it states https://cyc"),
        (b"urn:envbuild:build:v1", b"https://other.example.com", "another tool built"),
        (b"envbuild.digest-of", b"other", "it names no image"),
    ],
)
def test_what_is_none(old: bytes, new: bytes, said: str) -> None:
    with pytest.raises(InputError, match="x is no provenance") as caught:
        provenance.read(stated().replace(old, new, 1), "x")
    assert said in caught.value.message


def test_a_bill_is_about_the_image_and_its_lock() -> None:
    data = provenance.statement(
        [provenance.of_image(built()), provenance.of_lock(LOCK)], provenance.SPDX, {"a": 1}
    )
    said = json.loads(data)
    assert [one["name"] for one in said["subject"]] == [f"one:{NAME}", LOCK.path]
    assert said["predicate"] == {"a": 1}
