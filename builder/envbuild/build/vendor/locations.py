"""Where an artifact is known to be, beside the folder. Pure.

- ``index``: ``<name>==<version> <filename>``, in the package index of the reader's settings;
- ``vendor-index``: the same, in an index that the profile itself names, with its address;
- ``channel``: ``<channel> <subdir>/<filename>``, by the reader's conda settings (mirrors too);
- ``address``: the file at its publisher's own address;
- ``archive``: ``<name>=<version> <architecture>``, in the archive that the base image names;
- ``snapshot``: the same, and the moment as apt's ``--snapshot`` takes it;
- ``registry``: a reference with a digest; a blob stands behind a blank;
- ``git``: ``<address>@<commit>``;
- ``software-heritage``: the commit as a SWHID, for public repositories;
- ``python-mirror``: ``<release>/<filename>``, in the reader's mirror of Python builds.

What comes from any of them is held against the artifact's sha256: a place that has other bytes by
now costs an attempt, and nothing else.
"""

from __future__ import annotations

import re

from envbuild.build.vendor.model import Location
from envbuild.tools import addresses
from envbuild.tools.references import parse

_RELEASES = "https://github.com/astral-sh/python-build-standalone/releases/download"
_ARCHIVED = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
"""Forges whose public repositories Software Heritage keeps."""

_HUB = "docker.io"
_HUB_MIRROR = "mirror.gcr.io"
"""Google's cache of Docker Hub."""

_OFFICIAL = "public.ecr.aws/docker"
"""Docker's own official images (``library/…``), published by Docker at Amazon too."""


def package(name: str, version: str, filename: str, *, vendor: str = "") -> tuple[Location, ...]:
    """Of a wheel or a source distribution; ``vendor`` is the address of the index that the profile
    names for it (empty: none)."""
    at = f"{name}=={version} {filename}"
    own = (Location(kind="vendor-index", at=f"{at} {vendor}"),) if vendor else ()
    return (*own, Location(kind="index", at=at))


def conda(channel: str, address: str) -> tuple[Location, ...]:
    """Of a conda package, from the channel's name and the address that the lock has."""
    subdir, name = address.split("/")[-2:]
    return (
        Location(kind="channel", at=f"{channel} {subdir}/{name}"),
        Location(kind="address", at=address),
    )


def deb(name: str, version: str, architecture: str, *, snapshot: str) -> tuple[Location, ...]:
    """Of a Debian package; ``snapshot`` empty: the archive keeps no old states."""
    at = f"{name}={version} {architecture}"
    old = (Location(kind="snapshot", at=f"{at} {snapshot}"),) if snapshot else ()
    return (Location(kind="archive", at=at), *old)


def python(release: str, filename: str) -> tuple[Location, ...]:
    """Of an interpreter's archive."""
    return (
        Location(kind="address", at=f"{_RELEASES}/{release}/{filename}"),
        Location(kind="python-mirror", at=f"{release}/{filename}"),
    )


def git(url: str, commit: str) -> tuple[Location, ...]:
    """Of a commit; an address on this disk is nobody else's."""
    if url.startswith("file:"):
        return ()
    found = [Location(kind="git", at=f"{url}@{commit}")]
    if _host(url) in _ARCHIVED and re.fullmatch(r"[0-9a-f]{40}", commit):
        found.append(Location(kind="software-heritage", at=f"swh:1:rev:{commit}"))
    return tuple(found)


def image(reference: str, digest: str, *, blob: str = "") -> tuple[Location, ...]:
    """Of a manifest, or of a blob (``sha256:…``) of it."""
    asked = parse(reference)
    places = [f"{asked.registry}/{asked.repository}"]
    if asked.registry == _HUB:
        places.append(f"{_HUB_MIRROR}/{asked.repository}")
        if asked.repository.startswith("library/"):
            places.append(f"{_OFFICIAL}/{asked.repository}")
    part = f" {blob}" if blob else ""
    return tuple(Location(kind="registry", at=f"{one}@{digest}{part}") for one in places)


def _host(url: str) -> str:
    if "://" in url:
        return addresses.host(url)
    return url.partition("@")[2].partition(":")[0]  # git@github.com:owner/name
