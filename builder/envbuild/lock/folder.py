"""The lock folder of a profile: reading it, and the bytes of its header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.lock.model import HEADER, LOCK_FORMAT, Lock, SolverInput
from envbuild.tools import files

_TAG = b"envbuild-lock-input-1\n"


class LockFolder(Struct, frozen=True, kw_only=True):
    """What stands in ``lockfiles/<profile>/``: the header if there is one, and its files' sha256.

    ``label`` is the folder as the user would type it. ``texts`` are the requirement files that
    the header names, by path, for those that exist.
    """

    label: str
    header: Lock | None
    texts: Mapping[str, bytes]

    def digest(self, path: str) -> str | None:
        """The sha256 of a file of the folder; None when it is not there."""
        data = self.texts.get(path)
        return None if data is None else sha256(data)


def sha256(data: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def input_digest(asked: SolverInput) -> str:
    """The sha256 of what the solvers see, as canonical JSON under a version tag."""
    return sha256(_TAG + msgspec.json.encode(asked, order="sorted"))


def encode(lock: Lock) -> bytes:
    """The header as it is written: sorted keys, two spaces, final newline."""
    return msgspec.json.format(msgspec.json.encode(lock, order="sorted"), indent=2) + b"\n"


def decode(data: bytes, label: str) -> Lock:
    """A header from its bytes.

    Raises:
        InputError: it is cut off or not ours, or a newer envbuild wrote it.
    """
    try:
        peek = msgspec.json.decode(data, type=_Peek)
        if peek.format > LOCK_FORMAT:
            raise InputError(
                f"{label} has format {peek.format}; this envbuild reads up to {LOCK_FORMAT}",
                hint="a newer envbuild wrote it: upgrade envbuild",
            )
        return msgspec.json.decode(data, type=Lock)
    except msgspec.MsgspecError as error:
        raise InputError(
            f"{label} cannot be read: {error}",
            hint="restore it from version control, or write it anew with: "
            f"envbuild lock --force {label.split('/')[-2] if '/' in label else ''}".rstrip(),
        ) from None


class _Peek(Struct):
    format: int


def read(folder: str, label: str) -> LockFolder:
    """Read a lock folder; a folder that does not exist is an empty one.

    Raises:
        InputError: the header cannot be read.
    """
    files.recover(folder)
    data = files.read_if_exists(f"{folder}/{HEADER}")
    if data is None:
        return LockFolder(label=label, header=None, texts={})
    header = decode(data, f"{label}/{HEADER}")
    texts = {path: files.read_if_exists(f"{folder}/{path}") for path in named_files(header)}
    return LockFolder(
        label=label,
        header=header,
        texts={path: text for path, text in texts.items() if text is not None},
    )


def named_files(header: Lock) -> tuple[str, ...]:
    """Every file that a header names, sorted."""
    named = {file.path for file in header.files}
    for variant in header.variants.values():
        named.add(variant.wheels.path)
        if variant.sources:
            named.add(variant.sources.path)
    return tuple(sorted(named))
