"""The lock folder of a profile: reading it, and the bytes of its header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.lock.model import HEADER, LOCK_FORMAT, FileDigest, Lock, SolverInput, VariantLock
from envbuild.tools import files, typed

_TAG = b"envbuild-lock-input-1\n"
_SEAL_TAG = b"envbuild-lock-seal-1\n"
_CONFLICT = (b"<<<<<<< ", b">>>>>>> ")
"""How the lines begin that git leaves around what it could not merge."""


class NewerFormatError(InputError):
    """A lock of a later format: it is whole, and nothing of it may be written over."""


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
    if asked.installed:
        asked = msgspec.structs.replace(asked, installed=())
    return sha256(_TAG + msgspec.json.encode(asked, order="sorted"))


def lock_digest(locked: VariantLock) -> str:
    """``sha256:`` and the digest of all that a variant's lock says, as canonical JSON.

    An image carries it as its label ``io.envbuild.lock-digest``.
    """
    return f"sha256:{sha256(msgspec.json.encode(locked, order='sorted'))}"


def encode(lock: Lock) -> bytes:
    """The header as it is written: sealed, sorted keys, two spaces, final newline."""
    sealed = msgspec.structs.replace(lock, seal=_seal(lock))
    return msgspec.json.format(msgspec.json.encode(sealed, order="sorted"), indent=2) + b"\n"


def _seal(lock: Lock) -> str:
    """The sha256 of all that a header says, as canonical JSON under a version tag."""
    bare = msgspec.structs.replace(lock, seal="")
    return sha256(_SEAL_TAG + msgspec.json.encode(bare, order="sorted"))


def decode(data: bytes, label: str) -> Lock:
    """A header from its bytes.

    Raises:
        NewerFormatError: a newer envbuild wrote it.
        InputError: it is cut off, not ours, half merged, or edited by hand.
    """
    try:
        lock = typed.decode(data, Lock)
    except msgspec.MsgspecError as error:
        version = _format(data)
        _refuse_newer(version, label)
        if 0 < version < LOCK_FORMAT:
            raise InputError(
                f"{label} has format {version}, of an older envbuild", hint=_anew(label)
            ) from None
        merged = any(line.startswith(_CONFLICT) for line in data.splitlines())
        wrong = "it holds the marks of a merge conflict" if merged else str(error)
        raise InputError(f"{label} cannot be read: {wrong}", hint=_anew(label)) from None
    _refuse_newer(lock.format, label)
    if lock.seal and lock.seal != _seal(lock):
        raise InputError(
            f"{label} is broken: edited by hand, or joined from two by a merge", hint=_anew(label)
        )
    return lock


def _format(data: bytes) -> int:
    """The format that a header which cannot be read says to have; 0 when it says none."""
    try:
        return typed.decode(data, _Peek).format
    except msgspec.MsgspecError:
        return 0


def _refuse_newer(version: int, label: str) -> None:
    if version > LOCK_FORMAT:
        raise NewerFormatError(
            f"{label} has format {version}; this envbuild reads up to {LOCK_FORMAT}",
            hint="a newer envbuild wrote it: upgrade envbuild",
        )


def _anew(label: str) -> str:
    profile = label.split("/")[-2] if "/" in label else ""
    again = f"envbuild lock --force {profile}".rstrip()
    return f"restore it from version control, or write it anew with: {again}"


class _Peek(Struct):
    format: int


def read(folder: str, label: str) -> LockFolder:
    """Read a lock folder; a folder that does not exist is an empty one.

    Raises:
        NewerFormatError: a newer envbuild wrote the header.
        InputError: the header cannot be read, or was edited.
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
        named.update(file.path for file in files_of(variant))
    return tuple(sorted(named))


def files_of(variant: VariantLock) -> tuple[FileDigest, ...]:
    """Every file that the lock of a variant consists of."""
    conda = variant.conda.files() if variant.conda else ()
    return (variant.wheels, *((variant.sources,) if variant.sources else ()), *conda)
