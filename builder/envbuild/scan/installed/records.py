"""Whether what was installed is still what is there: by the RECORDs, and by the links. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from envbuild.scan.installed import contested, linkfaults, metadata, mixing, recorded
from envbuild.scan.model import Distribution, Fault, FaultKind, Site
from envbuild.scan.tree import Tree

_SHOWN = 8
"""Paths of a fault that are told."""

_OWN = ("site", "user", "kit", "bundle", "runtime")
"""Sites that an installer fills. In a folder of PYTHONPATH, sources without metadata are usual."""


def owners(tree: Tree, distributions: Iterable[Distribution]) -> Mapping[str, str]:
    """Who each shared object belongs to: its path without links, and the canonical name.

    It is who has recorded it; of several the one whose size is there. What nobody has recorded
    (Debian's, conda's, files that came later) belongs to the package whose folder it lies in.
    """
    found: dict[str, str] = {}
    fits: set[str] = set()
    sites: dict[str, recorded.Site] = {}
    packages: dict[str, set[str]] = {}
    for one in distributions:
        if one.site not in sites:
            sites[one.site] = recorded.Site(tree, tree.place(one.site).path)
        for row in recorded.rows(recorded.record(tree, one)):
            path = sites[one.site].path(row) if ".so" in row.name else ""
            entry = tree.entry(path) if path in tree.modules else None
            if entry is not None and path not in fits:
                if row.size == entry.size:
                    fits.add(path)
                    found[path] = one.name
                found.setdefault(path, one.name)
        for folder in (one.package, f"{one.package}.libs") if one.package else ():
            place = tree.place(folder)
            if place.state == "here":
                packages.setdefault(place.path, set()).add(one.name)
    for path in tree.modules:
        name = "" if path in found else _holder(path, packages)
        if name:
            found[path] = name
    return found


def _holder(path: str, packages: Mapping[str, set[str]]) -> str:
    """Whose folder a path lies in; nobody's, where several share the nearest one."""
    while path != "/":
        path = posixpath.dirname(path)
        names = packages.get(path, set())
        if names:
            return next(iter(names)) if len(names) == 1 else ""
    return ""


def faults(
    tree: Tree, sites: Iterable[Site], distributions: Sequence[Distribution]
) -> tuple[Fault, ...]:
    """What is not as it was installed: one fault for each kind and distribution of a site.

    What nothing certain is recorded of is no fault: Debian's and conda's packages, editable
    installs, RECORDs without hashes and sizes, trimmed tests, byte code, and files that a link
    leads to, as long as they are equal.
    """
    found: list[Fault] = []
    seen: set[str] = set()
    known: list[Site] = []
    for site in sites:
        if site.real not in seen:
            seen.add(site.real)
            known.append(site)
            here = tuple(one for one in distributions if one.site == site.path)
            found += _of_site(tree, site, here)
    return (*found, *linkfaults.find(tree, known, distributions))


def _of_site(tree: Tree, site: Site, here: Sequence[Distribution]) -> Iterator[Fault]:
    files = recorded.Site(tree, site.real)
    claimed = contested.find(tree, files, here)
    for pair, paths in claimed.items():
        yield _fault("two-owners", site, [_named(here[number]) for number in pair], paths)
    doubtful = {path for paths in claimed.values() for path in paths}
    names: dict[str, list[Distribution]] = {}
    for one in here:
        names.setdefault(one.name, []).append(one)
    for copies in names.values():
        versions = [one.recorded or one.version for one in copies]
        if not all(metadata.same_release(versions[0], version) for version in versions):
            yield from _several(tree, site, files, copies=copies)
            continue
        yield from _of_one(tree, site, files, one=copies[0], doubtful=doubtful)
    if site.kind in _OWN and any(one.metadata for one in here):
        for one in here:
            entry = tree.entry(posixpath.join(site.real, posixpath.basename(one.package)))
            if not one.metadata and entry is not None and entry.kind == "folder":
                yield _fault("no-metadata", site, [_named(one)], [one.package])


def _several(
    tree: Tree, site: Site, files: recorded.Site, *, copies: Sequence[Distribution]
) -> Iterator[Fault]:
    """One distribution is recorded in several versions."""
    versions = " and ".join(sorted({one.recorded or one.version or "?" for one in copies}))
    names = [_named(one, one.recorded) for one in copies]
    metadata_of = [one.metadata for one in copies if one.metadata]
    yield _fault("two-versions", site, names, metadata_of, versions)
    mixed = mixing.of_both(tree, files, copies)
    if mixed:
        yield _fault("mixed", site, names, mixed, versions)


def _of_one(
    tree: Tree, site: Site, files: recorded.Site, *, one: Distribution, doubtful: set[str]
) -> Iterator[Fault]:
    changed: list[recorded.Found] = []
    missing: list[str] = []
    there = False
    rows = recorded.rows(recorded.record(tree, one)) if recorded.is_proof(one) else ()
    for found in map(files.found, rows):
        there = there or (found.state in ("same", "changed") and not found.row.is_metadata)
        if found.state == "changed" and found.path not in doubtful:
            changed.append(found)
        elif found.state == "missing":
            missing.append(found.path)
    mixture = mixing.of_one(tree, one, changed)
    if mixture:
        yield _fault("mixed", site, [_named(one)], mixture.paths, mixture.versions)
    elif (missing and not there) or _is_empty(tree, one):
        yield _fault("no-files", site, [_named(one)], missing or [one.metadata])
    else:
        if changed:
            yield _fault("changed", site, [_named(one)], [found.path for found in changed])
        if missing:
            yield _fault("missing", site, [_named(one)], missing)


def _is_empty(tree: Tree, one: Distribution) -> bool:
    """Whether metadata is a folder alone: no package, and nothing that says what it was."""
    if one.package or not one.metadata.endswith(".dist-info") or not recorded.is_proof(one):
        return False
    return not tree.names(tree.place(one.metadata).path)


def _named(one: Distribution, version: str = "") -> str:
    return f"{one.name} {version or one.version}".rstrip()


def _fault(
    kind: FaultKind,
    site: Site,
    distributions: Iterable[str],
    paths: Sequence[str],
    detail: str = "",
) -> Fault:
    return Fault(
        kind=kind,
        site=site.path,
        distributions=tuple(dict.fromkeys(distributions)),
        paths=tuple(paths[:_SHOWN]),
        count=len(paths),
        detail=detail,
    )
