"""A bill of materials as SPDX 2.3, by the ecosystem's own library. Pure."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from envbuild.attest import cyclonedx
from envbuild.attest.extra import needed
from envbuild.attest.model import Bill, Component
from envbuild.errors import EnvbuildError

if TYPE_CHECKING:
    from spdx_tools.spdx.model import Document, Package, Relationship

_DOCUMENT = "SPDXRef-DOCUMENT"
_ROOT = "SPDXRef-environment"


def text(bill: Bill) -> str:
    """The bill as JSON; the same bill gives the same bytes.

    Raises:
        ToolError: the library is not installed.
        EnvbuildError: the library's own validator refuses what was made.
    """
    with needed():
        from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
        from spdx_tools.spdx.writer.json.json_writer import write_document_to_stream
    document = _document(bill)
    wrong = validate_full_spdx_document(document)
    if wrong:
        raise EnvbuildError(f"{bill.name}: the bill is no SPDX: {wrong[0].validation_message}")
    stream = io.StringIO()
    write_document_to_stream(document, stream, validate=False)
    return stream.getvalue() + "\n"


def _document(bill: Bill) -> Document:
    from spdx_tools.spdx.model import Actor, ActorType, CreationInfo, Document

    known = {one.purl: _identifier(one) for one in bill.components}
    return Document(
        creation_info=CreationInfo(
            spdx_version="SPDX-2.3",
            spdx_id=_DOCUMENT,
            name=bill.name,
            document_namespace=f"https://spdx.org/spdxdocs/envbuild-{cyclonedx.serial(bill)}",
            creators=[Actor(ActorType.TOOL, f"envbuild-{bill.maker}")],
            created=datetime.fromisoformat(bill.moment).astimezone(UTC).replace(tzinfo=None),
            document_comment="\n".join(bill.open) or None,
        ),
        packages=[_root(bill), *(_package(one, known[one.purl]) for one in bill.components)],
        relationships=list(_relationships(bill, known)),
    )


def _root(bill: Bill) -> Package:
    from spdx_tools.spdx.model import Package, PackagePurpose, SpdxNoAssertion

    return Package(
        spdx_id=_ROOT,
        name=bill.profile,
        version=bill.lock_digest,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        license_concluded=SpdxNoAssertion(),
        license_declared=SpdxNoAssertion(),
        copyright_text=SpdxNoAssertion(),
        summary=bill.summary or None,
        comment=f"variant {bill.variant}, {bill.platform}" + _of_image(bill),
        primary_package_purpose=PackagePurpose.CONTAINER,
    )


def _of_image(bill: Bill) -> str:
    return f"; held against the image {bill.image}" if bill.image else ""


def _package(one: Component, identifier: str) -> Package:
    from spdx_tools.spdx.model import (
        Checksum,
        ChecksumAlgorithm,
        ExternalPackageRef,
        ExternalPackageRefCategory,
        Package,
        SpdxNoAssertion,
    )

    several = len(one.sha256) > 1
    notes = (
        f"origin: {one.origin}",
        f"integrity: {one.integrity}" if one.integrity else "",
        f"role: {one.role}" if one.role else "",
        "one of the checksums is that of the installed file" if several else "",
        *(f"place: {place}" for place in one.places),
        f"licence as its metadata has it: {one.licence}" if one.licence else "",
    )
    return Package(
        spdx_id=identifier,
        name=one.name,
        version=one.version or None,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, digest) for digest in one.sha256],
        license_concluded=SpdxNoAssertion(),
        license_declared=_licence(one.licence) or SpdxNoAssertion(),
        copyright_text=SpdxNoAssertion(),
        comment="\n".join(filter(None, notes)),
        external_references=[
            ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", one.purl)
        ],
    )


def _licence(text: str) -> object:
    """The expression, where it consists of identifiers that SPDX has; else None."""
    from license_expression import ExpressionError, get_spdx_licensing

    if not text:
        return None
    licensing = get_spdx_licensing()
    try:
        return licensing.parse(text, validate=True)
    except ExpressionError:
        return None


def _relationships(bill: Bill, known: Mapping[str, str]) -> Iterator[Relationship]:
    from spdx_tools.spdx.model import Relationship, RelationshipType

    yield Relationship(_DOCUMENT, RelationshipType.DESCRIBES, _ROOT)
    for one in bill.components:
        kind = RelationshipType.CONTAINS
        if one.kind == "image":
            built_from = one.role in ("base", "")
            kind = RelationshipType.DEPENDS_ON if built_from else RelationshipType.OTHER
        comment = f"takes a program from it: {one.role}" if kind is RelationshipType.OTHER else None
        yield Relationship(_ROOT, kind, known[one.purl], comment)
    for purl in bill.needs:
        yield Relationship(_ROOT, RelationshipType.DEPENDS_ON, known[purl])
    for one in bill.components:
        for purl in one.needs:
            yield Relationship(known[one.purl], RelationshipType.DEPENDS_ON, known[purl])


def _identifier(one: Component) -> str:
    """Letters, digits, dots and dashes, and unique: the end is of the purl's digest."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{one.kind}-{one.name}-{one.version}")[:80].strip("-.")
    return f"SPDXRef-{name}-{hashlib.sha256(one.purl.encode()).hexdigest()[:8]}"
