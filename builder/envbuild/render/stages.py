"""The stages before the image itself: native libraries, the interpreter, the wheels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from envbuild.errors import InputError
from envbuild.lock import system
from envbuild.lock.builds import BuildStep, build_steps
from envbuild.lock.model import LockedPackage, VariantLock
from envbuild.names import canonical_name
from envbuild.profile.model import Environment, GitSource, SourceBuild
from envbuild.profile.resolved import Variant
from envbuild.render import context as c
from envbuild.render.inputs import BUILD
from envbuild.render.model import LISTS, StageImage, StepInput


class Folders:
    """The input folders of a context, as the templates are told of them."""

    def __init__(self, inputs: Iterable[StepInput], locked: VariantLock) -> None:
        self._inputs = {(one.kind, one.name): one for one in inputs}
        self._snapshot = locked.apt.snapshot if locked.apt else ""
        self.paths = tuple(one.path for one in self._inputs.values())

    def get(self, kind: str, name: str) -> c.Input | None:
        """A folder by its kind and name."""
        found = next((one for key, one in self._inputs.items() if key == (kind, name)), None)
        return _input(found) if found else None

    def git(self, name: str) -> tuple[c.Input, str]:
        """The folder of a git source, and its commit."""
        found = self._inputs["git", name]
        return _input(found), found.text.split()[1]

    def apt(self, stage: str) -> c.Apt | None:
        """The Debian packages of a stage; None: there are none."""
        found = self._inputs.get(("apt", stage))
        if found is None:
            return None
        return c.Apt(input=_input(found), pinned="=" in found.text, snapshot=self._snapshot)

    def pieces(self) -> tuple[c.Piece, ...]:
        """The pieces of the locked wheels; the first of all is what is heavy and moves least."""
        named = sorted((key[1], one) for key, one in self._inputs.items() if key[0] == "wheels")
        return tuple(c.Piece(input=_input(one), heavy=name == "wheels-1") for name, one in named)


def _input(one: StepInput) -> c.Input:
    digest = hashlib.sha256(one.text.encode()).hexdigest()
    return c.Input(path=one.path, file=LISTS[one.kind], sha256=digest)


def checkouts(environment: Environment, folders: Folders) -> tuple[c.Checkout, ...]:
    """The git sources that go into the image as they are, in the profile's order."""
    return tuple(
        _checkout(git, git.path, folders) for git in environment.git if git.install != "cmake"
    )


def libraries(environment: Environment, folders: Folders) -> tuple[c.Library, ...]:
    """The git sources that cmake builds, in the profile's order.

    Their checkouts stay in the build stage: only what cmake installs reaches the image.
    """
    found = []
    for git in environment.git:
        apt = folders.apt(git.name) if git.install == "cmake" else None
        if apt is not None:
            checkout = _checkout(git, f"/src/{git.name}", folders)
            found.append(c.Library(checkout=checkout, path=git.path, apt=apt, options=git.options))
    return tuple(found)


def _checkout(git: GitSource, path: str, folders: Folders) -> c.Checkout:
    folder, commit = folders.git(git.name)
    return c.Checkout(
        name=git.name,
        input=folder,
        url=git.url,
        commit=commit,
        ref=git.ref,
        path=path,
        project=f"{path}/{git.subdirectory}" if git.subdirectory else path,
        install=git.install == "pip",
    )


def python(environment: Environment, folders: Folders) -> c.Python:
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
    kind = "conda" if asked.source == "conda" else "python"
    return c.Python(
        source=asked.source,
        version=asked.version,
        executable=f"{asked.prefix}/bin/python",
        prefix=asked.prefix,
        input=folders.get(kind, kind),
    )


def _incomplete(environment: Environment, field: str, because: str) -> InputError:
    return InputError(
        f"{environment.name}: {because} needs {field}",
        hint=f"add {field} to the profile",
    )


def wheels(
    variant: Variant,
    locked: VariantLock,
    *,
    folders: Folders,
    python: c.Python,
    images: tuple[StageImage, ...],
) -> c.Wheels | None:
    """The stage that builds what the index has only as source; None: there is nothing to build.

    Placeholders compile nothing, so without a package of ``build-from-source`` the base itself
    will do.
    """
    folder = folders.get("sources", "sources")
    if folder is None:
        return None
    environment = variant.environment
    packages = {canonical_name(p.name): p for p in locked.packages if p.integrity != "wheel"}
    stated = system.stated_builds(environment, locked.packages)
    builds = _builds(packages, stated)
    unisolated = {name for build in builds if not build.isolation for name in build.packages}
    pins = {name: f"{name}=={package.version}" for name, package in sorted(packages.items())}
    elsewhere = system.stage_role(environment, locked, "wheels") == "build"
    needed = {name for build in stated for name in build.needs}
    every = libraries(environment, folders)
    made = c.Wheels(
        input=folder,
        recipe="",
        builds=builds,
        pins=tuple(pins.values()),
        isolated=tuple(pin for name, pin in pins.items() if name not in unisolated),
        stubs=tuple(pin for name, pin in pins.items() if packages[name].integrity == "stub"),
        apt=folders.apt("wheels"),
        image=BUILD if elsewhere else None,
        libraries=tuple(
            library for library in every if elsewhere and library.checkout.name in needed
        ),
    )
    beside = [one for one in folders.pieces() if one.heavy or unisolated]
    around = (images, folders.apt("base"), every, python, beside)
    return _with_recipe(made, (*around, environment.python.build_constraints))


def _with_recipe(made: c.Wheels, around: tuple[object, ...]) -> c.Wheels:
    recipe = hashlib.sha256(msgspec.json.encode((made, *around))).hexdigest()
    return msgspec.structs.replace(made, recipe=recipe)


def _builds(
    packages: dict[str, LockedPackage], stated: Iterable[SourceBuild]
) -> tuple[c.Build, ...]:
    steps = build_steps(packages.keys(), list(stated))
    alone = len(steps) == 1 and steps[0].isolation and not steps[0].environment
    return tuple(_build(step, alone=alone) for step in steps)


def _build(step: BuildStep, *, alone: bool) -> c.Build:
    """A step of the stage; one that is ``alone`` takes every entry of the file."""
    return c.Build(
        packages=() if alone else step.packages,
        isolation=step.isolation,
        environment=tuple(c.Pair(k, v) for k, v in sorted(step.environment.items())),
    )
