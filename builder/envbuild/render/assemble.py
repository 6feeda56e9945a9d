"""A variant of a profile and its lock to a :class:`Context`: all decisions of a Dockerfile."""

from __future__ import annotations

import msgspec

from envbuild.errors import InputError
from envbuild.lock.model import Lock, VariantLock
from envbuild.profile.model import Environment, GitSource
from envbuild.profile.resolved import Variant
from envbuild.profile.rules import LICENCE
from envbuild.render import context as c
from envbuild.render import stages
from envbuild.render.context import Context
from envbuild.tools import typed


def assemble(variant: Variant, lock: Lock, *, dockerfile: str) -> Context:
    """What the templates are told about one variant.

    Raises:
        InputError: the lock does not have the variant, or holds what no lock can hold.
    """
    environment = variant.environment
    locked = _locked(variant, lock)
    apt = _runtime_apt(environment)
    python = stages.python(environment, lock, locked)
    files = _files(environment, lock)
    made = Context(
        profile=environment.name,
        summary=environment.summary,
        variant=variant.name,
        platform=variant.platform,
        dockerfile=dockerfile,
        digest=locked.digest,
        accept_eula=environment.accept_eula,
        unpinned=tuple(c.Note(what=note.what, why=note.why) for note in locked.unpinned),
        image=stages.base_image(environment),
        build_image=environment.base.build_image or stages.base_image(environment),
        apt=apt,
        checkouts=tuple(_checkout(git) for git in environment.git if git.install != "cmake"),
        libraries=stages.libraries(environment),
        python=python,
        build_constraints=environment.python.build_constraints,
        locked=_wheel_file(locked),
        wheels=stages.wheels(environment, locked, apt=apt, python=python),
        files=files,
        context=_context_paths(locked, files),
        variables=_variables(environment, python),
        inherited_path=_path(environment, python),
        labels=_labels(variant, locked),
        user=_user(environment),
        workdir=environment.workdir,
        entrypoint=environment.entrypoint,
        command=environment.command,
    )
    return _checked(made, lock.profile)


def _locked(variant: Variant, lock: Lock) -> VariantLock:
    found = lock.variants.get(variant.name)
    if found is None:
        raise InputError(
            f"{lock.profile}: {variant.name} is not locked",
            hint=f"run: envbuild lock {lock.profile}",
        )
    return found


def _checked(made: Context, profile: str) -> Context:
    """The same value, with every pattern of its types held.

    msgspec checks types when it decodes, not when a Struct is made, so the value goes through it
    once: a lock is a file, and its strings are to be trusted no more than a profile's.
    """
    try:
        return typed.convert(msgspec.to_builtins(made), Context)
    except msgspec.ValidationError as error:
        raise InputError(
            f"the lock of {profile} holds what no lock can hold: {error}",
            hint=f"write it anew with: envbuild lock --force {profile}",
        ) from None


def _runtime_apt(environment: Environment) -> tuple[str, ...]:
    """The profile's packages, and those of repositories that are used from their checkout.

    micromamba trusts the certificates of the system and refuses to work without any.
    """
    names = {*environment.apt, *(("ca-certificates",) if environment.conda else ())}
    for git in environment.git:
        if git.install != "cmake":
            names.update(git.apt)
    return tuple(sorted(names))


def _checkout(git: GitSource) -> c.Checkout:
    return c.Checkout(
        name=git.name,
        url=git.url,
        commit=git.commit,
        ref=git.ref,
        path=git.path,
        project=f"{git.path}/{git.subdirectory}" if git.subdirectory else git.path,
        install=git.install == "pip",
    )


def _files(environment: Environment, lock: Lock) -> tuple[c.Copied, ...]:
    held = {file.path for file in lock.files}
    copied = tuple(
        c.Copied(source=f"files/{file.source}", path=file.path, mode=file.mode)
        for file in environment.files
    )
    for file in copied:
        if file.source not in held:
            raise InputError(
                f"the lock of {lock.profile} does not hold {file.source}",
                hint=f"run: envbuild lock {lock.profile}",
            )
    return copied


def _wheel_file(locked: VariantLock) -> c.LockedFile | None:
    """The requirement file of wheels; None when nothing is in it."""
    if not locked.has_wheels:
        return None
    return c.LockedFile(path=locked.wheels.path, sha256=locked.wheels.sha256)


def _context_paths(locked: VariantLock, files: tuple[c.Copied, ...]) -> tuple[str, ...]:
    """What a build reads of the lock folder."""
    explicit = locked.conda.explicit[:1] if locked.conda else ()
    named = {file.path for file in (_wheel_file(locked), locked.sources, *explicit) if file}
    return tuple(sorted(named.union(file.source for file in files)))


def _variables(environment: Environment, python: c.Python) -> tuple[c.Pair, ...]:
    values: dict[str, str] = {}
    if environment.accept_eula:
        values.update(LICENCE)
    if python.prefix:
        values["CONDA_PREFIX" if python.source == "conda" else "VIRTUAL_ENV"] = python.prefix
    values.update(environment.env)
    return tuple(c.Pair(name, value) for name, value in sorted(values.items()))


def _path(environment: Environment, python: c.Python) -> str | None:
    """The folder to put before the image's PATH; the profile's own PATH stands as it is."""
    if python.prefix is None or "PATH" in environment.env:
        return None
    return f"{python.prefix}/bin"


def _labels(variant: Variant, locked: VariantLock) -> tuple[c.Pair, ...]:
    environment = variant.environment
    values = {
        "io.envbuild.lock-digest": f"sha256:{locked.digest}",
        "io.envbuild.profile": environment.name,
        "io.envbuild.variant": variant.name,
        "org.opencontainers.image.base.name": environment.base.image,
        "org.opencontainers.image.description": environment.summary,
        "org.opencontainers.image.title": environment.name,
    }
    if environment.base.digest:
        values["org.opencontainers.image.base.digest"] = environment.base.digest
    return tuple(c.Pair(name, value) for name, value in sorted(values.items()))


def _user(environment: Environment) -> c.RunAs | None:
    user = environment.user
    return c.RunAs(name=user.name, uid=user.uid, create=user.create) if user else None
