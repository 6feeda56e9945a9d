"""The stages before the image itself: native libraries, the interpreter, the wheels."""

from __future__ import annotations

import hashlib

import msgspec

from envbuild.errors import InputError
from envbuild.lock.builds import BuildStep, build_steps
from envbuild.lock.model import Lock, VariantLock
from envbuild.names import canonical_name
from envbuild.profile.model import Environment, GitSource
from envbuild.render import context as c

MICROMAMBA = "docker.io/mambaorg/micromamba:2.3.2"
UV = "ghcr.io/astral-sh/uv"


def base_image(environment: Environment) -> str:
    """The base image, by its digest where the profile gives one."""
    base = environment.base
    return f"{base.image}@{base.digest}" if base.digest else base.image


def libraries(environment: Environment) -> tuple[c.Library, ...]:
    """The git sources that cmake builds, in the profile's order."""
    return tuple(
        c.Library(
            checkout=_source_tree(git),
            path=git.path,
            apt=tuple(sorted({"build-essential", "cmake", *git.apt})),
            options=git.options,
        )
        for git in environment.git
        if git.install == "cmake"
    )


def _source_tree(git: GitSource) -> c.Checkout:
    """A checkout that stays in its build stage: only what cmake installs reaches the image."""
    place = f"/src/{git.name}"
    return c.Checkout(
        name=git.name,
        url=git.url,
        commit=git.commit,
        ref=git.ref,
        path=place,
        project=f"{place}/{git.subdirectory}" if git.subdirectory else place,
    )


def python(environment: Environment, lock: Lock, locked: VariantLock) -> c.Python:
    """The interpreter and where its packages go.

    Raises:
        InputError: the profile leaves out what its kind of Python needs.
    """
    asked = environment.python
    if asked.source == "image":
        if asked.interpreter is None:
            raise _incomplete(environment, "python.interpreter", "source: image")
        executable = f"{asked.prefix}/bin/python" if asked.prefix else asked.interpreter
        return c.Python(
            source="image",
            version=asked.version,
            executable=executable,
            interpreter=asked.interpreter,
            prefix=asked.prefix,
        )
    if asked.prefix is None:
        raise _incomplete(environment, "python.prefix", f"source: {asked.source}")
    return c.Python(
        source=asked.source,
        version=asked.version,
        executable=f"{asked.prefix}/bin/python",
        prefix=asked.prefix,
        uv_image=_uv_image(lock) if asked.source == "uv" else None,
        conda=_conda(environment, locked) if asked.source == "conda" else None,
    )


def _incomplete(environment: Environment, field: str, because: str) -> InputError:
    return InputError(
        f"{environment.name}: {because} needs {field}",
        hint=f"add {field} to the profile",
    )


def _uv_image(lock: Lock) -> str:
    version = lock.tools.get("uv")
    if version is None:
        raise InputError(
            f"the lock of {lock.profile} does not say which uv made it",
            hint=f"write it anew with: envbuild lock --force {lock.profile}",
        )
    return f"{UV}:{version}"


def _conda(environment: Environment, locked: VariantLock) -> c.Conda:
    if locked.conda is None:
        raise InputError(
            f"the lock of {environment.name} holds no conda packages",
            hint=f"write it anew with: envbuild lock --force {environment.name}",
        )
    own = locked.conda.explicit[0]
    return c.Conda(image=MICROMAMBA, explicit=c.LockedFile(path=own.path, sha256=own.sha256))


def wheels(
    environment: Environment, locked: VariantLock, *, apt: tuple[str, ...], python: c.Python
) -> c.Wheels | None:
    """The stage that builds what the index has only as source; None: there is nothing to build.

    ``apt`` are the packages of the image, which a stage on another image needs too. Placeholders
    compile nothing, so without a package of ``build-from-source`` the base itself will do.
    """
    if locked.sources is None:
        return None
    names = {canonical_name(p.name): p for p in locked.packages if p.integrity != "wheel"}
    stated = [
        build
        for build in environment.python.build_from_source
        if canonical_name(build.package) in names
    ]
    steps = build_steps(names.keys(), stated)
    alone = len(steps) == 1 and steps[0].isolation and not steps[0].environment
    builds = tuple(_build(step, alone=alone) for step in steps)
    unisolated = {name for build in builds if not build.isolation for name in build.packages}
    pins = {name: f"{name}=={package.version}" for name, package in sorted(names.items())}
    elsewhere = environment.base.build_image if stated else None
    system = {name for build in stated for name in build.apt}
    system.update(name for package in names.values() for name in package.system)
    needed = {name for build in stated for name in build.needs}
    made = c.Wheels(
        file=c.LockedFile(path=locked.sources.path, sha256=locked.sources.sha256),
        recipe="",
        builds=builds,
        pins=tuple(pins.values()),
        isolated=tuple(pin for name, pin in pins.items() if name not in unisolated),
        stubs=tuple(pin for name, pin in pins.items() if names[name].integrity == "stub"),
        apt=tuple(sorted(system.union(apt) if elsewhere else system.difference(apt))),
        image=elsewhere,
        libraries=tuple(
            library
            for library in libraries(environment)
            if elsewhere and library.checkout.name in needed
        ),
    )
    around = (base_image(environment), apt, libraries(environment), python, locked.wheels.sha256)
    return _with_recipe(made, (*around, environment.python.build_constraints))


def _with_recipe(made: c.Wheels, around: tuple[object, ...]) -> c.Wheels:
    recipe = hashlib.sha256(msgspec.json.encode((made, *around))).hexdigest()
    return msgspec.structs.replace(made, recipe=recipe)


def _build(step: BuildStep, *, alone: bool) -> c.Build:
    """A step of the stage; one that is ``alone`` takes every entry of the file."""
    return c.Build(
        packages=() if alone else step.packages,
        isolation=step.isolation,
        environment=tuple(c.Pair(k, v) for k, v in sorted(step.environment.items())),
    )
