"""What a launcher finds before Kit starts: the first copy of each distribution on its way. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from envbuild.scan.model import Distribution, Order, Scan


def packages(scan: Scan, order: Order) -> Mapping[str, Distribution]:
    """The copy of every distribution that a search order takes, by canonical name.

    As :func:`envbuild.scan.winners.winners` has it, for all of them at once: metadata without the
    package itself wins nothing while there is a copy that can be imported. Of two in one site,
    the one whose files are there.
    """
    by_site: dict[str, list[Distribution]] = {}
    for one in scan.distributions:
        by_site.setdefault(one.site, []).append(one)
    along = [one for site in order.before for one in by_site.get(site, ())]
    place = {site: index for index, site in reversed(list(enumerate(order.before)))}
    found: dict[str, Distribution] = {}
    for one in sorted(
        along, key=lambda one: (not one.package, place[one.site], bool(one.recorded))
    ):
        found.setdefault(one.name, one)
    return found
