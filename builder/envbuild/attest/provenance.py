"""Statements about an image that was built (in-toto Statement v1): how it was made (SLSA provenance
v1), and what it is made of. Pure; the same record and lock give the same bytes.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from envbuild.attest.asbuilt import AsBuilt
from envbuild.attest.model import Bill, Component
from envbuild.build.records import BuiltImage
from envbuild.errors import InputError
from envbuild.tools import typed

STATEMENT = "https://in-toto.io/Statement/v1"
SLSA = "https://slsa.dev/provenance/v1"
CYCLONEDX = "https://cyclonedx.org/bom"
SPDX = "https://spdx.dev/Document"

BUILD = "urn:envbuild:build:v1"
"""The build type: what its parameters mean stands in docs/supply-chain.md."""

LOCAL = "urn:envbuild:builder:local"
"""The builder where nobody says which it is."""

_LAYERS = "envbuild.layers"
_SETTINGS = "envbuild.settings"
_DIGEST_OF = "envbuild.digest-of"


class Builder(Struct, frozen=True, kw_only=True):
    """Who runs builds: a URI, and that of the run, empty where there is none."""

    id: str = LOCAL
    run: str = ""


class LockFile(Struct, frozen=True, kw_only=True):
    """The header of a lock: its path in the workspace, and its sha256. It names every other file of
    the lock with its digest."""

    path: str
    sha256: str


def builder(environ: Mapping[str, str], named: str = "") -> Builder:
    """Who builds here: as it is named, else as the variables of GitHub's and GitLab's CI say."""
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    project = environ.get("CI_PROJECT_URL", "")
    if server and repository and environ.get("GITHUB_ACTIONS") == "true":
        workflow = environ.get("GITHUB_WORKFLOW_REF", "")
        run = environ.get("GITHUB_RUN_ID", "")
        attempt = environ.get("GITHUB_RUN_ATTEMPT", "1")
        home = f"{server}/{repository}"
        return Builder(
            id=named or (f"{server}/{workflow}" if workflow else home),
            run=f"{home}/actions/runs/{run}/attempts/{attempt}" if run else "",
        )
    if project and environ.get("GITLAB_CI") == "true":
        runner = environ.get("CI_RUNNER_ID", "")
        made = f"{project}/-/runners/{runner}" if runner else project
        return Builder(id=named or made, run=environ.get("CI_JOB_URL", ""))
    return Builder(id=named or LOCAL)


# --- What is stated ------------------------------------------------------------------------------


def predicate(bill: Bill, record: BuiltImage, *, lock: LockFile, by: Builder) -> dict[str, Any]:
    """How an image was made: SLSA provenance v1.

    Nothing of it is the moment at which it is written; the run of a CI is named where its variables
    say it.
    """
    return {
        "buildDefinition": {
            "buildType": BUILD,
            "externalParameters": {"profile": record.profile, "variant": record.variant},
            "internalParameters": {
                "lockDigest": record.lock_digest,
                "rendered": record.origin.rendered,
                "network": record.origin.network,
                "epoch": bill.moment,
                "platform": bill.platform,
            },
            "resolvedDependencies": [
                {"name": lock.path, "digest": {"sha256": lock.sha256}},
                *(row for one in bill.components for row in _resolved(one)),
            ],
        },
        "runDetails": {
            "builder": {
                "id": by.id,
                "version": {"envbuild": bill.maker, "engine": record.origin.engine},
            },
            "metadata": {"invocationId": by.run} if by.run else {},
        },
    }


def _resolved(one: Component) -> Iterator[dict[str, Any]]:
    """A component as what a build took: one row for each file that the lock allows.

    What an image brings is in the image below, which has a row of its own.
    """
    if one.kind != "image" and one.origin != "lock":
        return
    row: dict[str, Any] = {"uri": one.purl, "name": one.name}
    if one.integrity:
        row["annotations"] = {"envbuild.integrity": one.integrity}
    if one.kind == "git" and one.version:
        yield {**row, "digest": {"gitCommit": one.version}}
    elif not one.sha256:
        yield row
    for digest in one.sha256:
        yield {**row, "digest": {"sha256": digest}}


def of_image(record: BuiltImage) -> dict[str, Any]:
    """The image as the subject of a statement: by the digest of its manifest where it was pushed,
    else by that of its configuration, with what it is known by when a tool has written it anew."""
    digest, what = record.digest, "manifest"
    if not digest:
        digest, what = record.identity, "configuration"
    return {
        "name": record.reference,
        "digest": {"sha256": digest.removeprefix("sha256:")},
        "annotations": {
            _DIGEST_OF: what,
            "envbuild.configuration": record.identity,
            _LAYERS: list(record.layers),
            _SETTINGS: record.settings,
        },
    }


def of_lock(lock: LockFile) -> dict[str, Any]:
    """The lock as the subject of a statement."""
    return {"name": lock.path, "digest": {"sha256": lock.sha256}}


def statement(subjects: list[dict[str, Any]], kind: str, said: Any) -> bytes:  # noqa: ANN401 (JSON)
    """A statement as JSON, with a final newline."""
    made = {"_type": STATEMENT, "subject": subjects, "predicateType": kind, "predicate": said}
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


# --- What is read --------------------------------------------------------------------------------


class _Subject(Struct, frozen=True):
    digest: dict[str, str]
    name: str = ""
    annotations: dict[str, Any] = {}


class _Parameters(Struct, frozen=True, rename="camel"):
    lock_digest: str = ""


class _Definition(Struct, frozen=True, rename="camel"):
    build_type: str
    internal_parameters: _Parameters = _Parameters()


class _Predicate(Struct, frozen=True, rename="camel"):
    build_definition: _Definition


class _Statement(Struct, frozen=True, rename="camel"):
    type: str = msgspec.field(name="_type")
    predicate_type: str
    subject: tuple[_Subject, ...]
    predicate: _Predicate


class _Envelope(Struct, frozen=True, rename="camel"):
    payload: bytes
    payload_type: str


def read(data: bytes, label: str) -> AsBuilt:
    """What a provenance statement says of an image; one in an envelope (DSSE) is taken out of it.
    The signature of an envelope is not looked at: that is cosign's.

    Raises:
        InputError: it is no provenance that envbuild writes.
    """
    try:
        envelope = typed.decode(data, _Envelope)
        data = envelope.payload
    except msgspec.MsgspecError:
        pass  # a bare statement
    try:
        found = typed.decode(data, _Statement)
    except msgspec.MsgspecError as error:
        raise _refused(label, str(error)) from None
    if found.type != STATEMENT or found.predicate_type != SLSA:
        raise _refused(label, f"it states {found.predicate_type or 'nothing'}")
    if found.predicate.build_definition.build_type != BUILD:
        raise _refused(label, "another tool built what it is about")
    return _as_built(found, label)


def _as_built(found: _Statement, label: str) -> AsBuilt:
    for subject in found.subject:
        digest = subject.digest.get("sha256", "")
        said = subject.annotations
        if digest and _DIGEST_OF in said:
            layers = said.get(_LAYERS)
            configuration = str(said.get("envbuild.configuration", ""))
            return AsBuilt(
                source=label,
                lock_digest=found.predicate.build_definition.internal_parameters.lock_digest,
                identities=tuple(dict.fromkeys(filter(None, (f"sha256:{digest}", configuration)))),
                layers=tuple(map(str, layers)) if isinstance(layers, list) else (),
                settings=str(said.get(_SETTINGS, "")),
            )
    raise _refused(label, "it names no image")


def _refused(label: str, why: str) -> InputError:
    return InputError(
        f"{label} is no provenance of an image: {why}", hint="envbuild attest writes one"
    )
