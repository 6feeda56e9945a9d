"""What a rule may ask about one variant of a profile, as one frozen value. Pure.

A world is made of plain values, so that a profile alone, a profile with the lock that stands, and
a resolution that is not written yet are judged by the same rules.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from envbuild.knowledge import facts
from envbuild.knowledge.model import Fact
from envbuild.knowledge.ranges import ANY, Range, Wanted, number, wanted
from envbuild.names import canonical_name
from envbuild.profile.model import Environment
from envbuild.profile.resolved import KeyPath, Variant

_IMAGE = re.compile(r"nvcr\.io/nvidia/(isaac-sim|isaac-lab):([0-9][0-9.]*)")
_BUNDLE = re.compile(r"(isaac-sim|isaac-lab)-([0-9]+(?:-[0-9]+)*)")
_REPOSITORY = re.compile(r"github\.com/(isaac-sim/IsaacLab|NVIDIA/Isaac-GR00T)(?:\.git)?$")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)+(?:\.post[0-9]+)?")


class Bound(Struct, frozen=True, kw_only=True):
    """What one line of the profile says of a package's version, and where it stands."""

    kind: Literal["requirement", "constraint", "override"]
    text: str
    wanted: Wanted
    path: KeyPath


class World(Struct, frozen=True, kw_only=True):
    """One variant of a profile, and what is known of its packages.

    ``isaac_sim``, ``isaac_lab`` and ``gr00t`` are releases, None where there is none or it cannot
    be told; ``simulator`` says whether Isaac Sim comes with the image or by pip. ``bounds`` has by
    canonical name what the profile says of a package; where there are overrides, those alone,
    since they set the others aside. ``locked`` is what a lock installs (None: there is no lock),
    ``brought`` what the image brings (an empty version is not known). ``peers`` are the variants
    of the profiles that the contracts name.
    """

    profile: str
    variant: Variant
    isaac_sim: str | None = None
    isaac_lab: str | None = None
    gr00t: str | None = None
    simulator: Literal["image", "pip"] | None = None
    bounds: Mapping[str, tuple[Bound, ...]] = {}
    locked: Mapping[str, str] | None = None
    brought: Mapping[str, str] = {}
    image_torch: str | None = None
    peers: Mapping[str, tuple[World, ...]] = {}

    @property
    def environment(self) -> Environment:
        """The profile's own words."""
        return self.variant.environment

    @property
    def python(self) -> str:
        """The Python version by its first two numbers."""
        return ".".join(self.environment.python.version.split(".")[:2])

    @property
    def cuda(self) -> str | None:
        """The CUDA version of the variant: ``12.8``; None for ``cpu``."""
        cuda = self.variant.cuda
        return f"{cuda[0]}.{cuda[1]}" if cuda else None

    def asked(self, package: str) -> tuple[Bound, ...]:
        """What makes the package a part of the environment: requirements, or overrides."""
        bounds = self.bounds.get(package, ())
        return tuple(bound for bound in bounds if bound.kind != "constraint")

    def admitted(self, package: str) -> Range:
        """The versions that the profile leaves to a package."""
        found = ANY
        for bound in self.bounds.get(package, ()):
            found = found.both(bound.wanted.versions)
        return found

    def version(self, package: str) -> str | None:
        """The version that the environment will have, where it can be told: from the lock, from
        the image, or because the profile leaves one alone."""
        locked = (self.locked or {}).get(package) or self.brought.get(package)
        return locked or (self.admitted(package).exact if self.asked(package) else None)


def world(
    profile: str,
    variant: Variant,
    *,
    locked: Mapping[str, str] | None = None,
    provided: Mapping[str, str] | None = None,
) -> World:
    """The world of a variant.

    ``locked`` are the packages that a lock, or a resolution that may become one, installs (name to
    version); ``provided`` those that it leaves to the image. Bundles that the profile names count
    in any case. Peers are added by :func:`introduced`.
    """
    environment = variant.environment
    bundles = [row for row in map(facts.bundle, environment.base.provides) if row]
    brought = {
        canonical_name(name): "" if version == facts.UNKNOWN else version
        for row in bundles
        for name, version in row.packages.items()
    }
    brought |= {canonical_name(name): version for name, version in (provided or {}).items()}
    bounds = _bounds(variant)
    sim, simulator = _isaac_sim(variant, bounds, locked or {})
    lab = _isaac_lab(variant, bounds, locked or {})
    if sim is None and lab is not None:
        simulator = _with_lab(environment, bounds)
        sim = _text(facts.fact("isaac-lab", lab, "isaac-sim")) if simulator else None
    return World(
        profile=profile,
        variant=variant,
        isaac_sim=sim,
        isaac_lab=lab,
        gr00t=_gr00t(environment),
        simulator=simulator,
        bounds=bounds,
        locked=locked,
        brought=brought,
        image_torch=next((row.torch_build for row in bundles if row.torch_build), None),
    )


def introduced(worlds: Iterable[World]) -> tuple[World, ...]:
    """The worlds, each with those that its contracts name among them."""
    by_profile: dict[str, tuple[World, ...]] = {}
    everyone = tuple(worlds)
    for one in everyone:
        by_profile[one.profile] = (*by_profile.get(one.profile, ()), one)
    return tuple(_with_peers(one, by_profile) for one in everyone)


def _with_peers(one: World, by_profile: Mapping[str, tuple[World, ...]]) -> World:
    names = {contract.peer for contract in one.environment.contracts}
    peers = {name: by_profile[name] for name in sorted(names & by_profile.keys())}
    if not peers:
        return one
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return World(**{**values, "peers": peers})


def _bounds(variant: Variant) -> dict[str, tuple[Bound, ...]]:
    found: dict[str, list[Bound]] = {}
    left_out = {canonical_name(row.package) for row in variant.environment.python.exclude}
    for bound in _lines(variant):
        name = bound.wanted.name
        if name not in left_out and holds(bound.wanted.marker, variant):
            found.setdefault(name, []).append(bound)
    return {name: _effective(bounds) for name, bounds in found.items()}


def _effective(bounds: list[Bound]) -> tuple[Bound, ...]:
    overrides = tuple(bound for bound in bounds if bound.kind == "override")
    return overrides or tuple(bounds)


def _lines(variant: Variant) -> Iterator[Bound]:
    python = variant.environment.python
    for index, text in enumerate(python.requirements):
        path: KeyPath = ("python", "requirements", index)
        yield Bound(kind="requirement", text=text, wanted=wanted(text), path=path)
    for index, text in enumerate(python.constraints):
        path = ("python", "constraints", index)
        yield Bound(kind="constraint", text=text, wanted=wanted(text), path=path)
    for index, override in enumerate(python.overrides):
        path = ("python", "overrides", index, "requirement")
        text = override.requirement
        yield Bound(kind="override", text=text, wanted=wanted(text), path=path)


def holds(marker: str, variant: Variant) -> bool:
    """Whether a requirement's marker is true on the variant's machine."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}[variant.architecture]
    return not marker or _evaluated(marker, variant.environment.python.version, machine)


@functools.cache
def _evaluated(marker: str, python: str, machine: str) -> bool:
    from packaging.markers import Marker  # only for the few requirements that have one

    parts = python.split(".")
    environment = {
        "python_version": ".".join(parts[:2]),
        "python_full_version": ".".join((*parts, "0")[:3]),
        "platform_machine": machine,
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return Marker(marker).evaluate(environment)


# --- Which products these are --------------------------------------------------------------------


def _isaac_sim(
    variant: Variant, bounds: Mapping[str, tuple[Bound, ...]], locked: Mapping[str, str]
) -> tuple[str | None, Literal["image", "pip"] | None]:
    found = locked.get("isaacsim-kernel") or locked.get("isaacsim")
    if found is None and "isaacsim" in bounds:
        found = _release("isaac-sim", bounds["isaacsim"])
    if found or "isaacsim" in bounds:
        return (_known("isaac-sim", found) if found else None), "pip"
    named = _named_by_image(variant.environment, "isaac-sim")
    return (named, "image") if named else (None, None)


def _isaac_lab(
    variant: Variant, bounds: Mapping[str, tuple[Bound, ...]], locked: Mapping[str, str]
) -> str | None:
    found = locked.get("isaaclab")
    if found is None and "isaaclab" in bounds:
        found = _release("isaac-lab", bounds["isaaclab"])
    if found:
        return _known("isaac-lab", found)
    named = _named_by_image(variant.environment, "isaac-lab")
    return named or _from_git(variant.environment, "isaac-sim/IsaacLab")


def _with_lab(
    environment: Environment, bounds: Mapping[str, tuple[Bound, ...]]
) -> Literal["image", "pip"] | None:
    """How Isaac Lab brings the simulator: by an image of its own, or by its extra ``isaacsim``."""
    if _named_by_image(environment, "isaac-lab"):
        return "image"
    extras = (extra for bound in bounds.get("isaaclab", ()) for extra in bound.wanted.extras)
    return "pip" if "isaacsim" in extras else None


def _gr00t(environment: Environment) -> str | None:
    found = _from_git(environment, "NVIDIA/Isaac-GR00T")
    names = [f"n{'.'.join((found or '').split('.')[:2])}", f"n{found}"]
    return next((name for name in names if name in facts.releases("gr00t")), None)


def _named_by_image(environment: Environment, kind: str) -> str | None:
    image = _IMAGE.match(environment.base.image)
    if image and image[1] == kind:
        return _known(kind, image[2].rstrip("."))
    bundles = (_BUNDLE.fullmatch(name) for name in environment.base.provides)
    named = (_known(kind, b[2].replace("-", ".")) for b in bundles if b and b[1] == kind)
    return next(named, None)


def _from_git(environment: Environment, repository: str) -> str | None:
    for source in environment.git:
        found = _REPOSITORY.search(source.url)
        numbers = _NUMBERS.search(source.ref or "")
        if found and found[1] == repository and numbers:
            return numbers[0]
    return None


def _release(kind: str, bounds: Iterable[Bound]) -> str | None:
    """The release that bounds leave; None where they leave several."""
    admitted = ANY
    for bound in bounds:
        admitted = admitted.both(bound.wanted.versions)
    if admitted.exact:
        return admitted.exact
    known = (name for name in facts.releases(kind) if "-" not in name)
    fitting = [name for name in known if admitted.holds(name)]
    return fitting[0] if len(fitting) == 1 else None


def _known(kind: str, version: str) -> str:
    """A version by the name that its release is known by; itself where it is not known."""
    plain = str(number(version))
    return facts.release_of(kind, plain) or plain


def _text(fact: Fact | None) -> str | None:
    value = fact.value if fact else facts.UNKNOWN
    return value if isinstance(value, str) and value != facts.UNKNOWN else None
