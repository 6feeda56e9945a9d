"""An environment against its lock: what is there besides, what is not, and what is another one."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from envbuild.doctor import commands
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding, Install, Severity
from envbuild.doctor.present import packages
from envbuild.install.checks import same
from envbuild.lock.model import VariantLock
from envbuild.names import canonical_name
from envbuild.scan.model import Distribution, Order, Scan, Site
from envbuild.speech import counted

_SHOWN = 20
"""How many names a finding lists."""

_TOOLS = frozenset({"pip", "setuptools", "wheel", "uv", "pkg-resources", "distribute", "envbuild"})
"""What makes environments, and is in them without being locked (``pkg-resources`` 0.0.0 is what
Debian's ``venv`` leaves)."""

Sort = Literal["lock-extra", "lock-missing", "lock-version", "lock-changed"]


class _Sort(Struct, frozen=True, kw_only=True):
    severity: Severity
    text: str
    why: str


_SORTS: dict[Sort, _Sort] = {
    "lock-missing": _Sort(
        severity="error",
        text="{count} of the lock {are} not there",
        why="the lock has them because something imports them",
    ),
    "lock-version": _Sort(
        severity="error",
        text="{count} {are} not in the version of the lock",
        why="what was tested was another environment",
    ),
    "lock-changed": _Sort(
        severity="warning",
        text="{count} {are} not as installed: files differ from what was recorded",
        why="the version says the lock's, the content does not",
    ),
    "lock-extra": _Sort(
        severity="warning",
        text="{count} {are} not in the lock",
        why="nobody resolved them together with the rest, and they may have replaced some of it",
    ),
}


class Drift(Struct, frozen=True, kw_only=True):
    """One thing that is not as locked: ``said`` names it with its versions, ``where`` is a path.
    ``install`` is what would put it right, where that is a package of the index."""

    sort: Sort
    noun: str
    said: str
    where: str
    found: Distribution | None = None
    install: Install | None = None


def findings(case: Case) -> tuple[Finding, ...]:
    """The differences, a finding for each sort and kind of package; none without a lock."""
    if case.lock is None:
        return ()
    scan, lock = case.scan, case.lock
    order = main(scan)
    every = [*_debian(scan, lock)]
    if order:
        every += [*_python(order, lock), *_packages(scan, order, lock)]
        every += [*_conda(scan, order, lock), *_changed(scan, order)]
    grouped: dict[tuple[Sort, str], list[Drift]] = {}
    for one in every:
        grouped.setdefault((one.sort, one.noun), []).append(one)
    return tuple(_finding(scan, grouped[key]) for key in sorted(grouped, key=_rank))


def main(scan: Scan) -> Order | None:
    """The search order that a lock is held against: the first that finds installed packages."""
    kinds = {one.path: one.kind for one in scan.sites}
    orders = [one for one in scan.orders if any(kinds.get(path) == "site" for path in one.before)]
    return next(iter(orders or scan.orders), None)


def _rank(key: tuple[Sort, str]) -> tuple[int, str]:
    return (list(_SORTS).index(key[0]), key[1])


# --- Packages of the index -----------------------------------------------------------------------


def _python(order: Order, lock: VariantLock) -> Iterator[Drift]:
    wanted = ".".join(lock.input.python.split(".")[:2])
    if order.python and order.python != wanted:
        said = f"Python {order.python} (locked is {wanted})"
        yield Drift(sort="lock-version", noun="interpreter", said=said, where=order.path)


def _packages(scan: Scan, order: Order, lock: VariantLock) -> Iterator[Drift]:
    left_out = {canonical_name(one.name) for one in lock.provided}
    wanted = {canonical_name(one.name): one.version for one in lock.packages}
    of_conda = {one.python: one.version for one in lock.conda_packages if one.python}
    found = packages(scan, order)
    own = _own_site(scan, order)
    for name, version in sorted({**of_conda, **wanted}.items()):
        have = found.get(name)
        if name in left_out or (have is None and name not in wanted):
            continue  # conda calls some packages Python ones that have no metadata
        if have is None:
            yield _missing(order, own, name, version=version)
        elif not _same(have.version, version):
            yield _another(scan, have, version)
    known = {
        *wanted,
        *of_conda,
        *left_out,
        *_TOOLS,
        *(canonical_name(one.name) for one in lock.git),
    }
    for name, have in sorted(found.items()):
        if name not in known and _installed(scan, have, lock):
            said = f"{name} {have.version}"
            where = have.metadata or have.package
            yield Drift(sort="lock-extra", noun="package", said=said, where=where, found=have)


def _same(have: str, locked: str) -> bool:
    """Whether it is the locked version: a lock may leave the local part (``+cu128``) open."""
    return same(have, locked) or ("+" not in locked and same(have.partition("+")[0], locked))


def _missing(order: Order, own: Site | None, name: str, *, version: str) -> Drift:
    return Drift(
        sort="lock-missing",
        noun="package",
        said=f"{name} {version}",
        where=own.path if own else order.path,
        install=commands.install_of(own, name, version=version) if own else None,
    )


def _own_site(scan: Scan, order: Order) -> Site | None:
    sites = (scan.site(path) for path in order.before)
    return next((one for one in sites if one and one.kind == "site"), None)


def _another(scan: Scan, have: Distribution, version: str) -> Drift:
    site = scan.site(have.site)
    mine = site is not None and site.kind in commands.OWN
    return Drift(
        sort="lock-version",
        noun="package",
        said=f"{have.name} {have.version} (locked is {version})",
        where=have.metadata or have.package,
        found=have,
        install=commands.install(site, have, version=version) if site and mine else None,
    )


def _installed(scan: Scan, have: Distribution, lock: VariantLock) -> bool:
    """Whether somebody installed it beside what was locked: not what the system or a product
    brings, and no checkout of a git source of the lock."""
    site = scan.site(have.site)
    if site is None or site.kind not in ("site", "user") or (have.editable and lock.git):
        return False
    owner = commands.owner_of(scan, site.path)
    return owner is None or owner.way != "binary"


def _changed(scan: Scan, order: Order) -> Iterator[Drift]:
    found = packages(scan, order)
    for fault in scan.faults:
        site = scan.site(fault.site)
        if fault.kind != "changed" or fault.site not in order.before or site is None:
            continue
        for said in fault.distributions:
            name, _, version = said.partition(" ")
            have = found.get(canonical_name(name))
            mine = have is not None and have.site == fault.site and site.kind in commands.OWN
            yield Drift(
                sort="lock-changed",
                noun="package",
                said=f"{name} {version} ({counted(fault.count, 'file')})",
                where=fault.paths[0] if fault.paths else fault.site,
                found=have,
                install=commands.install(site, have) if mine and have else None,
            )


# --- Packages of conda and Debian ----------------------------------------------------------------


def _conda(scan: Scan, order: Order, lock: VariantLock) -> Iterator[Drift]:
    if lock.conda is None:
        return
    prefixes = {one.prefix for one in scan.conda}
    own = [one for one in prefixes if any(f"{s}/".startswith(f"{one}/") for s in order.before)]
    prefix = max(own, key=len, default="")
    have = {one.name: (one.version, one.build) for one in scan.conda if one.prefix == prefix}
    wanted = {one.name: (one.version, one.build) for one in lock.conda.packages}
    yield from _against(have, wanted, noun="conda package", where=f"{prefix}/conda-meta")


def _debian(scan: Scan, lock: VariantLock) -> Iterator[Drift]:
    """The pinned packages alone: what an image has besides came with its base."""
    if lock.apt is None or not scan.system.whole:
        return
    pins = [pin.partition("=") for pin in lock.apt.packages]
    wanted = {name: (version, "") for name, _, version in pins}
    have = {name: (version, "") for name, version in scan.system.debian if name in wanted}
    yield from _against(have, wanted, noun="Debian package", where="/var/lib/dpkg/status")


def _against(
    have: Mapping[str, tuple[str, str]],
    wanted: Mapping[str, tuple[str, str]],
    *,
    noun: str,
    where: str,
) -> Iterator[Drift]:
    """Versions and builds, by name."""
    for name in sorted(have.keys() | wanted.keys()):
        here, locked = have.get(name), wanted.get(name)
        sort: Sort = "lock-version"
        said = f"{name} {' '.join(here or locked or ('',))}".rstrip()
        if here == locked:
            continue
        if here is None:
            sort = "lock-missing"
        elif locked is None:
            sort = "lock-extra"
        else:
            said = f"{said} (locked is {' '.join(locked).rstrip()})"
        yield Drift(sort=sort, noun=noun, said=said, where=where)


# --- What is said of it --------------------------------------------------------------------------


def _finding(scan: Scan, group: list[Drift]) -> Finding:
    first = group[0]
    sort = _SORTS[first.sort]
    names = [one.said for one in group]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    head = sort.text.format(
        count=counted(len(group), first.noun), are="is" if len(group) == 1 else "are"
    )
    return Finding(
        id=first.sort,
        severity=sort.severity,
        what=f"{head}: {', '.join(names[:_SHOWN])}{more}",
        where=tuple(dict.fromkeys(one.where for one in group))[:_SHOWN],
        why=sort.why,
        hits=tuple(names[:_SHOWN]),
        repair=tuple(_repair(scan, group)),
        actions=tuple(one.install for one in group if one.install),
        source="the lock",
    )


def _repair(scan: Scan, group: list[Drift]) -> Iterator[str]:
    """One command for all of it, where pip is who does it; else the lock's own way."""
    first = group[0]
    site = next(filter(None, (_site(scan, one) for one in group)), None)
    if first.noun == "package" and site:
        if first.sort == "lock-extra":
            yield commands.pip(site, f"uninstall --yes {_quoted(one.said for one in group)}")
        else:
            pins = [one.install for one in group if one.install]
            wanted = " ".join(shlex.quote(f"{one.distribution}=={one.version}") for one in pins)
            if wanted:
                yield commands.pip(site, f"install --force-reinstall --no-deps {wanted}")
    yield "build or install the environment anew from its lock: envbuild build, envbuild install"


def _site(scan: Scan, one: Drift) -> Site | None:
    path = one.found.site if one.found else one.install.site if one.install else ""
    return scan.site(path)


def _quoted(said: Iterable[str]) -> str:
    return " ".join(shlex.quote(one.partition(" ")[0]) for one in said)
