"""Compiled modules of an environment against the NumPy that wins beside them. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from envbuild.doctor import commands
from envbuild.doctor.abi import Verdict, minor, optional, verdict
from envbuild.doctor.case import Case
from envbuild.doctor.copies import NUMPY, brought, bundled, meetings
from envbuild.doctor.model import Finding
from envbuild.scan.model import Distribution, Module, Scan, Winner
from envbuild.scan.winners import winners
from envbuild.speech import counted

_SHOWN = 8
"""How many modules a finding names."""

_SOURCE = "what NumPy's headers compile in; NumPy really imported under it (python -m bench abi)"


class Clash(Struct, frozen=True, kw_only=True):
    """A copy of a distribution, and a NumPy that wins beside it under which it does not work.

    ``modules`` are those that do not, ``every`` how many use NumPy at all.
    """

    distribution: Distribution
    numpy: Distribution
    verdict: Verdict
    modules: tuple[Module, ...]
    every: int


def clashes(scan: Scan) -> tuple[Clash, ...]:
    """Every copy that some way of starting Python takes, against the NumPy that wins with it,
    before Kit has started and after."""
    compiled = _compiled(scan)
    found: dict[tuple[Distribution, Distribution], Clash] = {}
    for own, met in _met(scan, compiled):
        clash = _clash(own, met, compiled.get((own.site, own.name), ()))
        if clash:
            found.setdefault((own, met), clash)
    return tuple(found.values())


def numpys(scan: Scan) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """The versions of NumPy that win beside a copy whose modules use it, by its site and name;
    sorted, and none for a copy that no way of starting Python takes."""
    found: dict[tuple[str, str], set[str]] = {}
    for own, met in _met(scan, _compiled(scan)):
        found.setdefault((own.site, own.name), set()).add(met.version)
    return {key: tuple(sorted(versions)) for key, versions in found.items()}


def _compiled(scan: Scan) -> dict[tuple[str, str], list[Module]]:
    """The modules that use NumPy, by site and distribution; NumPy's own are its own."""
    compiled: dict[tuple[str, str], list[Module]] = {}
    for one in scan.modules:
        if one.binary.numpy is not None and one.distribution != NUMPY:
            compiled.setdefault((one.site, one.distribution), []).append(one)
    return compiled


def _met(
    scan: Scan, compiled: Iterable[tuple[str, str]]
) -> Iterator[tuple[Distribution, Distribution]]:
    """Each copy of these with each NumPy that wins beside it."""
    beside = {one.order: one for one in winners(scan, NUMPY)}
    for name in dict.fromkeys(name for _, name in compiled):
        for winner in winners(scan, name) if name else _unowned(scan, compiled):
            numpy = beside.get(winner.order)
            yield from _pairs(winner, numpy) if numpy else ()


def _unowned(scan: Scan, compiled: Iterable[tuple[str, str]]) -> Iterator[Winner]:
    """What belongs to no distribution is judged as one of its site."""
    for site in (site for site, name in compiled if not name):
        loose = Distribution(name="", version="", site=site)
        for order in scan.orders:
            before = loose if site in order.before else None
            yield Winner(order=order, before=before, after=loose if site in order.after else None)


def _pairs(one: Winner, numpy: Winner) -> Iterator[tuple[Distribution, Distribution]]:
    """Each copy with the NumPy of its own time; where one of them comes later, with that."""
    for copy, met in (
        (one.before, numpy.before or numpy.after),
        (one.after, numpy.after or numpy.before),
    ):
        if copy is not None and met is not None and met.version:
            yield copy, met


def _clash(own: Distribution, met: Distribution, modules: Iterable[Module]) -> Clash | None:
    judged = [(one, _of(one, met.version)) for one in modules]
    builds = [one.binary.numpy for one, _ in judged if one.binary.numpy]
    bad = [
        (one, said)
        for one, said in judged
        if said and one.binary.numpy and not optional(one.binary.numpy, builds, met.version)
    ]
    if not bad:
        return None
    outcome: Literal["fails", "degraded"] = (
        "fails" if any(said.outcome == "fails" for _, said in bad) else "degraded"
    )
    telling = [(one, said) for one, said in bad if said.outcome == outcome]
    texts = Counter(text for _, said in telling for text in said.texts)
    proven = any(said.sure == "proven" for _, said in telling)
    return Clash(
        distribution=own,
        numpy=met,
        verdict=Verdict(
            outcome=outcome,
            texts=tuple(text for text, _ in texts.most_common()),
            sure="proven" if proven else "heuristic",
        ),
        modules=tuple(one for one, _ in telling),
        every=len(judged),
    )


def _of(module: Module, numpy: str) -> Verdict | None:
    return verdict(module.binary.numpy, numpy) if module.binary.numpy else None


def _as_released(scan: Scan, clash: Clash) -> bool:
    """Whether a product's own modules are no better under the NumPy that it brings itself: it is as
    its makers run it, and who uses it can change neither."""
    owner = commands.owner_of(scan, clash.modules[0].path)
    if owner is None or clash.verdict.outcome == "fails":
        return False
    orders = (one for one in scan.orders if clash.numpy.site in (*one.before, *one.after))
    versions = {brought(scan, order, owner)[0] for order in orders}
    if bundled(scan, clash.numpy):
        versions.add(clash.numpy.version)
    return any(all(_of(one, version) for one in clash.modules) for version in versions)


def healed(scan: Scan, clash: Clash) -> bool:
    """Whether the copy works as soon as its NumPy is the one that Isaac Sim brings."""
    wanted = {one.wanted for one in meetings(scan, NUMPY) if one.own == clash.numpy}
    return any(all(_of(one, version) is None for one in clash.modules) for version in wanted)


def findings(case: Case) -> tuple[Finding, ...]:
    """The copies that do not work under their NumPy, but for those of which another NumPy is the
    cause: those are told with it."""
    groups: dict[Distribution, list[Clash]] = {}
    for one in clashes(case.scan):
        if not (healed(case.scan, one) or _as_released(case.scan, one)):
            groups.setdefault(one.distribution, []).append(one)
    return tuple(_finding(case.scan, some) for some in groups.values())


def _finding(scan: Scan, group: list[Clash]) -> Finding:
    """A copy, and every NumPy that it does not work under; the first one decides the repair."""
    clash = group[0]
    own, said = clash.distribution, clash.verdict
    fails = any(one.verdict.outcome == "fails" for one in group)
    name = f"{own.name} {own.version}".strip() or posixpath.basename(clash.modules[0].path)
    versions = dict.fromkeys(one.numpy.version for one in group)
    named = [_dotted(one) for one in clash.modules]
    more = (f"and {len(named) - _SHOWN} more",) if len(named) > _SHOWN else ()
    return Finding(
        id="numpy-abi" if fails else "numpy-abi-degraded",
        severity="error" if fails else "warning",
        what=f"{name} was compiled for {_built(clash)}, and NumPy {' and '.join(versions)} "
        + ("wins beside it" if len(versions) == 1 else "win beside it"),
        where=(clash.modules[0].path, *(one.numpy.package or one.numpy.site for one in group)),
        why=f"{len(named)} of the {counted(clash.every, 'module')} in it that can use NumPy: "
        + ("the import fails" if fails else "the import works, and every dtype has the size 0"),
        sure=said.sure,
        expect=tuple(dict.fromkeys(text for one in group for text in one.verdict.texts)),
        hits=(*named[:_SHOWN], *more),
        repair=tuple(_repair(scan, clash)),
        source=_SOURCE,
    )


_SUFFIX = re.compile(r"(\.(cpython|abi|cp|pypy)[\w-]*)?\.so$")


def _dotted(module: Module) -> str:
    """``scipy.linalg._fblas``; a library that no name imports by its path in the site."""
    inner = posixpath.relpath(module.path, module.site)
    return _SUFFIX.sub("", inner).replace("/", ".") if module.tag else inner


def _built(clash: Clash) -> str:
    newest = _newest(clash)
    return f"NumPy {newest[0]}.{newest[1]} or newer" if newest else "NumPy 1"


def _newest(clash: Clash) -> tuple[int, int] | None:
    """The release of NumPy that the modules wait for; None where theirs is too old instead."""
    running = minor(clash.numpy.version)
    builds = [one.binary.numpy for one in clash.modules if one.binary.numpy]
    newest = max(filter(None, (minor(one.since) for one in builds)), default=None)
    return newest if newest and running and newest > running else None


def _repair(scan: Scan, clash: Clash) -> Iterator[str]:
    """One of the two moves: the copy to a release that was built for this NumPy, or NumPy where no
    bundle says which one it is."""
    own, newest = clash.distribution, _newest(clash)
    site, numpys = scan.site(own.site), scan.site(clash.numpy.site)
    if site is None or site.kind in commands.BUNDLED:
        yield commands.product(scan, own.site)
        return
    if not own.name:
        yield "build it again with the headers of NumPy 2, and pybind11 2.12 or newer"
    elif newest is None and site.kind in commands.OWN:
        yield commands.pip(site, f"install --upgrade {shlex.quote(own.name)}")
    else:
        yield f"a release of {own.name} that was built for NumPy {clash.numpy.version}"
    free = numpys is not None and numpys.kind in commands.OWN
    if free and numpys and not any(one.own == clash.numpy for one in meetings(scan, NUMPY)):
        bound = f"numpy>={newest[0]}.{newest[1]}" if newest else "numpy<2"
        yield commands.pip(numpys, f"install {shlex.quote(bound)}")
