"""Small locks for the tests of what reads two of them."""

from __future__ import annotations

import msgspec

from envbuild.lock.diff import LockSide
from envbuild.lock.model import (
    LOCK_FORMAT,
    FileDigest,
    Lock,
    LockedPackage,
    Provided,
    Request,
    SolverInput,
    VariantLock,
)

INPUT = SolverInput(
    image="nvcr.io/nvidia/isaac-sim:5.1.0",
    python="3.11",
    platform="x86_64-manylinux_2_35",
    as_of="2026-01-01T00:00:00Z",
    requirements=("numpy",),
)
FILE = FileDigest(path="x.txt", sha256="0" * 64)


def package(name: str, version: str, *askers: str, integrity: str = "wheel") -> LockedPackage:
    """A package; an asker is ``name`` or ``name>=1``."""
    requested = []
    for asker in askers or ("profile",):
        by = asker.rstrip("<>=!.0123456789")
        requested.append(Request(by=by, bounds=asker.removeprefix(by)))
    value = {"name": name, "version": version, "integrity": integrity}
    return msgspec.structs.replace(
        msgspec.convert({**value, "requested": []}, LockedPackage), requested=tuple(requested)
    )


def variant(
    *packages: LockedPackage, provided: tuple[Provided, ...] = (), **asked: object
) -> VariantLock:
    return VariantLock(
        digest="d",
        input=msgspec.structs.replace(INPUT, **asked),
        wheels=FILE,
        packages=packages,
        provided=provided,
    )


def side(
    variants: dict[str, VariantLock] | VariantLock,
    hashes: dict[str, tuple[str, ...]] | None = None,
) -> LockSide:
    """One side of a comparison; ``hashes`` hold for each of its variants."""
    named = variants if isinstance(variants, dict) else {"linux-amd64-cu128": variants}
    found = {name: frozenset(values) for name, values in (hashes or {}).items()}
    lock = Lock(format=LOCK_FORMAT, profile="one", tools={}, variants=named)
    return LockSide(label="x", lock=lock, hashes=dict.fromkeys(named, found))
