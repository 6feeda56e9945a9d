"""Lock folders of a few packages, for the tests of what lies between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from tests.support.locks import INPUT

from envbuild.lock.folder import LockFolder, sha256
from envbuild.lock.model import (
    LOCK_FORMAT,
    AptPins,
    CondaHalf,
    CondaInput,
    CondaPackage,
    CondaTarget,
    Demand,
    FileDigest,
    GitPin,
    ImagePin,
    Lock,
    LockedPackage,
    VariantLock,
)
from envbuild.nightly.bisecting.differing import Side

VARIANT = "linux-amd64-cu128"


def conda_package(name: str, version: str, python: str = "") -> CondaPackage:
    digest = sha256(f"{name} {version}".encode())
    return CondaPackage(name=name, version=version, build="0", sha256=digest, python=python)


def side(
    *packages: LockedPackage,
    conda: Iterable[CondaPackage] = (),
    depends: Mapping[str, Mapping[str, str]] | None = None,
    demands: Iterable[Demand] = (),
    pins: Mapping[str, object] | None = None,
    hashes: Mapping[str, str] | None = None,
    variants: Iterable[str] = (VARIANT,),
    **asked: object,
) -> Side:
    """A side whose variants are all alike; ``pins`` are fields of a variant's lock."""
    lines = [
        f"{one.name}=={one.version} \\\n    --hash=sha256:"
        + (hashes or {}).get(one.name, sha256(f"{one.name} {one.version}".encode()))
        for one in packages
    ]
    text = "".join(f"{line}\n" for line in lines).encode()
    texts = {"x.txt": text}
    half = None
    wanted = tuple(conda)
    if wanted:
        target = CondaTarget(platform="linux-64", virtual_packages=())
        asked = {"conda": CondaInput(channels=("c",), packages=(), targets=(target,)), **asked}
        rows = (
            f"https://c/linux-64/{one.name}-{one.version}-0.conda#sha256:{one.sha256}\n"
            for one in wanted
        )
        texts["e.txt"] = "".join(rows).encode()
        file = FileDigest(path="e.txt", sha256=sha256(texts["e.txt"]))
        half = CondaHalf(
            solver="s",
            packages=wanted,
            explicit=(file,),
            environment=file,
            lock=file,
            virtual=file,
            demands=tuple(demands),
        )
    locked = VariantLock(
        digest="d",
        input=msgspec.structs.replace(INPUT, **asked),
        wheels=FileDigest(path="x.txt", sha256=sha256(text)),
        packages=packages,
        conda=half,
    )
    locked = msgspec.structs.replace(locked, **(pins or {}))
    lock = Lock(
        format=LOCK_FORMAT, profile="one", tools={}, variants=dict.fromkeys(variants, locked)
    )
    folder = LockFolder(label="x", header=lock, texts=texts)
    return Side(folder=folder, depends=dict.fromkeys(variants, depends or {}))


def image(digest: str, reference: str = "i:1") -> ImagePin:
    return ImagePin(role="base", reference=reference, digest=f"sha256:{digest * 64}")


def apt(*packages: str) -> AptPins:
    return AptPins(archive="Ubuntu", as_of="2026-01-01T00:00:00Z", packages=packages)


def commit(digit: str) -> GitPin:
    return GitPin(name="repo", commit=digit * 40, url="https://github.com/a/repo", ref="main")
