"""What a vendored folder says of itself, as frozen values.

``vendor.json`` is a :class:`Vendored` as canonical JSON. It names no package index and no mirror:
a location is a coordinate that the reader's own settings turn into an address, or the address of
the vendor itself.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FORMAT = 1
MANIFEST = "vendor.json"

FILES = "files"
"""The folder of files: ``files/<sha256[:2]>/<sha256>/<filename>``."""

IMAGES = "images"
"""The folder of images: one OCI layout, whose blobs all images share."""

ArtifactKind = Literal[
    "wheel", "sdist", "conda", "deb", "python", "git", "git-file", "image", "blob"
]
"""``python`` is an interpreter's archive, ``git`` a bundle, ``git-file`` a small file of a bare
repository beside its pack, ``image`` a manifest (or an index), ``blob`` a part of an image."""

LocationKind = Literal[
    "index",
    "vendor-index",
    "channel",
    "address",
    "archive",
    "snapshot",
    "registry",
    "git",
    "software-heritage",
    "python-mirror",
]
"""How a location is to be read; :mod:`envbuild.build.vendor.locations` says what each means."""


class Value(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename="kebab",
    omit_defaults=True,
):
    """A frozen value of the manifest; fields at their default are not written."""


class Location(Value, frozen=True, kw_only=True):
    """A place where the same bytes are known to be: its kind, and the coordinate there."""

    kind: LocationKind
    at: str


class Artifact(Value, frozen=True, kw_only=True):
    """One file of the folder: ``sha256`` (64 hex digits) and ``size`` (bytes) are those of
    ``file``, its path below the folder."""

    kind: ArtifactKind
    name: str
    version: str
    sha256: str
    size: int
    file: str
    locations: tuple[Location, ...] = ()


class Piece(Value, frozen=True, kw_only=True):
    """A file of a build context: ``path`` below its input folder, ``sha256`` of the artifact that
    it is. ``skip``: so many bytes of the artifact are left out (a bundle's heading)."""

    path: str
    sha256: str
    skip: int = 0


class Input(Value, frozen=True, kw_only=True):
    """An input folder of a build context, and what stands in it beside its list. ``marked``: it has
    the folder ``files`` even where that is empty."""

    path: str
    kind: Literal["wheels", "sources", "git", "apt", "conda", "python"]
    pieces: tuple[Piece, ...] = ()
    marked: bool = False


class Image(Value, frozen=True, kw_only=True):
    """An image that a build stands on: its build ``argument``, the ``reference`` that the lock has
    for it, and the digest (``sha256:…``) of the manifest for the variant's platform. ``blobs`` are
    all that belongs to it, as sha256: an index where there is one, manifest, configuration, layers.
    ``config`` is the digest of the configuration, ``media_type`` that of the manifest.
    """

    argument: str
    reference: str
    manifest: str
    config: str
    media_type: str
    blobs: tuple[str, ...]


class Gap(Value, frozen=True, kw_only=True):
    """Something that cannot be had as a file, and why; ``path`` is the input folder."""

    path: str
    what: str
    why: str


class Target(Value, frozen=True, kw_only=True):
    """One variant: the digest of its lock (as its image's label has it), what it stands on, and
    what its steps take. ``lists`` is the digest of the input folders' lists."""

    profile: str
    variant: str
    platform: str
    lock: str
    lists: str
    images: tuple[Image, ...]
    inputs: tuple[Input, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.profile}/{self.variant}"

    def needs(self) -> frozenset[str]:
        """The sha256 of every artifact that it needs."""
        pieces = {piece.sha256 for one in self.inputs for piece in one.pieces}
        return frozenset(pieces | {blob for image in self.images for blob in image.blobs})


class Vendored(Value, frozen=True, kw_only=True):
    """The whole folder: targets by name, artifacts by kind, name, version and sha256. ``seal`` is
    the sha256 of all the rest, so that an edit by hand is noticed."""

    format: int = FORMAT
    targets: tuple[Target, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    seal: str = ""

    def target(self, profile: str, variant: str) -> Target | None:
        """The entry of a variant; None where it was not vendored."""
        for one in self.targets:
            if (one.profile, one.variant) == (profile, variant):
                return one
        return None
