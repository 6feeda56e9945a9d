"""Whether an image is still as it was built, and signed: for ``envbuild verify``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.attest import asbuilt, cosign, provenance
from envbuild.attest.asbuilt import AsBuilt, Seen
from envbuild.build import planning, records
from envbuild.cli import verifying
from envbuild.cli.attest import PROVENANCE
from envbuild.errors import InputError
from envbuild.lock.model import HEADER
from envbuild.tools import files, oci, proc

if TYPE_CHECKING:
    from envbuild.build.records import BuiltImage
    from envbuild.cli.main import Session
    from envbuild.cli.verifying import Desk, Subject, Verdict
    from envbuild.engines.model import ImageFacts

_DIGEST = "io.envbuild.lock-digest"


class Evidence(Struct, frozen=True, kw_only=True):
    """What an image is held against beside its lock: an attestation, or without one the record of
    the build; and whose signature counts, None where none is asked for. ``bundle`` is the signature
    of the lock beside the attestation, empty where there is none."""

    root: str
    attested: AsBuilt | None = None
    trust: cosign.Trust | None = None
    bundle: str = ""


def evidence(session: Session, chosen: Mapping[str, object]) -> Evidence:
    """What the options name.

    Raises:
        InputError: the attestation cannot be read, or nobody's signature is trusted.
    """
    trust = None
    if chosen["signature"]:
        trust = cosign.Trust(
            key=str(chosen["key"]),
            identity=str(chosen["certificate_identity"]),
            issuer=str(chosen["certificate_oidc_issuer"]),
            logged=not chosen["no_log"],
        )
        trust.options()  # refused before anything is looked at
    named = str(chosen["attestation"] or "")
    if not named:
        return Evidence(root=session.root, trust=trust)
    path = os.path.join(session.here, named)
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    if os.path.isdir(path):
        path, named = f"{path}/{PROVENANCE}", f"{named.rstrip('/')}/{PROVENANCE}"
    data = files.read_bytes(path, label=named)
    bundle = f"{folder}/{cosign.BUNDLE}"
    return Evidence(
        root=session.root,
        attested=provenance.read(data, named),
        trust=trust,
        bundle=bundle if os.path.isfile(bundle) else "",
    )


def judged(found: Verdict, subject: Subject, desk: Desk, by: Evidence) -> Verdict:
    """The verdict, with whether the image is as it was built, and signed.

    Raises:
        InputError: the image cannot be read.
        ToolError: cosign or the engine failed.
    """
    if found.status == "missing":
        return found
    said = verifying.facts(found.image, desk)
    assert said is not None  # a moment ago
    record = records.read(by.root, subject.profile, subject.variant.name)
    built, why = _known(by.attested, record, said)
    faults, identities = _read(found.image, said, desk)
    if built:
        engine = desk.engine.name if desk.engine and not verifying.saved(found.image) else ""
        faults += asbuilt.differences(built, Seen(identities=identities, facts=said, engine=engine))
    if by.trust:
        faults += _unsigned(found.image, by, record, intact=bool(built and not faults))
    return msgspec.structs.replace(
        found,
        status="other" if faults else found.status,
        reasons=(*found.reasons, *faults),
        as_built="other" if faults else "same" if built else "unknown",
        by=built.source if built else why,
        signature=_signer(by.trust) if by.trust and not faults else "",
    )


def _known(
    attested: AsBuilt | None, record: BuiltImage | None, said: ImageFacts
) -> tuple[AsBuilt | None, str]:
    """What is known of the build of an image, or why nothing is."""
    label = dict(said.labels).get(_DIGEST, "")
    if attested:
        return attested, ""
    if record is None:
        return None, "no build of it is recorded here; --attestation names what another has said"
    if label and record.lock_digest != label:
        return None, "the build that is recorded here was of another lock"
    return asbuilt.recorded(record), ""


def _read(image: str, said: ImageFacts, desk: Desk) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where a saved image is not what its own digests say, and what an image is known by."""
    if not verifying.saved(image):
        return (), (said.identity,)
    with oci.opened(image.partition(":")[2], image) as opened:
        faults = tuple(asbuilt.broken(opened)) if desk.read else ()
        return faults, tuple(filter(None, (opened.identity, opened.digest)))


# --- Signatures ----------------------------------------------------------------------------------


def _signer(trust: cosign.Trust) -> str:
    return f"by the key {trust.key}" if trust.key else f"by {trust.identity}"


def _unsigned(
    image: str, by: Evidence, record: BuiltImage | None, *, intact: bool
) -> tuple[str, ...]:
    """Why a signature does not count, of the image and of the lock where one is beside the
    attestation."""
    assert by.trust is not None  # the caller looked
    signer = cosign.Signer(runner=proc.run, environ=os.environ)
    found = []
    reference = _in_registry(image, record, intact=intact)
    why = cosign.verify_image(signer, reference, by.trust)
    found += [f"its signature does not count: {why}"] if why else []
    if by.bundle and record:
        header = f"{by.root}/lockfiles/{record.profile}/{HEADER}"
        why = cosign.verify_file(signer, header, by.trust, bundle=by.bundle)
        found += [f"the signature of its lock does not count: {why}"] if why else []
    return tuple(found)


def _in_registry(image: str, record: BuiltImage | None, *, intact: bool) -> str:
    """The image by its digest in a registry, as it was signed.

    Raises:
        InputError: it is not known which one it is.
    """
    if "@sha256:" in image and not verifying.saved(image):
        return image
    if intact and record and record.digest:
        return cosign.by_digest(planning.pushed(record.tags)[0], record.digest)
    raise InputError(
        f"{image} is not known to be an image of a registry, where signatures are",
        hint="name it by its digest (REPOSITORY@sha256:…), or push it with envbuild build --push",
    )
