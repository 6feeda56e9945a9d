"""What a launcher finds, as a world for rules: a profile that installs exactly that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.doctor.present import packages
from envbuild.errors import Mark
from envbuild.knowledge import facts
from envbuild.knowledge.ranges import number, wanted
from envbuild.knowledge.world import World, world
from envbuild.profile.model import Base, Conda, Environment, GitSource, Override, Python
from envbuild.profile.resolved import KeyPath, Variant
from envbuild.scan.model import Distribution, Order, Product, Scan
from envbuild.tools import typed

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Machines as profiles name them."""


class Asked(Struct, frozen=True, kw_only=True):
    """A launcher's packages as a world. ``copies`` are the distributions by name."""

    scan: Scan
    order: Order
    copies: Mapping[str, Distribution]
    world: World


def worlds(scan: Scan) -> Iterator[Asked]:
    """The packages of each launcher as a world; none where its Python or machine is not known."""
    machine = MACHINES.get(scan.system.machine) or _machine(scan)
    for order in scan.orders:
        copies = packages(scan, order)
        if machine and order.python and copies:
            built = _world(scan, order, copies, machine)
            yield Asked(scan=scan, order=order, copies=copies, world=built)


def _machine(scan: Scan) -> str:
    """The machine of the modules, where all are for one."""
    found = {one.binary.machine for one in scan.modules if one.binary.machine}
    return MACHINES.get(found.pop(), "") if len(found) == 1 else ""


def _world(scan: Scan, order: Order, copies: Mapping[str, Distribution], machine: str) -> World:
    readable = {name: one for name, one in copies.items() if _readable(name, one.version)}
    marks: dict[KeyPath, Mark] = {(): _mark(order.path)}
    overrides = []
    for index, (name, one) in enumerate(readable.items()):
        line = Override(requirement=f"{name}=={one.version}", reason="it is what is installed")
        marks["python", "overrides", index, "requirement"] = _mark(one.metadata or one.package)
        overrides.append(line)
    environment = Environment(
        schema=1,
        name="examined",
        summary=scan.label,
        base=_base(scan),
        python=Python(version=order.python, source="image", overrides=tuple(overrides)),
        conda=_conda(scan, order, copies, marks),
        git=_git(copies),
    )
    variant = Variant(name=f"linux-{machine}-cpu", environment=environment, marks=marks)
    locked = {name: one.version for name, one in readable.items()}
    sim, lab, gr00t = (product(scan, kind, order) for kind in ("isaac-sim", "isaac-lab", "gr00t"))
    return msgspec.structs.replace(
        world(scan.label, variant, locked=locked),
        isaac_sim=release(sim),
        isaac_lab=release(lab),
        gr00t=release(gr00t),
        simulator=("pip" if sim.way == "pip" else "image") if sim else None,
    )


def _readable(name: str, version: str) -> bool:
    try:
        number(version)
        return wanted(f"{name}=={version}").name == name
    except ValueError:
        return False


def _mark(path: str) -> Mark:
    return Mark(path, 1, 1)


def _base(scan: Scan) -> Base:
    """What it stands on: the system, where profiles have a name for it."""
    name = scan.system.release.replace(" ", "-", 1)
    known = name if facts.glibc(name) else "unknown"
    return typed.convert({"image": "examined:here", "distribution": known}, Base)


def _conda(
    scan: Scan, order: Order, copies: Mapping[str, Distribution], marks: dict[KeyPath, Mark]
) -> Conda | None:
    """The conda packages of the launcher's prefix that are not simply its Python packages: those
    that pip has replaced, and what is none."""
    names = facts.conda_names()
    own = [
        one
        for one in scan.conda
        if any(f"{site}/".startswith(f"{one.prefix}/") for site in order.before)
        and _replaced(copies.get(names.get(one.name, one.name)))
    ]
    for index, one in enumerate(own):
        path = f"{one.prefix}/conda-meta/{one.name}-{one.version}-{one.build}.json"
        marks["conda", "packages", index] = _mark(path)
    packages_ = tuple(f"{one.name}={one.version}" for one in own)
    return Conda(channels=(), packages=packages_) if own else None


def _replaced(found: Distribution | None) -> bool:
    return found is None or found.installer not in ("", "conda")


def _git(copies: Mapping[str, Distribution]) -> tuple[GitSource, ...]:
    """GR00T has no index: where it is installed, it came from its sources."""
    found = copies.get("gr00t")
    if found is None:
        return ()
    path = found.editable or found.package or found.site
    url = "https://github.com/NVIDIA/Isaac-GR00T"
    return (GitSource(name="gr00t", url=url, path=path, install="pip"),)


# --- The products that a launcher reaches --------------------------------------------------------


def product(scan: Scan, kind: str, order: Order) -> Product | None:
    """The product of a kind that a launcher belongs to, or that is on its way; the innermost."""
    near = [one for one in scan.products if one.kind == kind and _reached(one.path, order)]
    return max(near, key=lambda one: len(one.path), default=None)


def _reached(path: str, order: Order) -> bool:
    sites = (*order.before, *order.after)
    return f"{order.path}/".startswith(f"{path}/") or any(
        f"{site}/".startswith(f"{path}/") or f"{path}/".startswith(f"{site}/") for site in sites
    )


def release(found: Product | None) -> str | None:
    """The release of a product as the facts name it; its own word where they do not know it."""
    if found is None or not found.release:
        return None
    if found.kind == "gr00t":
        numbers = found.release.split(".")
        names = (f"n{'.'.join(numbers[:2])}", f"n{numbers[0]}")
        return next((name for name in names if name in facts.releases("gr00t")), None)
    return facts.release_of(found.kind, found.release) or found.release
