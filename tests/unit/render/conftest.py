"""A profile, its lock and the shipped templates, as values that a test changes."""

from pathlib import Path

import msgspec
import pytest

from envbuild.lock.folder import sha256
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


def requirements(packages):
    """A requirement file of the lock folder: hashes on lines of their own, and who asked."""
    lines = ["# Locked by envbuild."]
    for one in packages:
        lines.append(f"{one.name}=={one.version} \\")
        lines += [f"    --hash=sha256:{'1' * 64} \\", f"    --hash=sha256:{'2' * 64}"]
        lines.append("    # via profile")
    return ("\n".join(lines) + "\n").encode()


EXPLICIT = b"# platform: linux-64\n@EXPLICIT\nhttps://conda.example/a-1.conda#sha256:aa\n"


def texts_of(lock, **changed):
    """The files of the lock folder that a lock names, made of its packages."""
    found = {file.path: f"the file {file.path}\n".encode() for file in lock.files}
    for variant in lock.variants.values():
        wheels = [one for one in variant.packages if one.integrity == "wheel"]
        found[variant.wheels.path] = requirements(wheels)
        if variant.sources:
            built = [one for one in variant.packages if one.integrity != "wheel"]
            found[variant.sources.path] = requirements(built)
        if variant.conda:
            found[variant.conda.explicit[0].path] = EXPLICIT
    return found | changed


def variant_lock(*packages, name=VARIANT, unpinned=(), **changes):
    wheels = [one for one in packages if one.integrity == "wheel"]
    built = [one for one in packages if one.integrity != "wheel"]
    fields = {
        "digest": "d" * 64,
        "input": SolverInput(image="i", python="3.11", platform="p", as_of="a", requirements=()),
        "wheels": FileDigest(path=f"{name}.txt", sha256=sha256(requirements(wheels))),
        "packages": packages,
        "unpinned": tuple(Unpinned(what=what, why=why) for what, why in unpinned),
    }
    if built:
        digest = sha256(requirements(built))
        fields["sources"] = FileDigest(path=f"{name}.sdist.txt", sha256=digest)
    return VariantLock(**fields | changes)


def conda_half(own="linux-64.explicit.txt", digest=None):
    """A conda half whose own platform has this file for explicit installs."""

    def file(path, digest="f" * 64):
        return FileDigest(path=path, sha256=digest)

    return CondaHalf(
        solver="py-rattler 0.28.0",
        packages=(),
        explicit=(file(own, digest or sha256(EXPLICIT)), file("linux-aarch64.explicit.txt")),
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
        files=tuple(
            FileDigest(path=path, sha256=sha256(f"the file {path}\n".encode())) for path in files
        ),
    )


def tree(profile, lock, templates, texts=None):
    """Every rendered file by its path."""
    held = texts_of(lock) if texts is None else texts
    made = render(profile, lock, texts=held, templates=templates)
    return {file.path: file.text for file in made.files}


def text(profile, lock, templates, path="Dockerfile"):
    return tree(profile, lock, templates)[path]


def runs(profile, lock, templates):
    found = parse(text(profile, lock, templates))
    return [i.arguments for i in found if i.keyword == "RUN"]
