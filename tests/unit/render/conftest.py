"""A profile, its lock and the shipped templates, as values that a test changes."""

from pathlib import Path

import msgspec
import pytest

from envbuild.lock.model import (
    LOCK_FORMAT,
    CondaHalf,
    FileDigest,
    Lock,
    LockedPackage,
    SolverInput,
    Unpinned,
    VariantLock,
)
from envbuild.profile.model import Environment
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.render.dockerfile import parse
from envbuild.render.tree import render

TEMPLATES = Path(__file__).parents[3] / "templates"
VARIANT = "linux-amd64-cu128"


@pytest.fixture(scope="session")
def templates():
    return {str(p.relative_to(TEMPLATES)): p.read_text() for p in TEMPLATES.rglob("*.j2")}


def environment(**changes):
    value = {
        "schema": 1,
        "name": "demo",
        "summary": "A small profile.",
        "base": {"image": "registry.example.com/sim:5.0", "distribution": "ubuntu-22.04"},
        "python": {"version": "3.11", "source": "image", "interpreter": "/isaac-sim/python.sh"},
    }
    return msgspec.convert(value | changes, Environment)


def resolved(*variants, **changes):
    made = environment(**changes)
    return ResolvedProfile(
        name=made.name,
        summary=made.summary,
        files=("envs/demo.yaml",),
        variants=tuple(
            Variant(name=name, environment=made, marks={}) for name in variants or (VARIANT,)
        ),
    )


def package(pin, integrity="wheel", system=()):
    name, version = pin.split("==")
    return LockedPackage(
        name=name, version=version, requested=(), integrity=integrity, system=system
    )


def variant_lock(*packages, name=VARIANT, unpinned=(), **changes):
    fields = {
        "digest": "d" * 64,
        "input": SolverInput(image="i", python="3.11", platform="p", as_of="a", requirements=()),
        "wheels": FileDigest(path=f"{name}.txt", sha256="a" * 64),
        "packages": packages,
        "unpinned": tuple(Unpinned(what=what, why=why) for what, why in unpinned),
    }
    if any(p.integrity != "wheel" for p in packages):
        fields["sources"] = FileDigest(path=f"{name}.sdist.txt", sha256="b" * 64)
    return VariantLock(**fields | changes)


def conda_half(own="linux-64.explicit.txt", sha256="e" * 64):
    """A conda half whose own platform has this file for explicit installs."""

    def file(path, digest="f" * 64):
        return FileDigest(path=path, sha256=digest)

    return CondaHalf(
        solver="py-rattler 0.28.0",
        packages=(),
        explicit=(file(own, sha256), file("linux-aarch64.explicit.txt")),
        environment=file("environment.yml"),
        lock=file("conda-lock.yml"),
        virtual=file("virtual-packages.yml"),
    )


def locked(*packages, files=(), tools=None, **changes):
    return Lock(
        format=LOCK_FORMAT,
        profile="demo",
        tools={"uv": "0.13.8"} if tools is None else tools,
        variants={VARIANT: variant_lock(*packages, **changes)},
        files=tuple(FileDigest(path=path, sha256="c" * 64) for path in files),
    )


def text(profile, lock, templates, path="Dockerfile"):
    return {f.path: f.text for f in render(profile, lock, templates).files}[path]


def runs(profile, lock, templates):
    found = parse(text(profile, lock, templates))
    return [i.arguments for i in found if i.keyword == "RUN"]
