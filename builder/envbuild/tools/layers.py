"""The layers of an image, one by one: which packages are in it. Nothing is extracted or run."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from typing import IO, Literal

from msgspec import Struct
from packaging.utils import canonicalize_name

from envbuild.errors import InputError
from envbuild.tools import licences, overlaid
from envbuild.tools.tars import path_of

_LONGEST = 64 * 1024 * 1024
"""Bytes of one record that are read; dpkg's status of a full desktop has a tenth of it."""

_RECORDS = re.compile(
    r"(?P<wheel>.*\.dist-info/METADATA)"
    r"|(?P<egg>.*\.egg-info(?:/PKG-INFO)?)"
    r"|(?P<conda>.*/?conda-meta/[^/]+\.json)"
    r"|(?P<apt>var/lib/dpkg/status(?:\.d/[^/]+)?)"
)
_NOT_A_SITE = re.compile(r"(^|/)(pkgs|_vendor)(/|$)")
"""Folders whose packages are not importable: conda's cache, and what others have vendored."""


class ImagePackage(Struct, frozen=True, kw_only=True, order=True):
    """A package of an image. ``place``: the site of a Python package, the prefix of a conda
    package, empty for apt. ``origin``: the channel of a conda package, and its build. ``licence``
    is what its own record says, empty where that says nothing."""

    kind: Literal["python", "conda", "apt"]
    name: str
    version: str
    place: str = ""
    origin: str = ""
    build: str = ""
    licence: str = ""


class Layers:
    """What the layers that were added so far make of an image."""

    def __init__(self) -> None:
        self._records: dict[str, tuple[ImagePackage, ...]] = {}

    def packages(self) -> tuple[ImagePackage, ...]:
        """Every package, sorted."""
        found = {one for records in self._records.values() for one in records}
        return tuple(sorted(one for one in found if not _NOT_A_SITE.search(one.place)))

    def add(self, stream: IO[bytes], label: str) -> None:
        """Lay one layer over those before: a tar, plain or packed with gzip or zstd.

        Raises:
            InputError: it is cut off or no tar.
        """
        come: dict[str, tuple[ImagePackage, ...]] = {}
        hidden = overlaid.Hidden(self._records)
        try:
            for path, tar, member in hidden.members(stream):
                _keep(come, path, tar, member=member)
        except overlaid.DAMAGE as error:
            raise InputError(f"{label} cannot be read: {str(error).lower()}") from None
        below = {path: found for path, found in self._records.items() if path not in hidden}
        self._records = below | come


def _keep(
    come: dict[str, tuple[ImagePackage, ...]],
    path: str,
    tar: tarfile.TarFile,
    *,
    member: tarfile.TarInfo,
) -> None:
    found = _RECORDS.fullmatch(path)
    if not found:
        return
    kind = found.lastgroup or ""
    if member.islnk():
        known = come.get(path_of(member.linkname), ())
        come[path] = tuple(_moved(one, path) for one in known)
        return
    file = tar.extractfile(member) if member.isreg() else None
    data = file.read(_LONGEST) if file else b""
    come[path] = tuple(_packages(kind, path, data))


def _moved(package: ImagePackage, path: str) -> ImagePackage:
    return ImagePackage(
        kind=package.kind,
        name=package.name,
        version=package.version,
        place=_place(package.kind, path),
        origin=package.origin,
        build=package.build,
        licence=package.licence,
    )


def _place(kind: str, path: str) -> str:
    if kind == "apt":
        return ""
    marker = "conda-meta" if kind == "conda" else r"[^/]*\.(dist|egg)-info"
    return "/" + re.sub(rf"/?{marker}(/[^/]*)?$", "", path)


def _packages(kind: str, path: str, data: bytes) -> Iterator[ImagePackage]:
    if kind == "conda":
        yield from _conda(path, data)
    elif kind == "apt":
        yield from debian_packages(data)
    else:
        name, version = _named(path)
        for line in data.partition(b"\n\n")[0].decode("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key.lower() == "name":
                name = value.strip()
            elif key.lower() == "version":
                version = value.strip()
        if name:
            name = canonicalize_name(name)
            yield ImagePackage(
                kind="python",
                name=name,
                version=version,
                place=_place("python", path),
                licence=licences.of_metadata(data),
            )


def _named(path: str) -> tuple[str, str]:
    """Name and version as the folder says them: ``numpy-1.26.0.dist-info``."""
    found = re.search(r"([^/]+)\.(?:dist|egg)-info(?:/[^/]*)?$", path)
    name, _, rest = (found[1] if found else "").partition("-")
    return name, rest.partition("-")[0]


def _conda(path: str, data: bytes) -> Iterator[ImagePackage]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(said, dict) and isinstance(said.get("name"), str):
        yield ImagePackage(
            kind="conda",
            name=said["name"],
            version=str(said.get("version", "")),
            place=_place("conda", path),
            origin=str(said.get("channel", "")),
            build=str(said.get("build", "")),
            licence=licences.plain(str(said.get("license") or "")),
        )


def debian_packages(data: bytes) -> Iterator[ImagePackage]:
    """What is installed, of a status file of dpkg."""
    for paragraph in data.decode("utf-8", "replace").split("\n\n"):
        lines = (line.partition(": ") for line in paragraph.splitlines() if line[:1] != " ")
        fields = {key: value for key, _, value in lines}
        status = fields.get("Status", "install ok installed")
        if fields.get("Package") and status.endswith(" installed"):
            yield ImagePackage(
                kind="apt", name=fields["Package"], version=fields.get("Version", "")
            )
