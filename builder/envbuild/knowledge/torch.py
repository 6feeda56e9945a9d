"""The torch of a world: which build it is, and what that build holds. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.knowledge import facts

if TYPE_CHECKING:
    from envbuild.knowledge.world import World

NONE = "none"
"""The CUDA version of a torch that was built without it."""

_CUDA_RUNTIMES = ("nvidia-cuda-runtime", "cuda-toolkit", "cuda-bindings")
"""Beginnings of the names of packages one of which every torch with CUDA asks for."""


class Torch(Struct, frozen=True, kw_only=True):
    """A torch, in words as ``name``.

    ``cuda`` is the version that it is built for, :data:`NONE` without, None where it cannot be
    told; ``gpus`` are the architectures that it has code for, empty where nobody has looked into
    this build. ``of_image`` says that the image brings it.
    """

    name: str
    of_image: bool
    cuda: str | None
    gpus: tuple[str, ...]


def torch_of(world: World) -> Torch | None:
    """The torch of a world; None where there is none, or its version cannot be told.

    Facts are about the builds of the public index: a build with another local version, or one
    that a declared index may give, is another build.
    """
    version = world.version("torch")
    if version is None:
        return None
    of_image = "torch" in world.brought and "torch" not in (world.locked or {})
    release, local = _build(world, version, of_image=of_image)
    build = facts.torch_build(release, world.variant.architecture)
    public = f"cu{(build.cuda or '').replace('.', '')}" if build else ""
    may_be_other = of_image or (world.locked is None and indexed("torch", world))
    same = build is not None and (local == public if local else not may_be_other)
    own = build.cuda or NONE if build and same else None
    whose = "the image's torch" if of_image else "torch"
    return Torch(
        name=f"{whose} {release}{local and '+'}{local}",
        of_image=of_image,
        cuda=cuda_of(local) or (NONE if _without_runtime(world, of_image=of_image) else own),
        gpus=build.gpus if build and same else (),
    )


def cuda_of(build: str | None) -> str | None:
    """The CUDA of a local version: ``cu128`` is ``12.8``, ``cpu`` is :data:`NONE`."""
    if (build or "").startswith("cpu"):
        return NONE
    digits = (build or "").removeprefix("cu")
    return f"{digits[:-1]}.{digits[-1]}" if digits.isdecimal() and build != digits else None


def indexed(package: str, world: World) -> bool:
    """Whether the profile names an index of its own for a package."""
    indexes = world.environment.python.indexes
    return any(fnmatchcase(package, pattern) for index in indexes for pattern in index.packages)


def covers(built: tuple[str, ...], gpu: str) -> bool:
    """Whether code for one of ``built`` runs on ``gpu``.

    CUDA's rule for compiled code: the same major version, and no later minor than the GPU's.
    """
    wanted = int(gpu.removeprefix("sm_"))
    numbers = (int(name.removeprefix("sm_")) for name in built)
    return any(one // 10 == wanted // 10 and one <= wanted for one in numbers)


def _build(world: World, version: str, *, of_image: bool) -> tuple[str, str]:
    """Release and local version; a lock may leave the local one to the profile's pin."""
    release, _, local = version.partition("+")
    if of_image:
        return release, local or world.image_torch or ""
    pins = (bound.text for bound in world.asked("torch"))
    said = (text.partition("+")[2].partition(" ")[0] for text in pins)
    return release, local or next(filter(None, said), "")


def _without_runtime(world: World, *, of_image: bool) -> bool:
    """Whether a lock has torch and not CUDA's runtime, which every torch with CUDA asks for."""
    if of_image or "torch" not in (world.locked or {}):
        return False
    names = (*(world.locked or {}), *world.brought)
    return not any(name.startswith(_CUDA_RUNTIMES) for name in names)
