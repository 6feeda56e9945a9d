"""``envbuild attest``: provenance and bills of an image that was built, to be signed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from envbuild.build import planning, records
from envbuild.cli import attesting, common
from envbuild.errors import EnvbuildError, InputError
from envbuild.lock.model import HEADER
from envbuild.tools import files, proc
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.attest.bill import Subject
    from envbuild.attest.cosign import Signer
    from envbuild.attest.model import Bill
    from envbuild.attest.provenance import LockFile
    from envbuild.build.records import BuiltImage
    from envbuild.cli.main import Session

PROVENANCE = "provenance.intoto.json"
_CYCLONEDX = "sbom.cyclonedx.json"
_SPDX = "sbom.spdx.json"


@click.command("attest")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.option("--variant", metavar="NAME", help="This variant, not the first one.")
@click.option("-o", "--output", metavar="DIR", required=True, help="Write them there.")
@click.option("--lock", "alone", is_flag=True, help="Of the lock alone: no image is needed.")
@click.option("--builder-id", metavar="URI", default="", help="Who builds; default: what CI says.")
@click.option("--sign", is_flag=True, help="Sign the lock, and the image that was pushed.")
@click.option("--key", metavar="FILE", default="", help="With --sign: this key, not keyless.")
@click.option("--no-log", is_flag=True, help="With --key: not in the public transparency log.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    profile: str,
    variant: str | None,
    output: str,
    **chosen: object,
) -> int:
    """State how the image of PROFILE was made, and of what: in-toto statements in DIR.

    Provenance as SLSA has it, and bills of materials as CycloneDX and SPDX. The same build gives
    the same bytes. --sign calls cosign: for the lock, and for the image by its digest in the
    registry, to which the statements are attached.
    """
    from envbuild.attest import bill, cosign

    if chosen["key"] and not chosen["sign"]:
        raise click.UsageError("--key goes with --sign")
    if chosen["no_log"] and not chosen["key"]:
        raise click.UsageError("--no-log goes with --key: keyless signatures are worth their log")
    subject = attesting.subject(session, profile, variant)
    record = None if chosen["alone"] else _built(session, subject)
    signer = cosign.Signer(runner=proc.run, environ=os.environ, key=str(chosen["key"]))
    if chosen["sign"]:
        if record:
            cosign.by_digest(_pushed(record), record.digest)
        signer = cosign.ready(signer, logged=not chosen["no_log"])
    made = bill.bill(subject)
    lock = _lock_file(session, profile)
    texts = _texts(made, record, lock=lock, builder_id=str(chosen["builder_id"]))
    folder = _write(session, output, texts)
    session.console.say(f"{made.name}: {len(texts)} files in {output}")
    if chosen["sign"]:
        _sign_lock(session, signer, lock=lock, folder=folder)
        if record:
            _sign_image(session, signer, record=record, texts=texts)
    return 0


def _built(session: Session, subject: Subject) -> BuiltImage:
    """The record of the build of a variant, from its lock as it stands.

    Raises:
        EnvbuildError: it was built from another lock.
        InputError: it was not built here.
    """
    from envbuild.lock.folder import lock_digest

    name, variant = subject.variant.environment.name, subject.variant.name
    record = records.read(session.root, name, variant)
    if record is None:
        raise InputError(
            f"{name}/{variant} was not built here",
            hint=f"envbuild build {name} --variant {variant}; --lock states of the lock alone",
        )
    if record.lock_digest != lock_digest(subject.locked):
        raise EnvbuildError(
            f"{name}/{variant}: the image was built from another lock",
            hint=f"envbuild build {name} --variant {variant}",
        )
    return record


def _lock_file(session: Session, profile: str) -> LockFile:
    from envbuild.attest.provenance import LockFile

    label = f"lockfiles/{profile}/{HEADER}"
    return LockFile(path=label, sha256=files.sha256(session.workspace.path(label)))


def _texts(
    made: Bill, record: BuiltImage | None, *, lock: LockFile, builder_id: str
) -> dict[str, bytes]:
    """The files by their names; the provenance only where something was built."""
    from envbuild.attest import cyclonedx, provenance, spdx

    subjects = [provenance.of_lock(lock)]
    texts: dict[str, bytes] = {}
    if record:
        by = provenance.builder(os.environ, builder_id)
        said = provenance.predicate(made, record, lock=lock, by=by)
        image = provenance.of_image(record)
        texts[PROVENANCE] = provenance.statement([image], provenance.SLSA, said)
        subjects.insert(0, image)
    for name, text, kind in (
        (_CYCLONEDX, cyclonedx.text(made), provenance.CYCLONEDX),
        (_SPDX, spdx.text(made), provenance.SPDX),
    ):
        texts[name] = text.encode()
        stated = f"{name.removesuffix('.json')}.intoto.json"
        texts[stated] = provenance.statement(subjects, kind, json.loads(text))
    return texts


def _write(session: Session, output: str, texts: Mapping[str, bytes]) -> str:
    folder = os.path.normpath(os.path.join(session.here, output))
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"{output} is no folder", hint="name one, or a place where none is yet")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise cannot_write(output, error) from None
    files.write_tree(folder, texts)
    return folder


# --- Signing -------------------------------------------------------------------------------------


def _pushed(record: BuiltImage) -> str:
    """The first name of an image that has a registry in it; empty where none has."""
    try:
        return planning.pushed(record.tags)[0]
    except InputError:
        return ""


def _sign_lock(session: Session, signer: Signer, *, lock: LockFile, folder: str) -> None:
    from envbuild.attest import cosign

    header = session.workspace.path(lock.path)
    cosign.sign_file(signer, header, bundle=f"{folder}/{cosign.BUNDLE}")
    session.console.say(f"{lock.path} is signed: {cosign.BUNDLE}")


def _sign_image(
    session: Session, signer: Signer, *, record: BuiltImage, texts: Mapping[str, bytes]
) -> None:
    from envbuild.attest import cosign

    image = cosign.by_digest(_pushed(record), record.digest)
    cosign.sign_image(signer, image)
    provenance = json.loads(texts[PROVENANCE])["predicate"]
    for kind, predicate in (
        ("slsaprovenance1", provenance),
        ("cyclonedx", json.loads(texts[_CYCLONEDX])),
        ("spdxjson", json.loads(texts[_SPDX])),
    ):
        cosign.attest_image(signer, image, kind=kind, predicate=predicate)
    session.console.say(f"{image} is signed, with its provenance and its bills", style="good")
