"""Two copies of a package that meet in one process, and the version that a product brings. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from envbuild.doctor import asking, commands
from envbuild.doctor.worlds import product, release
from envbuild.knowledge import facts
from envbuild.scan.model import Distribution, Order, Product, Scan, Winner
from envbuild.scan.winners import winners

NUMPY = "numpy"
KERNEL = "isaacsim-kernel"


class Meeting(Struct, frozen=True, kw_only=True):
    """A copy of a package in an environment, and the version of the product that it should be of.

    ``own`` is what wins until Kit starts. ``then`` is the copy that wins from then on; None where
    the product's own one is not there, and ``said`` is then who names its version. ``launchers``
    are the ways of starting Python that get there.
    """

    own: Distribution
    then: Distribution | None
    wanted: str
    product: Product | None
    said: str
    launchers: tuple[str, ...]
    orders: tuple[Order, ...]


def bundled(scan: Scan, copy: Distribution) -> bool:
    """Whether a copy is one that a product brings."""
    site = scan.site(copy.site)
    return site is not None and site.kind in commands.BUNDLED


def meetings(scan: Scan, package: str) -> tuple[Meeting, ...]:
    """The copies of a package that meet a copy of another version when Kit starts; of NumPy also
    those that are not what the Isaac Sim beside them brings."""
    found: dict[tuple[Distribution, Distribution | None, str], Meeting] = {}
    for one in winners(scan, package):
        for met in _met(scan, one):
            key = (met.own, met.then, met.wanted)
            found[key] = _joined(found[key], met) if key in found else met
    return tuple(found.values())


def _joined(one: Meeting, other: Meeting) -> Meeting:
    launchers = dict.fromkeys((*one.launchers, *other.launchers))
    return Meeting(
        own=one.own,
        then=one.then,
        wanted=one.wanted,
        product=one.product or other.product,
        said=one.said,
        launchers=tuple(launchers),
        orders=(*one.orders, *other.orders),
    )


def _met(scan: Scan, winner: Winner) -> Iterator[Meeting]:
    own, then, order = winner.before, winner.after, winner.order
    if own is None:
        return
    owner = product(scan, "isaac-sim", order)
    wanted, said = then.version if then else "", ""
    if (then is None or then == own) and own.name == NUMPY and owner is not None:
        then = None
        wanted, said = ("", "") if bundled(scan, own) else brought(scan, order, owner)
    if wanted and own.version and wanted != own.version:
        yield Meeting(
            own=own,
            then=then,
            wanted=wanted,
            product=owner,
            said=said,
            launchers=(order.launcher,),
            orders=(order,),
        )


def brought(scan: Scan, order: Order, owner: Product) -> tuple[str, str]:
    """The NumPy of an Isaac Sim of which no copy is there, and who says so: the pin of its kernel,
    or what is known of the release. Empty: nobody."""
    reach = {*order.before, *order.after}
    for one in scan.distributions:
        if one.name == KERNEL and one.site in reach:
            for wish in asking.wishes(one, order.python, scan.system.machine):
                pinned = asking.pin(wish) if wish.name == NUMPY else ""
                if pinned:
                    return pinned, f"{KERNEL} {one.version} requires {NUMPY}=={pinned}"
    named = release(owner)
    fact = facts.fact("isaac-sim", named, NUMPY) if named else None
    if fact is None or not isinstance(fact.value, str) or fact.value == facts.UNKNOWN:
        return "", ""
    return fact.value, f"{commands.titled(owner)} brings {NUMPY} {fact.value} ({fact.source})"
