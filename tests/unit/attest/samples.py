"""A locked variant with something of every ecosystem in it."""

from __future__ import annotations

import msgspec

from envbuild.attest.bill import Subject
from envbuild.build.records import BuiltImage, Origin
from envbuild.lock.folder import LockFolder, lock_digest, sha256
from envbuild.lock.model import (
    LOCK_FORMAT,
    AptPins,
    CondaHalf,
    CondaInput,
    CondaPackage,
    CondaTarget,
    FileDigest,
    ImagePin,
    Lock,
    Provided,
    Unpinned,
)
from envbuild.profile.resolve import Source, resolve
from envbuild.tools.conda import Record
from tests.support.locks import package, variant

NAME = "linux-amd64-cu128"
COMMIT = "c" * 40
PROFILE = f"""\
schema: 1
name: one
summary: Something of everything
base: {{image: "docker.io/library/ubuntu:22.04", distribution: ubuntu-22.04}}
python: {{version: 3.11, source: image, interpreter: /usr/bin/python3.11, requirements: [alpha]}}
git:
  - name: lab
    url: https://github.com/team/lab.git
    commit: {COMMIT}
    path: /opt/lab
    install: none
  - name: own
    url: https://git.example.com/own.git
    commit: {COMMIT}
    path: /opt/own
    install: none
variants:
  {NAME}: {{}}
"""

WHEELS = f"""\
alpha==1.0 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via profile
beta==2.0+cu128 \\
    --hash=sha256:{"d" * 64}
    # via alpha
""".encode()


def record(name: str, *depends: str, digest: str) -> Record:
    return Record(
        name=name,
        version="1.0",
        build="h0",
        subdir="linux-64",
        url=f"https://conda.anaconda.org/conda-forge/linux-64/{name}-1.0-h0.conda",
        depends=depends,
        sha256=digest * 64,
    )


RECORDS = (
    record("python", "libz >=1", "__glibc >=2.17", digest="1"),
    record("libz", digest="2"),
    record("pip", "python >=3", digest="3"),
)


def subject() -> Subject:
    """A variant with its lock."""
    file = FileDigest(path="x.txt", sha256=sha256(WHEELS))
    empty = FileDigest(path="x", sha256="0" * 64)
    conda = CondaHalf(
        solver="x",
        explicit=(empty,),
        environment=empty,
        lock=empty,
        virtual=empty,
        packages=tuple(
            CondaPackage(
                name=one.name,
                version=one.version,
                build=one.build,
                sha256=one.sha256,
                python="pip" if one.name == "pip" else "",
            )
            for one in RECORDS
        ),
    )
    locked = msgspec.structs.replace(
        variant(
            package("alpha", "1.0"),
            package("beta", "2.0+cu128", "alpha>=2", integrity="vendor"),
            provided=(
                Provided(name="numpy", by="isaac-sim", version="1.26.0"),
                Provided(name="kit", by="isaac-sim"),
                Provided(name="pip", by="conda", version="1.0"),
            ),
            apt=("curl", "wget"),
            conda=CondaInput(
                channels=("conda-forge",),
                packages=("python",),
                targets=(CondaTarget(platform="linux-64", virtual_packages=()),),
            ),
        ),
        wheels=file,
        conda=conda,
        apt=AptPins(archive="x", as_of="2026-01-01T00:00:00Z", packages=("curl=7.81-1",)),
        images=(
            ImagePin(
                role="base", reference="docker.io/library/ubuntu:22.04", digest=f"sha256:{'e' * 64}"
            ),
        ),
        unpinned=(Unpinned(what="placeholders", why="the vendor has them"),),
    )
    header = Lock(
        format=LOCK_FORMAT, profile="one", tools={"uv": "0.13.8"}, variants={NAME: locked}
    )
    source = Source(name="one", file="envs/one.yaml", text=PROFILE)
    return Subject(
        variant=resolve("one", {"one": source}).variants[0],
        folder=LockFolder(label="lockfiles/one", header=header, texts={"x.txt": WHEELS}),
        maker="0.1",
        records=RECORDS,
    )


def built(**fields: object) -> BuiltImage:
    """The record of its build."""
    made = BuiltImage(
        profile="one",
        variant=NAME,
        reference=f"one:{NAME}",
        tags=(f"one:{NAME}",),
        identity=f"sha256:{'1' * 64}",
        engine="podman",
        lock_digest=lock_digest(subject().locked),
        origin=Origin(
            lock="sha256:1", rendered="sha256:2", images=(), engine="podman 4.3.1", network="none"
        ),
        layers=("sha256:a", "sha256:b"),
        settings="sha256:s",
    )
    return msgspec.structs.replace(made, **fields)
