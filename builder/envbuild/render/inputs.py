"""What the steps of a build take from outside: the folders of its context, and its images. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envbuild.errors import InputError
from envbuild.knowledge import layers
from envbuild.lock import pins, system
from envbuild.lock.folder import sha256
from envbuild.lock.model import FileDigest, Lock, VariantLock
from envbuild.profile.resolved import Variant
from envbuild.render.model import Argument, StageImage, StepInput

BASE: Argument = "BASE_IMAGE"
BUILD: Argument = "BUILD_IMAGE"

_ARGUMENTS: dict[system.Role, Argument] = {
    "base": BASE,
    "build": BUILD,
    "uv": "UV_IMAGE",
    "micromamba": "MICROMAMBA_IMAGE",
}
_ENTRY = re.compile(r"^[^\s#].*(?:\n[ \t]+--hash=.*)*", re.MULTILINE)
"""An entry of a requirement file with its hashes, without the comment that says who asked."""


def inputs(variant: Variant, lock: Lock, texts: Mapping[str, bytes]) -> tuple[StepInput, ...]:
    """The input folders of a variant's build context, sorted by path.

    ``texts`` are the files of the lock folder (:attr:`envbuild.lock.folder.LockFolder.texts`). The
    list files say:

    - ``wheels``, ``sources``: a requirement file, every entry hashed; no comments of who asked, so
      that a piece is the same while its own packages are;
    - ``git``: one line, the address, a blank, the commit;
    - ``apt``: a package a line, ``name=version`` or ``name``;
    - ``conda``: the ``@EXPLICIT`` file of the lock;
    - ``python``: two lines, ``uv <version>`` and ``python <version>``.

    Raises:
        InputError: the lock does not have the variant, or not what its profile needs, or its files
            are not those that it names.
    """
    locked = locked_variant(variant, lock)
    found = [
        *_wheels(locked, texts),
        *_sources(variant, locked, texts),
        *_git(variant, locked),
        *_apt(variant, locked),
        *_python(variant, lock, locked, texts=texts),
    ]
    placed = (_placed(one, variant.name) for one in found)
    return tuple(sorted(placed, key=lambda one: one.path))


def images(variant: Variant, lock: Lock) -> tuple[StageImage, ...]:
    """The images that the build stands on or takes a program from, by their build arguments.

    Raises:
        InputError: the lock does not have the variant, or does not say which uv made it.
    """
    locked = locked_variant(variant, lock)
    version = lock.tools.get("uv", "")
    if variant.environment.python.source == "uv" and not version:
        raise InputError(
            f"the lock of {lock.profile} does not say which uv made it",
            hint=f"write it anew with: envbuild lock --force {lock.profile}",
        )
    found = []
    for needed in system.images(variant.environment, version):
        pin = locked.image(needed.role)
        found.append(
            StageImage(
                argument=_ARGUMENTS[needed.role],
                reference=pin.reference if pin else needed.reference,
                digest=pin.digest if pin else needed.digest,
            )
        )
    return tuple(found)


def locked_variant(variant: Variant, lock: Lock) -> VariantLock:
    """The lock of a variant.

    Raises:
        InputError: there is none.
    """
    found = lock.variants.get(variant.name)
    if found is None:
        raise InputError(
            f"{lock.profile}: {variant.name} is not locked",
            hint=f"run: envbuild lock {lock.profile}",
        )
    return found


def stage_image(variant: Variant, locked: VariantLock, stage: str) -> Argument:
    """The build argument of the image that a stage stands on."""
    return _ARGUMENTS[system.stage_role(variant.environment, locked, stage)]


def file_text(file: FileDigest, texts: Mapping[str, bytes]) -> str:
    """A file of the lock folder.

    Raises:
        InputError: it is missing, is not the one that the lock names, or is no text.
    """
    data = texts.get(file.path)
    if data is None or sha256(data) != file.sha256:
        what = "is missing" if data is None else "is not the file that the lock was written with"
        raise InputError(
            f"the lock folder's {file.path} {what}",
            hint="restore it from version control, or run: envbuild lock --force",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InputError(f"the lock folder's {file.path} is not text") from None


def _placed(one: StepInput, variant: str) -> StepInput:
    return StepInput(
        path=f"{variant}/{one.path}",
        kind=one.kind,
        name=one.name,
        text=one.text,
        image=one.image,
    )


def _wheels(locked: VariantLock, texts: Mapping[str, bytes]) -> Iterator[StepInput]:
    """The wheels in pieces: what is heavy and seldom moves stands first."""
    if not locked.has_wheels:
        return
    pieces: dict[int, list[str]] = {}
    for entry in _entries(file_text(locked.wheels, texts)):
        pieces.setdefault(layers.piece(entry.partition("==")[0]), []).append(entry)
    for number, entries in sorted(pieces.items()):
        name = f"wheels-{number}"
        yield StepInput(
            path=name, kind="wheels", name=name, text=_requirements(entries), image=BASE
        )


def _sources(
    variant: Variant, locked: VariantLock, texts: Mapping[str, bytes]
) -> Iterator[StepInput]:
    if locked.sources is not None:
        yield StepInput(
            path="sources",
            kind="sources",
            name="sources",
            text=_requirements(_entries(file_text(locked.sources, texts))),
            image=stage_image(variant, locked, "wheels"),
        )


def _entries(text: str) -> list[str]:
    """The entries of a requirement file: a requirement with its hashes each."""
    return [entry.removesuffix("\\").rstrip() for entry in _ENTRY.findall(text)]


def _requirements(entries: list[str]) -> str:
    """A requirement file of these entries; its heading says nothing that moves."""
    heading = "# Rendered by envbuild from the lock: do not edit, lock and render again.\n"
    return heading + "".join(f"{entry}\n" for entry in entries)


def _git(variant: Variant, locked: VariantLock) -> Iterator[StepInput]:
    pinned = {pin.name: pin.commit for pin in locked.git}
    for git in variant.environment.git:
        commit = pinned.get(git.name) or git.commit
        if commit is None:
            raise InputError(
                f"the lock of {variant.environment.name} has no commit of {git.name}",
                hint=f"run: envbuild lock {variant.environment.name}",
            )
        yield StepInput(
            path=f"git/{git.name}",
            kind="git",
            name=git.name,
            text=f"{git.url} {commit}\n",
            image=BASE if git.install == "pip" else stage_image(variant, locked, "sources"),
        )


def _apt(variant: Variant, locked: VariantLock) -> Iterator[StepInput]:
    for stage, names in system.apt_names(variant.environment, locked).items():
        yield StepInput(
            path=f"apt/{stage}",
            kind="apt",
            name=stage,
            text="".join(f"{pins.exact(locked.apt, name)}\n" for name in names),
            image=stage_image(variant, locked, stage),
        )


def _python(
    variant: Variant, lock: Lock, locked: VariantLock, *, texts: Mapping[str, bytes]
) -> Iterator[StepInput]:
    asked = variant.environment.python
    if asked.source == "uv":
        text = f"uv {lock.tools.get('uv', '')}\npython {asked.version}\n"
        yield StepInput(path="python", kind="python", name="python", text=text, image=BASE)
    if asked.source == "conda":
        if locked.conda is None:
            raise InputError(
                f"the lock of {lock.profile} holds no conda packages",
                hint=f"write it anew with: envbuild lock --force {lock.profile}",
            )
        text = file_text(locked.conda.explicit[0], texts)
        yield StepInput(path="conda", kind="conda", name="conda", text=text, image=BASE)
