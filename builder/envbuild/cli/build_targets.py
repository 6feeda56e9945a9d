"""The variants that are to be built: everything about them that needs no engine."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.build import planning, secrets
from envbuild.build.planning import Left
from envbuild.cli import common, locking, rendering
from envbuild.errors import InputError
from envbuild.lock import folder
from envbuild.lock.folder import LockFolder, lock_digest
from envbuild.lock.model import VariantLock
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.render import inputs
from envbuild.render.tree import dockerfile_names

if TYPE_CHECKING:
    from envbuild.cli.build_options import Options
    from envbuild.cli.main import Session
    from envbuild.render.model import StepInput
    from envbuild.workspace import Profiles


class Target(Struct, frozen=True, kw_only=True):
    """One variant to build.

    ``folder`` is the lock folder of its profile, ``context`` the one with what was rendered, and
    ``rendered`` the digest of that. ``images`` are what it stands on, as ``(build argument,
    reference)``, ``inputs`` what its steps take from outside. ``names`` are those of its image,
    ``pushes`` those of them to push, ``output`` a folder to write it to. ``ssh``: a step that
    uses the network takes the user's ssh agent.
    """

    variant: Variant
    folder: LockFolder
    context: str
    dockerfile: str
    rendered: str
    images: tuple[tuple[str, str], ...]
    inputs: tuple[StepInput, ...]
    names: tuple[str, ...]
    pushes: tuple[str, ...] = ()
    output: str = ""
    ssh: bool = False

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self.variant.environment.name

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.profile}/{self.variant.name}"

    @property
    def locked(self) -> VariantLock:
        """The lock of the variant."""
        assert self.folder.header is not None  # a fresh lock has one
        return self.folder.header.variants[self.variant.name]

    @property
    def lock_digest(self) -> str:
        """The digest of the variant's lock, as its image's label has it."""
        return lock_digest(self.locked)


class Targets:
    """The variants of a workspace's profiles; ``builder`` are the platforms of one elsewhere."""

    def __init__(
        self, session: Session, found: Profiles, options: Options, *, builder: tuple[str, ...] = ()
    ) -> None:
        self._workspace = session.workspace
        self._found = found
        self._options = options
        self._builder = builder

    def of(self, profile: ResolvedProfile) -> tuple[tuple[Target, ...], tuple[Left, ...]]:
        """The variants of a profile to build, and those that are left out.

        Raises:
            InputError: its lock is stale, its Dockerfiles are not as rendered, or an option does
                not fit it.
        """
        options = self._options
        wanted, left = planning.chosen(
            profile.variants, options.variants, platform.machine(), builder=self._builder
        )
        planning.refuse_platform(wanted, options.platform)
        if not wanted:
            return (), left
        locking.refuse_stale(self._workspace, self._found, profile)
        made = rendering.target(self._workspace, self._found, profile, filled=self._templates)
        if isinstance(made, rendering.Refusal):
            raise InputError(f"{profile.name} cannot be rendered", problems=made.problems)
        _refuse_unrendered(made)
        kept = folder.read(*locking.workspace_path(self._workspace, profile.name))
        return tuple(self._target(profile, one, kept, made=made) for one in wanted), left

    @functools.cached_property
    def _templates(self) -> rendering.Templates:
        return rendering.templates(self._workspace)

    def _target(
        self,
        profile: ResolvedProfile,
        variant: Variant,
        kept: LockFolder,
        *,
        made: rendering.Target,
    ) -> Target:
        options = self._options
        assert kept.header is not None  # a fresh lock has one
        names = planning.tags(profile.name, variant.name, options.names)
        dockerfile = dockerfile_names(profile)[variant.name]
        rendered = {file.path: file.data for file in made.tree.files}
        text = rendered[dockerfile].decode()
        secrets.refuse_unmounted(options.secrets, text, label=f"{made.label}/{dockerfile}")
        return Target(
            variant=variant,
            folder=kept,
            context=os.path.abspath(made.path),
            dockerfile=dockerfile,
            rendered=_digest(rendered, dockerfile, variant.name),
            images=tuple(
                (one.argument, planning.read_from(one.reference, one.digest, options.mirrors))
                for one in inputs.images(variant, kept.header)
            ),
            inputs=inputs.inputs(variant, kept.header, kept.texts),
            names=names,
            output=_output(options.output, profile.name, variant.name),
            ssh="--mount=type=ssh" in text,
            pushes=planning.pushed(names) if options.push else (),
        )


def _refuse_unrendered(made: rendering.Target) -> None:
    """Refuse Dockerfiles that are not what would be rendered: they are built as they stand.

    Raises:
        InputError: with what differs.
    """
    if not made.current:
        moved = "".join(
            f"\n  {step.target}: {step.reason}" for step in made.steps if step.action == "run"
        )
        name = made.profile.name
        raise InputError(
            f"{name}: Dockerfiles are not as rendered{moved}", hint=f"envbuild render {name}"
        )


def _output(text: str, profile: str, variant: str) -> str:
    """The folder to write an image to; empty for none.

    Raises:
        InputError: something stands there.
    """
    place = planning.filled_in(text, profile, variant)
    if place and os.path.lexists(place):
        raise InputError(f"--output {place}: it exists", hint="name a folder that does not")
    return place


def _digest(rendered: Mapping[str, bytes], dockerfile: str, variant: str) -> str:
    """The digest of everything that was rendered for a variant."""
    state = hashlib.sha256()
    own = (dockerfile, f"{dockerfile}.dockerignore")
    for path, data in sorted(rendered.items()):
        if path in own or path.startswith(f"{variant}/"):
            state.update(f"{path}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return f"sha256:{state.hexdigest()}"


def refuse_unknown(profiles: Mapping[str, ResolvedProfile], named: tuple[str, ...]) -> None:
    """Refuse the name of a variant that none of the profiles has.

    Raises:
        InputError: with the names that are near.
    """
    known = {one.name for profile in profiles.values() for one in profile.variants}
    for name in named:
        if name not in known and profiles:
            common.variant(next(iter(profiles.values())), name)
