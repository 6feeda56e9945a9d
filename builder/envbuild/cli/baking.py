"""``docker-bake.json`` of a workspace: what would be written, what stands there, what differs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from envbuild.build import planning, secrets
from envbuild.cli import locking
from envbuild.errors import InputError
from envbuild.lock import folder
from envbuild.plan import Step
from envbuild.render import bake, inputs
from envbuild.render.bake import NAME, BakeImage
from envbuild.render.tree import dockerfile_names
from envbuild.tools import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envbuild.cli.rendering import Target
    from envbuild.workspace import Workspace

Status = Literal["current", "missing", "differs"]


class Baked(Struct, frozen=True, kw_only=True):
    """The file as it is rendered, and the one that stands there; None: there is none."""

    data: bytes
    existing: bytes | None

    @property
    def status(self) -> Status:
        """Whether it stands there as it is rendered."""
        if self.existing is None:
            return "missing"
        return "current" if self.existing == self.data else "differs"

    @property
    def step(self) -> Step:
        """What rendering does about it."""
        if self.status == "current":
            return Step(kind="render", target=NAME, action="skip", reason="up to date")
        return Step(kind="render", target=NAME, action="run", reason=self.status)


def stands(workspace: Workspace) -> bool:
    """Whether a file of envbuild's is there, which rendering then keeps up to date."""
    data = _existing(workspace)
    return data is not None and bake.ours(data)


def baked(workspace: Workspace, targets: Iterable[Target]) -> Baked:
    """The file of these profiles.

    Raises:
        InputError: what stands there is somebody else's, or two targets would have one name.
    """
    existing = _existing(workspace)
    if existing is not None and not bake.ours(existing):
        raise InputError(
            f"{NAME} is not envbuild's: left as it is",
            hint="give it another name, or take envbuild's with: envbuild render --bake --stdout",
        )
    return Baked(data=text(workspace, targets), existing=existing)


def text(workspace: Workspace, targets: Iterable[Target]) -> bytes:
    """What is rendered, whatever stands there.

    Raises:
        InputError: two targets would have one name.
    """
    return bake.bake(one for target in targets for one in _images(workspace, target))


def write(workspace: Workspace, one: Baked) -> bool:
    """Write the file; False when it stands there already.

    Raises:
        ToolError: it cannot be written.
    """
    return files.write_tree(workspace.root, {NAME: one.data})


def _existing(workspace: Workspace) -> bytes | None:
    path = workspace.path(NAME)
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        return b""  # a link or a folder is nobody's to write over
    return files.read_if_exists(path, label=NAME)


def _images(workspace: Workspace, target: Target) -> Iterator[BakeImage]:
    profile = target.profile
    lock = folder.read(*locking.workspace_path(workspace, profile.name)).header
    assert lock is not None  # it was rendered from
    names = dockerfile_names(profile)
    texts = {file.path: file.text for file in target.tree.files}
    for variant in profile.variants:
        dockerfile = texts[names[variant.name]]
        yield BakeImage(
            profile=profile.name,
            variant=variant.name,
            platform=variant.platform,
            dockerfile=names[variant.name],
            images=tuple(
                (one.argument, planning.read_from(one.reference, one.digest, ()))
                for one in inputs.images(variant, lock)
            ),
            epoch=planning.epoch(lock.variants[variant.name].input.as_of),
            secrets=tuple(sorted(secrets.mounts(dockerfile))),
            ssh="--mount=type=ssh" in dockerfile,
        )
