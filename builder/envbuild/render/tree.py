"""A resolved profile and its lock to the files of ``Dockerfiles/<profile>/``. Pure."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping

from envbuild.errors import InputError
from envbuild.lock.folder import sha256
from envbuild.lock.model import Lock
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.render import guard, verify
from envbuild.render.assemble import assemble
from envbuild.render.context import Context
from envbuild.render.inputs import inputs
from envbuild.render.model import RenderedFile, RenderedTree
from envbuild.render.templates import DOCKERFILE, DOCKERIGNORE, fill
from envbuild.render.twin import inert


def render(
    profile: ResolvedProfile,
    lock: Lock,
    *,
    texts: Mapping[str, bytes],
    templates: Mapping[str, str],
) -> RenderedTree:
    """For each variant a Dockerfile, its ignore file, and the folder that they read.

    ``texts`` are the files of the lock folder, ``templates`` texts by their path below
    ``templates/``. The lock is taken as it is: whether
    it is fresh is the caller's question (:mod:`envbuild.lock.freshness`).

    Raises:
        InputError: the lock is another profile's or lacks a variant, a template is wrong, or what
            it makes is not what the profile says.
    """
    if lock.profile != profile.name:
        raise InputError(
            f"the lock is that of {lock.profile!r}, not of {profile.name!r}",
            hint=f"write it anew with: envbuild lock --force {profile.name}",
        )
    names = dockerfile_names(profile)
    files = [
        file
        for variant in profile.variants
        for file in _variant(
            variant, names[variant.name], lock=lock, texts=texts, templates=templates
        )
    ]
    return RenderedTree(
        profile=profile.name, files=tuple(sorted(files, key=lambda file: file.path))
    )


def dockerfile_names(profile: ResolvedProfile) -> dict[str, str]:
    """Variant to file name: ``Dockerfile`` for the first, ``Dockerfile.<variant>`` for the rest."""
    return {
        variant.name: "Dockerfile" if index == 0 else f"Dockerfile.{variant.name}"
        for index, variant in enumerate(profile.variants)
    }


def _variant(
    variant: Variant,
    name: str,
    *,
    lock: Lock,
    texts: Mapping[str, bytes],
    templates: Mapping[str, str],
) -> Iterator[RenderedFile]:
    folders = inputs(variant, lock, texts)
    context = assemble(
        variant,
        lock,
        inputs=folders,
        dockerfile=name,
        templates=_digest(tuple(sorted(templates.items()))),
    )
    text = tidy(fill(templates, DOCKERFILE, context))
    harmless = inert(context)
    twin = text if harmless == context else tidy(fill(templates, DOCKERFILE, harmless))
    verify.dockerfile(text, twin, context)
    ignored = tidy(fill(templates, DOCKERIGNORE, context))
    verify.dockerignore(ignored, context)
    yield RenderedFile(path=name, data=text.encode())
    yield RenderedFile(path=f"{name}.dockerignore", data=ignored.encode())
    for folder in folders:
        yield RenderedFile(path=folder.file, data=folder.text.encode())
    if context.guard:
        yield RenderedFile(path=f"{context.guard.input.path}/{guard.SCRIPT}", data=guard.script())
    yield from _copied(context, variant, lock=lock, texts=texts)


@functools.lru_cache(maxsize=2)
def _digest(templates: tuple[tuple[str, str], ...]) -> str:
    state = hashlib.sha256()
    for name, text in templates:
        state.update(f"{name}\0{text}\0".encode())
    return state.hexdigest()


def _copied(
    context: Context, variant: Variant, *, lock: Lock, texts: Mapping[str, bytes]
) -> Iterator[RenderedFile]:
    """The profile's files, as the lock folder holds them; one may go to several places."""
    held = {file.path: file.sha256 for file in lock.files}
    for path in {file.source for file in context.files}:
        inner = path.removeprefix(f"{variant.name}/")
        data = texts.get(inner)
        if data is None or sha256(data) != held[inner]:
            raise InputError(
                f"the lock folder's {inner} is missing, or not what was locked",
                hint=f"restore it, or run: envbuild lock --force {lock.profile}",
            )
        yield RenderedFile(path=path, data=data)


def tidy(text: str) -> str:
    """Text without the blanks that a template's own lines leave behind.

    No blanks at the end of a line, no empty line inside an instruction, never two together, none
    at the top, one line break at the end.
    """
    text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    text = re.sub(r"\\\n\n+", r"\\\n", text)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip("\n") + "\n"
