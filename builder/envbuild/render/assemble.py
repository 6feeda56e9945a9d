"""A variant of a profile and its lock to a :class:`Context`: all decisions of a Dockerfile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from envbuild.errors import InputError
from envbuild.lock.folder import lock_digest
from envbuild.lock.model import Lock, VariantLock
from envbuild.profile.model import Environment
from envbuild.profile.resolved import Variant
from envbuild.profile.rules import LICENCE
from envbuild.render import context as c
from envbuild.render import guard, stages
from envbuild.render.context import Context
from envbuild.render.inputs import BASE, BUILD, images, locked_variant
from envbuild.render.model import StageImage, StepInput
from envbuild.render.stages import Folders
from envbuild.tools import typed


def assemble(
    variant: Variant, lock: Lock, *, inputs: Iterable[StepInput], dockerfile: str, templates: str
) -> Context:
    """What the templates are told about one variant.

    ``inputs`` are the input folders of its build context; ``templates`` is a digest of the
    templates, on which the image depends too.

    Raises:
        InputError: the lock does not have the variant, or holds what no lock can hold.
    """
    environment = variant.environment
    locked = locked_variant(variant, lock)
    folders = Folders(inputs, locked)
    python = stages.python(environment, folders)
    found = images(variant, lock)
    libraries = stages.libraries(environment, folders)
    made = Context(
        profile=environment.name,
        summary=environment.summary,
        variant=variant.name,
        platform=variant.platform,
        dockerfile=dockerfile,
        accept_eula=environment.accept_eula,
        unpinned=tuple(c.Note(what=note.what, why=note.why) for note in locked.unpinned),
        images=tuple(c.Image(argument=i.argument, default=i.pinned) for i in found),
        build_image=BUILD if environment.base.build_image else BASE,
        sources_apt=folders.apt("sources"),
        apt=folders.apt("base"),
        checkouts=stages.checkouts(environment, folders),
        libraries=libraries,
        python=python,
        build_constraints=environment.python.build_constraints,
        locked=folders.pieces(),
        wheels=stages.wheels(variant, locked, folders=folders, python=python, images=found),
        guard=_guard(variant),
        files=_files(variant, lock),
        context=(),
        variables=_variables(environment, python),
        inherited_path=_path(environment, python),
        labels=_labels(variant, locked, found),
        user=_user(environment),
        workdir=environment.workdir,
        entrypoint=environment.entrypoint,
        command=environment.command,
    )
    made = msgspec.structs.replace(made, context=_context_paths(made, folders))
    return _checked(_with_recipe(made, templates), lock.profile)


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


def _guard(variant: Variant) -> c.Guard | None:
    """The guard of what the base bundles, where it has an interpreter that can look at it.

    With conda and uv the bundled sites are in an environment that the build itself makes.
    """
    python = variant.environment.python
    if python.source != "image" or python.interpreter is None:
        return None
    if python.prefix is not None and not python.bundled_sites:
        return None
    return c.Guard(
        input=c.Input(
            path=f"{variant.name}/{guard.FOLDER}",
            file=guard.SCRIPT,
            sha256=hashlib.sha256(guard.script()).hexdigest(),
        ),
        interpreter=python.interpreter,
        sites=python.bundled_sites,
    )


def _with_recipe(made: Context, templates: str) -> Context:
    """The context with the digest of all that the image is made of, for the guard."""
    if made.guard is None:
        return made
    recipe = hashlib.sha256(msgspec.json.encode((made, templates))).hexdigest()
    known = msgspec.structs.replace(made.guard, recipe=recipe)
    return msgspec.structs.replace(made, guard=known)


def _files(variant: Variant, lock: Lock) -> tuple[c.Copied, ...]:
    held = {file.path for file in lock.files}
    for file in variant.environment.files:
        if f"files/{file.source}" not in held:
            raise InputError(
                f"the lock of {lock.profile} does not hold files/{file.source}",
                hint=f"run: envbuild lock {lock.profile}",
            )
    return tuple(
        c.Copied(source=f"{variant.name}/files/{file.source}", path=file.path, mode=file.mode)
        for file in variant.environment.files
    )


def _context_paths(made: Context, folders: Folders) -> tuple[str, ...]:
    """What a build reads of its context."""
    found = {*folders.paths, *(file.source for file in made.files)}
    return tuple(sorted(found | ({made.guard.input.path} if made.guard else set())))


def _variables(environment: Environment, python: c.Python) -> tuple[c.Pair, ...]:
    values: dict[str, str] = {}
    if environment.accept_eula:
        values.update(LICENCE)
    if python.prefix:
        values["CONDA_PREFIX" if python.source == "conda" else "VIRTUAL_ENV"] = python.prefix
    values.update(environment.env)
    return _sorted(values)


def _sorted(values: Mapping[str, str]) -> tuple[c.Pair, ...]:
    return tuple(c.Pair(name, value) for name, value in sorted(values.items()))


def _path(environment: Environment, python: c.Python) -> str | None:
    """The folder to put before the image's PATH; the profile's own PATH stands as it is."""
    if python.prefix is None or "PATH" in environment.env:
        return None
    return f"{python.prefix}/bin"


def _labels(
    variant: Variant, locked: VariantLock, found: tuple[StageImage, ...]
) -> tuple[c.Pair, ...]:
    environment = variant.environment
    base = next(image for image in found if image.argument == BASE)
    values = {
        "io.envbuild.lock-digest": lock_digest(locked),
        "io.envbuild.profile": environment.name,
        "io.envbuild.variant": variant.name,
        "org.opencontainers.image.base.name": base.reference,
        "org.opencontainers.image.description": environment.summary,
        "org.opencontainers.image.title": environment.name,
    }
    if base.digest:
        values["org.opencontainers.image.base.digest"] = base.digest
    return _sorted(values)


def _user(environment: Environment) -> c.RunAs | None:
    user = environment.user
    return c.RunAs(name=user.name, uid=user.uid, create=user.create) if user else None
