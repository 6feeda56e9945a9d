"""The values that a rule compares and names: of the world, of a fact, of a package. Pure.

A term is ``python`` (a value of the world), ``isaac-sim.numpy`` (a fact of the release that the
world has) or ``package.torch`` (a package's version, where it can be told).
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from envbuild.knowledge import facts
from envbuild.knowledge.torch import NONE, cuda_of, torch_of
from envbuild.names import canonical_name

if TYPE_CHECKING:
    from envbuild.knowledge.world import World

Value = str | tuple[str, ...] | None
"""A value, several of which one is right, or None: it is not known."""


def _torch_cuda(world: World) -> str | None:
    """The CUDA that torch is built for; ``none`` without, None where it is not known."""
    torch = torch_of(world)
    return torch.cuda if torch and not torch.of_image else None


_OF_THE_WORLD: dict[str, Callable[[World], str | None]] = {
    "profile": lambda world: world.profile,
    "variant": lambda world: world.variant.name,
    "python": lambda world: world.python,
    "architecture": lambda world: world.variant.architecture,
    "cuda": lambda world: world.cuda,
    "image": lambda world: world.environment.base.image,
    "distribution": lambda world: world.environment.base.distribution,
    "glibc": lambda world: facts.glibc(world.environment.base.distribution),
    "isaac-sim": lambda world: world.isaac_sim,
    "isaac-lab": lambda world: world.isaac_lab,
    "gr00t": lambda world: world.gr00t,
    "numpy": lambda world: world.version("numpy"),
    "torch": lambda world: world.version("torch"),
    "torch-cuda": _torch_cuda,
    "image-torch-cuda": lambda world: cuda_of(world.image_torch),
    "driver-min": lambda world: world.environment.hardware.driver.min,
    "driver-below": lambda world: world.environment.hardware.driver.below,
    "none": lambda _: NONE,
}


def problem(term: str) -> tuple[str, str] | None:
    """Why a term is none, and a hint; None for a term that can be asked."""
    kind, dot, name = term.partition(".")
    if not dot:
        return _unknown(f"no value is called {term!r}", term, tuple(_OF_THE_WORLD), term)
    if kind == "package":
        return None
    if kind not in facts.KINDS:
        known = (*facts.KINDS, "package")
        return _unknown(f"{kind!r} in {term!r} is neither a product nor package", kind, known, kind)
    if name not in facts.fact_names(kind):
        return _unknown(f"{kind} has no fact {name!r}", name, tuple(facts.fact_names(kind)), name)
    return None


def _unknown(message: str, word: str, known: tuple[str, ...], near: str) -> tuple[str, str] | None:
    if word in known:
        return None
    found = get_close_matches(near, known, n=1)
    meant = f"did you mean {found[0]}? " if found else ""
    return message, f"{meant}known: {', '.join(sorted(known))}"


def value(term: str, world: World) -> Value:
    """What a term stands for in a world."""
    kind, dot, name = term.partition(".")
    if not dot:
        return _OF_THE_WORLD[term](world)
    if kind == "package":
        return world.version(canonical_name(name))
    release = {"isaac-sim": world.isaac_sim, "isaac-lab": world.isaac_lab, "gr00t": world.gr00t}
    found = facts.fact(kind, release[kind] or "", name) if release[kind] else None
    if found is None or found.value == facts.UNKNOWN:
        return None
    return found.value if isinstance(found.value, (str, tuple)) else tuple(sorted(found.value))


def simple() -> tuple[str, ...]:
    """The values of the world that can be named."""
    return tuple(_OF_THE_WORLD)
