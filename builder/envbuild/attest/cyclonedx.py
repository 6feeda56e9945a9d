"""A bill of materials as CycloneDX 1.6, by the ecosystem's own library. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from envbuild.attest.extra import needed
from envbuild.attest.model import Bill, Component
from envbuild.errors import EnvbuildError

if TYPE_CHECKING:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component as Part
    from cyclonedx.model.license import License

_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""The namespace of addresses (RFC 4122, appendix C)."""


def serial(bill: Bill) -> uuid.UUID:
    """The number of a bill: the same for the same lock, and image where it was held against one."""
    said = f"https://envbuild/{bill.name}/{bill.lock_digest}/{bill.image}"
    return uuid.uuid5(_SPACE, said)


def text(bill: Bill) -> str:
    """The bill as JSON; the same bill gives the same bytes.

    Raises:
        ToolError: the library is not installed.
        EnvbuildError: the library's own validator refuses what was made.
    """
    with needed():
        from cyclonedx.output.json import JsonV1Dot6
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    made: str = JsonV1Dot6(_bom(bill)).output_as_string(indent=2)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(made)
    if wrong is not None:
        raise EnvbuildError(f"{bill.name}: the bill is no CycloneDX: {str(wrong).splitlines()[0]}")
    return made + "\n"


def _bom(bill: Bill) -> Bom:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component as Part
    from cyclonedx.model.component import ComponentType
    from cyclonedx.model.tool import ToolRepository

    maker = Part(type=ComponentType.APPLICATION, name="envbuild", version=bill.maker)
    root = Part(
        type=ComponentType.CONTAINER,
        name=bill.profile,
        version=bill.lock_digest,
        bom_ref=bill.name,
        description=bill.summary or None,
        properties=[
            Property(name=f"envbuild:{name}", value=value)
            for name, value in (
                ("variant", bill.variant),
                ("platform", bill.platform),
                ("image", bill.image),
                *(("open", one) for one in bill.open),
            )
            if value
        ],
    )
    bom = Bom(
        serial_number=serial(bill),
        metadata=BomMetaData(
            timestamp=datetime.fromisoformat(bill.moment),
            component=root,
            tools=ToolRepository(components=[maker]),
        ),
    )
    parts = {one.purl: _part(one) for one in bill.components}
    for part in parts.values():
        bom.components.add(part)
    bom.register_dependency(root, [parts[purl] for purl in bill.needs])
    for one in bill.components:
        bom.register_dependency(parts[one.purl], [parts[purl] for purl in one.needs])
    return bom


def _part(one: Component) -> Part:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component as Part
    from cyclonedx.model.component import ComponentType
    from packageurl import PackageURL

    types = {"image": ComponentType.CONTAINER, "git": ComponentType.APPLICATION}
    return Part(
        type=types.get(one.kind, ComponentType.LIBRARY),
        name=one.name,
        version=one.version or None,
        bom_ref=one.purl,
        purl=PackageURL.from_string(one.purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in one.sha256],
        licenses=list(_licences(one.licence)),
        properties=list(_properties(one)),
    )


def _licences(text: str) -> Iterator[License]:
    """The licence by its identifier or expression where SPDX knows it, else by its name."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.license import LicenseAcknowledgement

    if text:
        declared = LicenseAcknowledgement.DECLARED
        yield LicenseFactory().make_from_string(text, license_acknowledgement=declared)


def _properties(one: Component) -> Iterator[Property]:
    from cyclonedx.model import Property

    several = len(one.sha256) > 1
    rows = (
        ("origin", one.origin),
        ("integrity", one.integrity),
        ("role", one.role),
        ("hashes", "one of them is that of the installed file" if several else ""),
        *(("place", place) for place in one.places),
    )
    for name, value in rows:
        if value:
            yield Property(name=f"envbuild:{name}", value=value)
