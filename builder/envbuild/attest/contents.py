"""A bill of materials held against what an image has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.attest import purls
from envbuild.attest.model import Bill, Component, Kind
from envbuild.tools.layers import ImagePackage

_KINDS: Mapping[str, Kind] = {"python": "pypi", "conda": "conda", "apt": "deb"}

_Held = dict[tuple[Kind, str], list[ImagePackage]]


class Held(Struct, frozen=True, kw_only=True):
    """A bill with everything that the image has. ``lacking`` is what the lock has and the image has
    not, one sentence each."""

    bill: Bill
    lacking: tuple[str, ...]


def held(bill: Bill, packages: Iterable[ImagePackage], *, image: str) -> Held:
    """The bill of an image: the lock's components with the places where the image has them, and
    what the image has beside them. ``image`` is the digest of its configuration.

    A version that the lock leaves open is the image's. A git source leaves no record of its commit
    in an image, and neither does an image that a build stood on: those stand as the lock has them.
    """
    found: _Held = {}
    for one in packages:
        found.setdefault((_KINDS[one.kind], one.name), []).append(one)
    kept: list[Component] = []
    lacking: list[str] = []
    moved: dict[str, str] = {}
    for component in bill.components:
        now, why = _placed(component, found, bill)
        lacking += [why] if why else []
        moved[component.purl] = now.purl
        kept.append(now)
    kept += _beside(kept, found, bill)
    components = {one.purl: _renamed(one, moved) for one in kept}
    return Held(
        bill=msgspec.structs.replace(
            bill,
            components=tuple(components[purl] for purl in sorted(components)),
            needs=tuple(sorted(moved[one] for one in bill.needs)),
            image=image,
        ),
        lacking=tuple(lacking),
    )


def _placed(component: Component, found: _Held, bill: Bill) -> tuple[Component, str]:
    """A component with its places in the image; and why it is not there."""
    if component.kind in ("git", "image"):
        return component, ""
    there = found.get((component.kind, component.name), [])
    if component.version:
        same = [one for one in there if one.version == component.version]
    else:
        same = there[:1] if len({one.version for one in there}) == 1 else []
    if not same:
        has = ", ".join(sorted({one.version for one in there})) or "nothing"
        if not component.version and component.origin == "base":
            return component, ""
        return component, f"{component.shown}: the image has {has}"
    purl = component.purl
    if not component.version:
        purl = _purl(same[0], bill)
    places = tuple(sorted({one.place for one in same if one.place}))
    licences = sorted({one.licence for one in same if one.licence})
    return (
        msgspec.structs.replace(
            component,
            version=same[0].version,
            purl=purl,
            places=places,
            licence=component.licence or (licences[0] if len(licences) == 1 else ""),
        ),
        "",
    )


def _beside(kept: Iterable[Component], found: _Held, bill: Bill) -> Iterator[Component]:
    """What the image has and the bill does not: a base brings packages of its own."""
    known = {(one.kind, one.name, one.version) for one in kept}
    brought = {(name, version) for kind, name, version in known if kind == "conda"}
    for (kind, name), packages in found.items():
        by_version: dict[str, list[ImagePackage]] = {}
        for one in packages:
            by_version.setdefault(one.version, []).append(one)
        for version, same in by_version.items():
            if (kind, name, version) in known or (kind == "pypi" and (name, version) in brought):
                continue
            yield Component(
                kind=kind,
                name=name,
                version=version,
                purl=_purl(same[0], bill),
                origin="image",
                places=tuple(sorted({one.place for one in same if one.place})),
                licence=same[0].licence,
            )


def _purl(package: ImagePackage, bill: Bill) -> str:
    if package.kind == "python":
        return purls.pypi(package.name, package.version)
    if package.kind == "conda":
        head, _, last = package.origin.rstrip("/").rpartition("/")
        platform = "-" in last or last == "noarch"  # as in …/conda-forge/linux-64
        channel = head.rpartition("/")[2] if head and platform and "/" in head else last
        return purls.conda(
            package.name,
            package.version,
            build=package.build,
            channel=channel,
            subdir=last if channel != last else "",
        )
    return purls.deb(
        package.name,
        package.version,
        distribution=bill.distribution,
        architecture=bill.platform.rpartition("/")[2],
    )


def _renamed(component: Component, moved: Mapping[str, str]) -> Component:
    needs = tuple(sorted(moved.get(one, one) for one in component.needs))
    return msgspec.structs.replace(component, needs=needs)
