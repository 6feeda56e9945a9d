"""Which copy of a package each launcher takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envbuild.names import canonical_name
from envbuild.scan.model import Distribution, Scan, Winner


def winners(scan: Scan, package: str) -> tuple[Winner, ...]:
    """The copy of a distribution that each launcher's Python takes, before Kit starts and after.

    The first site that has it wins; metadata without the package itself wins nothing while there
    is a copy that can be imported. Losers are the other copies that the launcher could reach, in
    its order. Launchers that reach no copy are left out.
    """
    name = canonical_name(package)
    copies = [one for one in scan.distributions if one.name == name]
    found = []
    for order in scan.orders:
        before, after = (_along(copies, sites) for sites in (order.before, order.after))
        every = list(dict.fromkeys((*before, *after)))
        if every:
            first, then = (next(iter(side), None) for side in (before, after))
            losers = tuple(one for one in every if one not in (first, then))
            found.append(Winner(order=order, before=first, after=then, losers=losers))
    return tuple(found)


def _along(copies: Sequence[Distribution], sites: Iterable[str]) -> list[Distribution]:
    """The copies in the order of sites, those that can be imported first."""
    along = [one for site in sites for one in copies if one.site == site]
    return sorted(along, key=lambda one: not one.package)
