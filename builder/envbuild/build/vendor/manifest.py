"""``vendor.json``: read, sealed, joined with another variant, written beside the images' index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from envbuild.build.vendor import layout
from envbuild.build.vendor.model import FORMAT, IMAGES, MANIFEST, Artifact, Target, Vendored
from envbuild.errors import InputError
from envbuild.tools import files, typed

_TAG = b"envbuild-vendor-seal-1\n"
_AGAIN = "restore it from where it was made, or make it again with: envbuild vendor"


class _Peek(msgspec.Struct):
    format: int


def encode(vendored: Vendored) -> bytes:
    """The manifest as it is written: sealed, sorted keys, two spaces, final newline."""
    sealed = msgspec.structs.replace(vendored, seal=_seal(vendored))
    return msgspec.json.format(msgspec.json.encode(sealed, order="sorted"), indent=2) + b"\n"


def _seal(vendored: Vendored) -> str:
    bare = msgspec.structs.replace(vendored, seal="")
    return hashlib.sha256(_TAG + msgspec.json.encode(bare, order="sorted")).hexdigest()


def decode(data: bytes, label: str) -> Vendored:
    """A manifest from its bytes; ``label`` is what messages call it.

    Raises:
        InputError: it is cut off, not ours, of another format, or edited by hand.
    """
    try:
        version = typed.decode(data, _Peek).format
    except msgspec.MsgspecError:
        version = 0
    if version > FORMAT:
        raise InputError(
            f"{label} has format {version}; this envbuild reads up to {FORMAT}",
            hint="a newer envbuild wrote it: upgrade envbuild",
        )
    try:
        found = typed.decode(data, Vendored)
    except msgspec.MsgspecError as error:
        raise InputError(f"{label} cannot be read: {error}", hint=_AGAIN) from None
    if found.seal != _seal(found):
        raise InputError(f"{label} is broken: it was edited, or cut", hint=_AGAIN)
    return found


def read(folder: str) -> Vendored:
    """What a vendored folder says of itself.

    Raises:
        InputError: it is none, or its manifest cannot be read.
    """
    data = files.read_if_exists(f"{folder}/{MANIFEST}")
    if data is None:
        raise InputError(
            f"{folder} holds no {MANIFEST}", hint="envbuild vendor PROFILE DIR makes such a folder"
        )
    return decode(data, f"{folder}/{MANIFEST}")


def read_or_new(folder: str) -> Vendored:
    """The same, and an empty one where nothing was vendored yet.

    Raises:
        InputError: its manifest cannot be read.
        ToolError: what a killed process left of it cannot be put right.
    """
    files.recover(folder)
    there = files.read_if_exists(f"{folder}/{MANIFEST}") is not None
    return read(folder) if there else Vendored()


def joined(before: Vendored, target: Target, artifacts: Iterable[Artifact]) -> Vendored:
    """The manifest with a variant in it, in place of what it was before; artifacts that nothing
    needs any more are no part of it."""
    others = (one for one in before.targets if one.name != target.name)
    targets = tuple(sorted((*others, target), key=lambda one: one.name))
    needed = frozenset().union(*(one.needs() for one in targets))
    known = {(one.sha256, one.file): one for one in (*before.artifacts, *artifacts)}
    kept = (one for one in known.values() if one.sha256 in needed)
    return Vendored(targets=targets, artifacts=tuple(sorted(kept, key=_order)))


def _order(one: Artifact) -> tuple[str, str, str, str, str]:
    return (one.kind, one.name, one.version, one.sha256, one.file)


def write(folder: str, vendored: Vendored) -> None:
    """Write the manifest and the index of the images, both or neither.

    Raises:
        ToolError: the folder cannot be written.
    """
    sizes = {one.sha256: one.size for one in vendored.artifacts}
    images = (image for target in vendored.targets for image in target.images)
    made = {MANIFEST: encode(vendored)}
    made |= {f"{IMAGES}/{name}": data for name, data in layout.heading(images, sizes).items()}
    files.write_tree(folder, made)
