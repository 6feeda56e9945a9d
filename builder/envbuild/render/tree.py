"""A resolved profile and its lock to the files of ``Dockerfiles/<profile>/``. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from envbuild.errors import InputError
from envbuild.lock.model import Lock
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.render import verify
from envbuild.render.assemble import assemble
from envbuild.render.model import RenderedFile, RenderedTree
from envbuild.render.templates import DOCKERFILE, DOCKERIGNORE, fill
from envbuild.render.twin import inert


def render(profile: ResolvedProfile, lock: Lock, templates: Mapping[str, str]) -> RenderedTree:
    """A Dockerfile and its ignore file for each variant.

    ``templates`` are texts by their path below ``templates/``. The lock is taken as it is: whether
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
        for file in _variant(variant, names[variant.name], lock=lock, templates=templates)
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
    variant: Variant, name: str, *, lock: Lock, templates: Mapping[str, str]
) -> tuple[RenderedFile, ...]:
    context = assemble(variant, lock, dockerfile=name)
    text = tidy(fill(templates, DOCKERFILE, context))
    harmless = inert(context)
    twin = text if harmless == context else tidy(fill(templates, DOCKERFILE, harmless))
    verify.dockerfile(text, twin, context)
    ignored = tidy(fill(templates, DOCKERIGNORE, context))
    verify.dockerignore(ignored, context)
    return (
        RenderedFile(path=name, text=text),
        RenderedFile(path=f"{name}.dockerignore", text=ignored),
    )


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
