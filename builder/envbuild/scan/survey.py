"""The survey of a tree: every question that is asked of it, and the answers in one value."""

from __future__ import annotations

from envbuild.scan import landmarks, products, sites
from envbuild.scan.installed import distributions, modules, records
from envbuild.scan.linked import libraries, systems
from envbuild.scan.linked.host import Host
from envbuild.scan.model import Scan, Start
from envbuild.scan.starting import launches, orders, pythons
from envbuild.scan.tree import Tree


def survey(tree: Tree, label: str, start: Start, host: Host | None) -> Scan:
    """What a tree amounts to.

    ``label`` is what messages call it, ``start`` how Python is started there, ``host`` what this
    machine's system has (None: the tree is whole, as an image is, or made for elsewhere). Nothing
    is read: the tree has been.
    """
    marks = landmarks.find(tree)
    found = products.find(tree, marks)
    starts = launches.find(
        tree, marks, pythons.find(tree, marks, start), products=found, start=start
    )
    places = sites.find(tree, marks, starts, products=found, start=start)
    copies = distributions.find(tree, places.sites)
    owners = records.owners(tree, copies)
    shared = modules.find(tree, places.sites, owners)
    system = systems.system(tree, host)
    return Scan(
        label=label,
        roots=tree.roots,
        products=found,
        sites=places.sites,
        distributions=copies,
        orders=orders.find(tree, places.sites, starts, products=found, start=start),
        modules=shared,
        faults=records.faults(tree, places.sites, copies),
        lacking=libraries.lacking(tree, shared, system, host),
        newer=libraries.newer(tree, shared, system, host),
        conda=systems.conda(tree),
        system=system,
        outside=tuple(sorted({*marks.outside, *places.outside})),
        troubles=tree.troubles,
        files=marks.files,
        bytes=marks.bytes,
    )
