"""Links of sites that lead to nothing, or to each other. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from envbuild.names import canonical_name
from envbuild.scan.model import Distribution, Fault, FaultKind, Site
from envbuild.scan.tree import Tree

_SHOWN = 8
_TESTS = frozenset({"test", "tests"})

_KINDS: Mapping[str, FaultKind] = {"dangling": "dangling", "loop": "loop"}


def find(
    tree: Tree, sites: Iterable[Site], distributions: Sequence[Distribution]
) -> tuple[Fault, ...]:
    """The links of each site that lead nowhere, by whose folder they are or lie in.

    A link that leads out of the tree may lead to something. What lies below tests may have been
    trimmed, and nobody misses it.
    """
    known = {site.real: site for site in sites}
    owners = {(one.site, one.name): one for one in distributions}
    packages = {one.package: one for one in distributions if one.package}
    found: dict[tuple[FaultKind, str, str], list[str]] = {}
    for folder, name in _links(tree):
        site = _site(known, folder)
        path = posixpath.join(folder, name)
        kind = _KINDS.get(tree.place(path).state) if site else None
        if site is None or kind is None or _TESTS & set(path.split("/")):
            continue
        top = path.removeprefix(site.real).lstrip("/").partition("/")[0]
        owner = packages.get(posixpath.join(site.path, top)) or owners.get(
            (site.path, canonical_name(top))
        )
        label = f"{owner.name} {owner.version}".rstrip() if owner else ""
        found.setdefault((kind, site.path, label), []).append(path)
    return tuple(
        Fault(
            kind=kind,
            site=site,
            distributions=(label,) if label else (),
            paths=tuple(paths[:_SHOWN]),
            count=len(paths),
        )
        for (kind, site, label), paths in sorted(found.items())
    )


def _links(tree: Tree) -> Iterator[tuple[str, str]]:
    for folder, entries in tree.folders.items():
        for name, entry in entries.items():
            if entry.kind == "link":
                yield folder, name


def _site(known: Mapping[str, Site], folder: str) -> Site | None:
    """The innermost site that a folder lies in."""
    while folder not in known:
        above = posixpath.dirname(folder)
        if above == folder:
            return None
        folder = above
    return known[folder]
