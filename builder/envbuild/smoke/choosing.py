"""Which image is asked, by which engine, and where its logs go."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping

from msgspec import Struct

from envbuild.build import records
from envbuild.engines import finding
from envbuild.engines.model import Engine
from envbuild.errors import InputError
from envbuild.install import host
from envbuild.lock import folder
from envbuild.lock.model import VariantLock
from envbuild.plan import Shard
from envbuild.profile.resolve import resolve
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.tools import store
from envbuild.tools.proc import Runner
from envbuild.tools.turns import PRIVATE, private_folder
from envbuild.workspace import Workspace


class Target(Struct, frozen=True, kw_only=True):
    """A variant and the image that is asked; ``engine`` is the one that built it, or empty."""

    variant: Variant
    locked: VariantLock
    image: str
    engine: str = ""

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.variant.environment.name}/{self.variant.name}"


def target(
    workspace: Workspace, profile: ResolvedProfile, *, variant: str | None, image: str | None
) -> Target:
    """The image of a variant: the one named, the one that was built here, or the usual name.

    Raises:
        InputError: there is no lock, or no variant for this machine.
    """
    chosen = _variant(profile, variant)
    label = f"lockfiles/{profile.name}"
    kept = folder.read(f"{workspace.root}/{label}", label)
    hint = f"envbuild lock {profile.name}"
    if kept.header is None:
        raise InputError(f"{profile.name} has no lock", hint=hint)
    if chosen.name not in kept.header.variants:
        raise InputError(f"the lock of {profile.name} has no variant {chosen.name}", hint=hint)
    built = None if image else records.read(workspace.root, profile.name, chosen.name)
    usual = built.reference if built else f"{profile.name}:{chosen.name}"
    return Target(
        variant=chosen,
        locked=kept.header.variants[chosen.name],
        image=image or usual,
        engine=built.engine if built else "",
    )


def _variant(profile: ResolvedProfile, name: str | None) -> Variant:
    if name is None:
        return host.for_machine(profile.variants, platform.machine())
    for one in profile.variants:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in profile.variants)
    raise InputError(f"{profile.name} has no variant {name!r}", hint=f"variants: {names}")


def engine(
    wanted: str, targets: Iterable[Target], *, runner: Runner, environ: Mapping[str, str]
) -> Engine:
    """The engine that was asked for; for ``auto`` the one that built the images, where one did;
    podman runs what buildah has built.

    Raises:
        ToolError: there is none.
    """
    builders = {one.engine for one in targets}
    built_by = builders.pop() if len(builders) == 1 else ""
    runs = {"podman": "podman", "buildah": "podman", "docker": "docker"}
    chosen = runs.get(built_by, wanted) if wanted == "auto" else wanted
    cache = f"{store.cache_folder(environ)}/engines"
    return finding.find(chosen, environ, runner, cache=cache)


def default_place(root: str, one: Target, *, shard: Shard | None = None) -> str:
    """Where the logs of the last run of a variant, or of a part of it, are kept: in the
    workspace's private folder."""
    private_folder(root, "smoke")
    part = f".{shard.index}-of-{shard.count}" if shard else ""
    return f"{root}/{PRIVATE}/smoke/{one.variant.environment.name}.{one.variant.name}{part}"


def resolved(workspace: Workspace, name: str) -> ResolvedProfile:
    """A profile of a workspace by its name.

    Raises:
        InputError: there is none, or it cannot be used.
    """
    return resolve(name, workspace.profiles().sources)
