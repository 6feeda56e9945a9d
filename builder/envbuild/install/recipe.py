"""What an environment is made of, and what only an image has. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.lock import requirements
from envbuild.lock.builds import BuildStep, build_steps
from envbuild.lock.conda.channels import Settings, known_address
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import Lock, VariantLock
from envbuild.names import canonical_name
from envbuild.profile.model import SmokeTest
from envbuild.profile.resolved import Variant
from envbuild.profile.rules import LICENCE
from envbuild.speech import counted
from envbuild.tools.archives import Wanted
from envbuild.tools.conda import Record


class Part(Struct, frozen=True, kw_only=True):
    """Python packages that are installed together: their hashed requirements, and how they are
    built (None: they are wheels)."""

    text: str
    build: BuildStep | None = None


class Recipe(Struct, frozen=True, kw_only=True):
    """Everything that goes into an environment.

    ``parts`` are the Python packages in the order of their installation; ``indexes`` are the
    vendor's by name; ``expected`` are the Python packages that must be there in the end,
    ``of_conda`` those that conda brings, both by canonical name; ``tests`` those of the profile
    that need neither hardware nor a simulator; ``left_out`` says what only an image has.
    """

    profile: str
    variant: str
    digest: str
    parts: tuple[Part, ...]
    build_constraints: tuple[str, ...]
    indexes: Mapping[str, str]
    variables: Mapping[str, str]
    expected: Mapping[str, str]
    of_conda: Mapping[str, str]
    tests: tuple[SmokeTest, ...]
    left_out: tuple[str, ...]


def recipe(variant: Variant, lock: Lock, folder: LockFolder) -> Recipe:
    """The recipe of a variant from its lock.

    Raises:
        InputError: conda has no part in it, or a build needs what only an image can give.
    """
    environment, locked = variant.environment, lock.variants[variant.name]
    if locked.conda is None:
        raise InputError(
            f"{lock.profile} has no conda part: its environment is an image",
            hint=f"envbuild render {lock.profile}; an environment wants python.source: conda",
        )
    _refuse_needs(variant, locked)
    python = environment.python
    licence = LICENCE if environment.accept_eula else {}
    return Recipe(
        profile=lock.profile,
        variant=variant.name,
        digest=locked.digest,
        parts=tuple(_parts(variant, locked, folder)),
        build_constraints=python.build_constraints,
        indexes={one.name: one.url for one in python.indexes if one.name in locked.input.indexes},
        variables={
            **licence,
            **{key: environment.env[key] for key in environment.env if key != "PATH"},
        },
        expected={package.name: package.version for package in locked.packages},
        of_conda={one.python: one.version for one in locked.conda.packages if one.python},
        tests=tuple(
            test for test in environment.smoke if test.needs == "nothing" and test.launch == "none"
        ),
        left_out=tuple(_left_out(variant)),
    )


def wanted(
    solved: Mapping[str, tuple[Record, ...]], locked: VariantLock, settings: Settings
) -> tuple[Wanted, ...]:
    """The conda packages of a variant, and where each is read from here.

    Raises:
        InputError: a package lies in none of the lock's channels.
    """
    assert locked.input.conda is not None  # the caller has a recipe
    channels = locked.input.conda.channels
    found = []
    for record in solved.get(locked.input.conda.targets[0].platform, ()):
        above = [name for name in channels if record.url.startswith(f"{known_address(name)}/")]
        name = max(above, key=len, default=None)  # a label lies below its channel
        if name is None:
            raise InputError(
                f"{record.url} lies in none of the lock's channels ({', '.join(channels)})",
                hint="conda-lock.yml was not written by this envbuild: lock again",
            )
        rest = record.url.removeprefix(known_address(name))
        here = f"{settings.channel(name).url}{rest}"
        named = msgspec.structs.replace(record, channel=name, subdir=rest.split("/")[1])
        found.append(Wanted(record=named, url=here))
    return tuple(found)


def _parts(variant: Variant, locked: VariantLock, folder: LockFolder) -> Iterator[Part]:
    """The wheels, then what is built, step by step."""
    if locked.has_wheels:
        yield Part(text=folder.texts[locked.wheels.path].decode())
    if locked.sources is None:
        return
    pins = {pin.name: pin for pin in requirements.parse(folder.texts[locked.sources.path].decode())}
    for step in build_steps(pins.keys(), variant.environment.python.build_from_source):
        own = (pins[name] for name in step.packages)
        yield Part(text=requirements.render(own, heading="Built from source."), build=step)


def _refuse_needs(variant: Variant, locked: VariantLock) -> None:
    names = {package.name for package in locked.packages if package.integrity != "wheel"}
    for build in variant.environment.python.build_from_source:
        if build.needs and canonical_name(build.package) in names:
            raise InputError(
                f"{build.package} is built with {', '.join(build.needs)}, which only an image has",
                hint="use the image, or a variant without that package",
            )


def _left_out(variant: Variant) -> Iterator[str]:
    """What an image of the profile has, and an environment has not."""
    environment = variant.environment
    if environment.apt:
        yield f"{counted(len(environment.apt), 'system package')}: {' '.join(environment.apt)}"
    for git in environment.git:
        yield f"the checkout {git.name} ({git.url} at {(git.commit or '')[:12] or git.ref})"
    for file in environment.files:
        yield f"the file {file.source} (at {file.path})"
    if "PATH" in environment.env:  # it would hide the environment's own programs
        yield f"its PATH ({environment.env['PATH']})"
    if environment.user:
        yield f"the account {environment.user.name}"
    for bundle in environment.base.provides:
        yield f"what the base image brings ({bundle})"
