"""What installed distributions require, held against what wins beside them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from envbuild.doctor import asking, commands
from envbuild.doctor.abi import minor
from envbuild.doctor.asking import Wish
from envbuild.doctor.case import Case
from envbuild.doctor.copies import NUMPY, meetings
from envbuild.doctor.model import Finding, Install, Severity
from envbuild.doctor.present import packages
from envbuild.knowledge import facts
from envbuild.names import canonical_name
from envbuild.scan.model import Distribution, Scan, Site
from envbuild.speech import counted

_TORCH = frozenset({"torch", "torchvision", "torchaudio", "torchcodec", "triton"})
"""Built for one release of each other: another minor version does not load."""

_HARMLESS = frozenset({"packaging", "starlette", "psutil", "typing-extensions"})
"""What Isaac Sim pins exactly and others want newer, without harm: IsaacLab#5704, IsaacLab#5880,
IsaacLab#4496 (the signature ``pip-check-noise``)."""

_NEWER = ("wheel", "fastapi")
"""Who wants newer."""

_SIMULATOR = ("isaacsim", "omniverse-kit")
"""How the names of Isaac Sim's own distributions begin."""

_SOURCE = "the metadata of the distributions"

_SHOWN = 8
"""Of those that require something, how many a finding names."""


class Unmet(Struct, frozen=True, kw_only=True):
    """A requirement of a distribution, and what wins in its place (None: nothing does)."""

    asker: Distribution
    wish: Wish
    found: Distribution | None


def findings(case: Case) -> tuple[Finding, ...]:
    """One finding for each package that is not as others require it, and one for all that is not
    there and the same ones require.

    Not told again: what goes away with the NumPy of the bundle, and pins that are known to be
    passed over without harm.
    """
    scan = case.scan
    told = [
        one for one in dict.fromkeys(unmet(scan)) if not (_harmless(one) or _aligned(scan, one))
    ]
    groups: dict[Distribution, list[Unmet]] = {}
    missing: dict[str, list[Unmet]] = {}
    for one in told:
        if one.found is not None:
            groups.setdefault(one.found, []).append(one)
        else:
            missing.setdefault(one.wish.name, []).append(one)
    return (
        *(_other(scan, found, group) for found, group in groups.items()),
        *(_missing(scan, group) for group in _together(missing.values())),
    )


def _together(missing: Iterable[list[Unmet]]) -> Iterator[list[Unmet]]:
    """What the same distributions require."""
    groups: dict[frozenset[Distribution], list[Unmet]] = {}
    for group in missing:
        groups.setdefault(frozenset(one.asker for one in group), []).extend(group)
    yield from groups.values()


def unmet(scan: Scan) -> Iterator[Unmet]:
    """Every requirement that what wins before Kit starts does not meet. What bundles require is
    the business of who filled them."""
    by_conda = {
        canonical_name(python) for python in _by_conda({one.name for one in scan.conda}) if python
    }
    kinds = {one.path: one.kind for one in scan.sites}
    for order in scan.orders:
        there = packages(scan, order)
        for asker in there.values():
            if kinds.get(asker.site) in (*commands.BUNDLED, "debian") or not asker.requires:
                continue
            for wish in asking.wishes(asker, order.python, scan.system.machine):
                found = there.get(wish.name)
                if found is None and wish.name not in by_conda:
                    yield Unmet(asker=asker, wish=wish, found=None)
                elif found and found.version and not asking.admits(wish.versions, found.version):
                    yield Unmet(asker=asker, wish=wish, found=found)


def _by_conda(names: Iterable[str]) -> Iterator[str]:
    """The Python packages that conda brought, some of which come without metadata."""
    known: Mapping[str, str] = facts.conda_names()
    return (known.get(name, name) for name in names)


def _harmless(one: Unmet) -> bool:
    asker = one.asker.name
    known = asker.startswith(_SIMULATOR) or asker in _NEWER
    return one.found is not None and one.wish.name in _HARMLESS and known


def _aligned(scan: Scan, one: Unmet) -> bool:
    """Whether it is told where NumPy itself is judged."""
    return one.wish.name == NUMPY and any(
        met.own == one.found and asking.admits(one.wish.versions, met.wanted)
        for met in meetings(scan, NUMPY)
    )


def _other(scan: Scan, found: Distribution, group: list[Unmet]) -> Finding:
    severity: Severity = "error" if any(map(_breaks, group)) else "warning"
    repair, actions = _repair(scan, found, group)
    many, need = _who(group)
    return Finding(
        id="requirement-unmet",
        severity=severity,
        what=f"{found.name} {found.version} is not what {many} {need}",
        where=(_place(found), *dict.fromkeys(_place(one.asker) for one in group))[:_SHOWN],
        why=_why(group),
        sure="heuristic",
        hits=_askers(group)[:_SHOWN],
        repair=repair,
        actions=actions,
        source=_SOURCE,
    )


def _missing(scan: Scan, group: list[Unmet]) -> Finding:
    names = list(dict.fromkeys(one.wish.name for one in group))
    wanted: dict[str, list[str]] = {}
    for one in group:
        wanted.setdefault(one.wish.name, []).extend(_bounds([one]))
    site = scan.site(group[0].asker.site)
    packages = [name + ",".join(dict.fromkeys(bounds)) for name, bounds in wanted.items()]
    many, need = _who(group)
    what = names[0] if len(names) == 1 else f"{len(names)} packages"
    there = "is not there" if len(names) == 1 else "are not there"
    return Finding(
        id="requirement-unmet",
        severity="warning",
        what=f"{what} {there}, and {many} {need} {'it' if len(names) == 1 else 'them'}",
        where=tuple(dict.fromkeys(_place(one.asker) for one in group))[:_SHOWN],
        why=_why(group),
        expect=tuple(f"No module named '{name.replace('-', '_')}'" for name in names[:1]),
        hits=_askers(group)[:_SHOWN],
        repair=(commands.pip(site, f"install {' '.join(map(shlex.quote, packages))}"),)
        if site is not None
        else (),
        actions=tuple(_additions(site, group)) if site is not None else (),
        source=_SOURCE,
    )


def _additions(site: Site, group: list[Unmet]) -> Iterator[Install]:
    """Those of which one version is asked for."""
    for name in dict.fromkeys(one.wish.name for one in group):
        pins = {asking.pin(one.wish) for one in group if one.wish.name == name}
        if site.kind in commands.OWN and len(pins) == 1 and "" not in pins:
            yield commands.install_of(site, name, version=pins.pop())


def _place(one: Distribution) -> str:
    return one.metadata or one.package or one.site


def _askers(group: Iterable[Unmet]) -> tuple[str, ...]:
    said = (f"{one.asker.name} {one.asker.version}".strip() for one in group)
    return tuple(dict.fromkeys(said))


def _who(group: Iterable[Unmet]) -> tuple[str, str]:
    askers = _askers(group)
    one = len(askers) == 1
    return (askers[0], "needs") if one else (counted(len(askers), "distribution"), "need")


def _why(group: list[Unmet]) -> str:
    by_asker: dict[str, list[str]] = {}
    for one in group:
        asker = f"{one.asker.name} {one.asker.version}".strip()
        by_asker.setdefault(asker, []).append(one.wish.text)
    said = [f"{asker} requires {_listed(texts)}" for asker, texts in by_asker.items()]
    return "; ".join(said[:_SHOWN]) + (f"; and {len(said) - _SHOWN} more" if said[_SHOWN:] else "")


def _listed(texts: list[str]) -> str:
    more = [f"and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return ", ".join((*texts[:_SHOWN], *more))


def _bounds(group: Iterable[Unmet]) -> tuple[str, ...]:
    parts = (part for one in group for part in one.wish.versions.split(","))
    return tuple(dict.fromkeys(filter(None, parts)))


def _breaks(one: Unmet) -> bool:
    """Whether it is known to break: what is not there, another major version of NumPy, another
    minor version within torch's family."""
    if one.found is None:
        return False
    there = minor(one.found.version)
    wanted = minor(asking.pin(one.wish))
    if one.wish.name == NUMPY:
        floor = asking.floor(one.wish)
        return there is not None and floor is not None and floor[0] > there[0]
    family = one.wish.name in _TORCH and one.asker.name in _TORCH
    return family and wanted is not None and wanted != there


def _repair(
    scan: Scan, found: Distribution, group: list[Unmet]
) -> tuple[tuple[str, ...], tuple[Install, ...]]:
    """A version that all of them take; where none is, releases of those who ask."""
    name, site, bounds = found.name, scan.site(found.site), _bounds(group)
    pins = {pin for one in group if (pin := asking.pin(one.wish))}
    askers = ", ".join(dict.fromkeys(one.asker.name for one in group))
    if len(pins) > 1 or (pins and not asking.admits(",".join(bounds), *pins)):
        return (f"no {name} fits all of {askers}: take other releases of them",), ()
    if site is None or site.kind not in commands.OWN:
        return (f"install {name}{','.join(bounds)} where the environment's own packages are",), ()
    if name == NUMPY and _fixed(scan, found):
        return (*_others(site, group), f"NumPy stays: the bundle's. Else do without {askers}"), ()
    line = commands.pip(site, f"install {shlex.quote(name + ','.join(bounds))}")
    actions = (commands.install(site, found, version=pin) for pin in pins)
    return (line,), tuple(actions)


def _fixed(scan: Scan, found: Distribution) -> bool:
    """Whether a NumPy is the one that Isaac Sim brings, and so may not move."""
    simulators = any(one.kind == "isaac-sim" for one in scan.products)
    return simulators and not any(met.own == found for met in meetings(scan, NUMPY))


def _others(site: Site, group: Iterable[Unmet]) -> Iterator[str]:
    """Releases of those who ask that are known to do with NumPy 1."""
    known = {u.asker.name: asking.with_numpy_1(u.asker.name) for u in group}
    named = [f"{name}{bound}" for name, bound in known.items() if bound]
    if named:
        yield commands.pip(site, f"install {' '.join(map(shlex.quote, named))}")
