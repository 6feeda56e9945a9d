"""NumPy beside Isaac Sim: two copies in one process, or another one than the bundle's."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from msgspec import Struct

from envbuild.doctor import asking, commands
from envbuild.doctor.abi import minor
from envbuild.doctor.case import Case
from envbuild.doctor.clashes import Clash, clashes, healed
from envbuild.doctor.copies import NUMPY, Meeting, bundled, meetings
from envbuild.doctor.model import Action, Certainty, Finding, Install, Severity
from envbuild.knowledge import facts
from envbuild.knowledge.model import NumpyPair
from envbuild.scan.model import Distribution, Product, Scan

TWO_WINNERS = "numpy-two-winners"
NOT_THE_BUNDLE = "numpy-not-the-bundle"

_ROLES = ("core", "synthetic-data", "replicator", "camera", "franka")
"""What of Isaac Sim is known to die of it, by its role in the facts."""

_ANY_RELEASE = ("isaacsim.core.api", "omni.syntheticdata", "omni.replicator.core")
"""Their names where the release is not known, or its names are not."""

_NEIGHBOURS = ("scipy", "gymnasium", "isaaclab", "isaaclab-assets", "isaaclab-tasks")
"""Packages that were seen to die of it too."""

_PAIRS = "two versions of NumPy really mixed (envbuild knowledge numpy-pairs)"


def findings(case: Case) -> tuple[Finding, ...]:
    """What is wrong with NumPy itself, told once for each copy that is to be changed."""
    scan = case.scan
    return tuple(_met(scan, one) for one in meetings(scan, NUMPY))


# --- Two copies ----------------------------------------------------------------------------------


class _Judged(Struct, frozen=True, kw_only=True):
    """What a pair of versions does: the error texts, which modules they come of, how sure."""

    severity: Severity
    texts: tuple[str, ...]
    why: str
    sure: Certainty


def _met(scan: Scan, met: Meeting) -> Finding:
    judged = _judged(met)
    cured = [one for one in clashes(scan) if one.numpy == met.own and healed(scan, one)]
    asking_for_it = tuple(movers(scan, met))
    repair, actions = _aligned(scan, met, asking_for_it)
    two = met.then is not None
    return Finding(
        id=TWO_WINNERS if two else NOT_THE_BUNDLE,
        severity=judged.severity,
        what=_two(met) if two else _other(met),
        where=tuple(_place(one) for one in (met.own, met.then) if one is not None),
        why=". ".join((judged.why, *_asked(asking_for_it))),
        sure=judged.sure,
        expect=(*judged.texts, *_texts(cured, judged.texts)),
        hits=tuple(
            dict.fromkeys(
                (
                    *(hits(scan, met) if judged.severity == "error" else ()),
                    *(one.distribution.name for one in cured),
                )
            )
        ),
        repair=repair,
        actions=actions,
        source="; ".join(dict.fromkeys(filter(None, (met.said, _PAIRS)))),
    )


def _texts(found: Iterable[Clash], known: tuple[str, ...]) -> Iterator[str]:
    """What the modules add to what is known of the pair."""
    for text in dict.fromkeys(text for one in found for text in one.verdict.texts):
        if not any(text in said for said in known):
            yield text


def _two(met: Meeting) -> str:
    launchers = " and ".join(met.launchers)
    return f"with {launchers}, NumPy {met.own.version} wins until Kit starts, then {met.wanted}"


def _other(met: Meeting) -> str:
    title = commands.titled(met.product) if met.product else "its bundle"
    return f"NumPy {met.own.version} stands where {title} brings {met.wanted}"


def _place(copy: Distribution) -> str:
    return copy.package or copy.metadata or copy.site


def _judged(met: Meeting) -> _Judged:
    own, wanted = met.own.version, met.wanted
    pair = facts.numpy_pair(own, wanted)
    hook = "Kit takes each submodule of numpy that is not loaded yet from its bundle"
    if met.then is None:
        hook = f"its own copy comes with its first run at the latest. {hook}"
    if pair is None and minor(own) != minor(wanted):
        why = f"{hook}: {wanted} under {own}. These two were not tried together"
        return _Judged(severity="error", texts=(), why=why, sure="heuristic")
    if pair is None or not pair.fails:
        count = f"{pair.foreign} modules" if pair else "modules"
        why = f"{hook}: {count} of {wanted} run under {own} without a word, and results may differ"
        return _Judged(severity="warning", texts=(), why=why, sure=_sure(pair, met))
    texts = tuple(dict.fromkeys(text for said in pair.fails.values() for text in said))
    chosen = ". Which error comes first depends on PYTHONHASHSEED" if len(texts) > 1 else ""
    why = f"{hook}, and under {own} those of {wanted} fail: {', '.join(pair.fails)}{chosen}"
    return _Judged(severity="error", texts=texts, why=why, sure=_sure(pair, met))


def _sure(pair: NumpyPair | None, met: Meeting) -> Certainty:
    """Of these very versions it was seen; of others of the same series it is taken from them."""
    same = pair is not None and (pair.site, pair.bundle) == (met.own.version, met.wanted)
    return "proven" if same else "heuristic"


def hits(scan: Scan, met: Meeting) -> tuple[str, ...]:
    """Extensions of Isaac Sim and packages beside it that are known to die of two copies."""
    reach = {path for order in met.orders for path in (*order.before, *order.after)}
    there = {one.name for one in scan.distributions if one.site in reach}
    there |= {"isaaclab-assets" for one in scan.products if one.kind == "isaac-lab"}
    neighbours = (name for name in _NEIGHBOURS if name in there)
    return (*(_extensions(met.product) if met.product else ()), *neighbours)


def _extensions(product: Product) -> Iterator[str]:
    fact = facts.fact("isaac-sim", product.release, "modules") if product.release else None
    named = fact.value if fact and isinstance(fact.value, dict) else {}
    if not named:
        yield from _ANY_RELEASE
    yield from (named[role] for role in _ROLES if role in named)


# --- Who asked for the other version -------------------------------------------------------------


class Mover(Struct, frozen=True, kw_only=True):
    """A distribution that cannot do with the wanted version: its requirement, and the bound under
    which another release of it can (``<=4.11.0.86``; empty: not known)."""

    distribution: Distribution
    wish: str
    bound: str


def movers(scan: Scan, met: Meeting) -> Iterator[Mover]:
    """Who asked for another version than the wanted one, and so moved it."""
    reach = {path: order for order in met.orders for path in order.before}
    for one in scan.distributions:
        if one.site in reach and not bundled(scan, one):
            for wish in asking.wishes(one, reach[one.site].python, scan.system.machine):
                if wish.name == met.own.name and not asking.admits(wish.versions, met.wanted):
                    bound = asking.with_numpy_1(one.name) if _is_1(met.wanted) else ""
                    yield Mover(distribution=one, wish=wish.text, bound=bound)


def _is_1(version: str) -> bool:
    return version.startswith("1.")


def _asked(found: Iterable[Mover]) -> Iterator[str]:
    for one in found:
        yield f"{one.distribution.name} {one.distribution.version} asks for {one.wish}"


# --- The way out ---------------------------------------------------------------------------------


def _aligned(
    scan: Scan, met: Meeting, found: tuple[Mover, ...]
) -> tuple[tuple[str, ...], tuple[Action, ...]]:
    """The environment gets the bundle's version; the bundle is never touched."""
    own, site = met.own, scan.site(met.own.site)
    if site is None or site.kind in commands.BUNDLED:
        return (commands.product(scan, own.site),), ()
    wanted = f"{own.name}=={met.wanted}"
    packages = [wanted, *(f"{one.distribution.name}{one.bound}" for one in found if one.bound)]
    keep = f"keep it: a constraints file (PIP_CONSTRAINT) with {', '.join(packages)}"
    unknown = (
        f"{one.distribution.name}: take a release that does with {wanted}, or give it an "
        "environment of its own"
        for one in found
        if not one.bound
    )
    if site.kind == "debian":
        why = f"Debian's {own.name} {own.version} stays: {site.path} must come after an environment"
        return (f"{why} that holds {wanted}", *unknown), ()
    if own.installer == "conda" and not found:
        where = shlex.quote(commands.prefix(site.path))
        lines = (f"conda install --prefix {where} {own.name}={met.wanted}",)
    else:
        lines = (commands.pip(site, f"install {' '.join(map(shlex.quote, packages))}"),)
    return (*lines, *unknown, keep), tuple(_actions(scan, met, found))


def _actions(scan: Scan, met: Meeting, found: tuple[Mover, ...]) -> Iterator[Install]:
    """What can be undone of it; a mover goes along where its bound names one release."""
    for one, version in (
        (met.own, met.wanted),
        *((one.distribution, _exact(one.bound)) for one in found),
    ):
        site = scan.site(one.site)
        if version and site is not None and site.kind in commands.OWN:
            yield commands.install(site, one, version=version)


def _exact(bound: str) -> str:
    return bound.removeprefix("<=") if bound.startswith("<=") and "," not in bound else ""
