"""What a registry says, as values: indexes, manifests, configurations, challenges. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from envbuild.tools import typed
from envbuild.tools.net import NetError

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = {"Accept": ", ".join((*_INDEXES, *_MANIFESTS))}
"""What is asked for: without it a registry may answer in the forms of ten years ago."""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_PARAMETER = re.compile(r'([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_Kind = TypeVar("_Kind")


class Blob(Struct, frozen=True, rename={"media_type": "mediaType"}):
    """A part of an image: its digest, and its size in bytes as it is stored."""

    digest: str
    size: int
    media_type: str = ""


class Manifest(Struct, frozen=True, kw_only=True):
    """An image of one platform; ``digest`` is that of its manifest, ``layers`` lowest first."""

    digest: str
    config: Blob
    layers: tuple[Blob, ...]


class Raw(Struct, frozen=True, kw_only=True):
    """An index or a manifest as its registry has it: every byte, and what they are said to be."""

    digest: str
    media_type: str
    data: bytes


class Platform(Struct, frozen=True):
    """What an entry of an index is for."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Entry(Struct, frozen=True):
    """An entry of an index."""

    digest: str
    platform: Platform = Platform()


class Document(Struct, frozen=True):
    """An index or a manifest; which of them it is, its lists say."""

    manifests: tuple[Entry, ...] = ()
    config: Blob | None = None
    layers: tuple[Blob, ...] = ()


class Config(Struct, frozen=True):
    """What the configuration of an image says of it; ``created`` as RFC 3339."""

    architecture: str = ""
    os: str = ""
    created: str | None = None


class Challenge(Struct, frozen=True, kw_only=True):
    """How a registry wants to be asked: the scheme in lower case, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a header ``WWW-Authenticate`` (RFC 9110, 11.6.1)."""
    found: list[Challenge] = []
    for part in re.split(r"(?:^|,)\s*(?=[A-Za-z]+(?:\s+[A-Za-z][\w-]*\s*=|\s*$|\s*,))", header):
        scheme, _, rest = part.strip().partition(" ")
        if scheme:
            parameters = {
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
                for name, quoted, plain in _PARAMETER.findall(rest)
            }
            found.append(Challenge(scheme=scheme.lower(), parameters=parameters))
    return tuple(found)


def decoded(data: bytes, kind: type[_Kind], label: str) -> _Kind:
    """A value from the JSON of an answer; ``label`` is what was asked for.

    Raises:
        NetError: it is not JSON, or not in the form of a registry.
    """
    try:
        return typed.decode(data, kind)
    except msgspec.MsgspecError as error:
        said = f"{label}: {error}"
        raise NetError("the registry's answer cannot be read", detail=said) from None


def fitting(entries: Iterable[Entry], architecture: str) -> str:
    """The digest of the manifest of an index that is for Linux on an architecture.

    Of several, one without a variant of the processor comes first, then ``v8``, which every arm64
    is; others need more than the architecture says.

    Raises:
        NetError: there is none.
    """
    wanted = ("linux", architecture)
    here = [one for one in entries if (one.platform.os, one.platform.architecture) == wanted]
    for variant in ("", "v8"):
        for one in here:
            if one.platform.variant == variant and DIGEST.fullmatch(one.digest):
                return one.digest
    raise NetError(f"the image has no linux/{architecture}")
