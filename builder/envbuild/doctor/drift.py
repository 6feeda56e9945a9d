"""An environment against its lock: what is there besides, what is not, and what is another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envbuild.doctor import commands
from envbuild.doctor.case import Case
from envbuild.doctor.differences import Drift, Sort, finding, rank
from envbuild.doctor.model import Finding
from envbuild.doctor.present import packages
from envbuild.install.checks import same
from envbuild.lock.model import VariantLock
from envbuild.names import canonical_name
from envbuild.scan.model import Distribution, Order, Scan, Site
from envbuild.speech import counted

_TOOLS = frozenset({"pip", "setuptools", "wheel", "uv", "pkg-resources", "distribute", "envbuild"})
"""What makes environments, and is in them without being locked (``pkg-resources`` 0.0.0 is what
Debian's ``venv`` leaves)."""


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
    return tuple(finding(case, grouped[key]) for key in sorted(grouped, key=rank))


def main(scan: Scan) -> Order | None:
    """The search order that a lock is held against: the first that finds installed packages."""
    kinds = {one.path: one.kind for one in scan.sites}
    orders = [one for one in scan.orders if any(kinds.get(path) == "site" for path in one.before)]
    return next(iter(orders or scan.orders), None)


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
