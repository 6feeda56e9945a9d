"""What of the findings can be repaired so that it can be undone, and what not, and why. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.doctor import commands
from envbuild.doctor.model import Action, Finding, Install, SetAside
from envbuild.doctor.worlds import MACHINES
from envbuild.plan import Plan, Step
from envbuild.scan.model import Distribution, Scan, Site

_UNKNOWN_GLIBC = "2.28"
"""For a system that does not say it: what wheels of today are built for at the oldest."""


class Replacement(Struct, frozen=True, kw_only=True):
    """A distribution that comes in the place of another version of it (``found`` empty: of none).

    ``site`` is without links, ``python`` the version that the site is for (``3.11``),
    ``interpreter`` the one that scripts are to name. ``machine`` and ``glibc`` are what its wheel
    must run on.
    """

    site: str
    distribution: str
    version: str
    found: str
    python: str
    interpreter: str
    machine: str
    glibc: str


class Part(Struct, frozen=True, kw_only=True):
    """What is repaired together, below one prefix. ``aside`` are paths that are moved away;
    ``closed`` are folders in which nothing may change: bundles, and what other installers own."""

    prefix: str
    replacements: tuple[Replacement, ...] = ()
    aside: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


class Refusal(Struct, frozen=True, kw_only=True):
    """An action that is not taken, and why; ``instead`` are the finding's own commands."""

    action: Action
    why: str
    instead: tuple[str, ...] = ()


class Repair(Struct, frozen=True, kw_only=True):
    """What would be done, and what would not."""

    parts: tuple[Part, ...] = ()
    refused: tuple[Refusal, ...] = ()


class _RefusedError(Exception):
    """An action cannot be undone, or must not be done."""


_KINDS = {
    "bundle": "a bundled copy is never changed",
    "runtime": "a bundled copy is never changed",
    "debian": "it is Debian's: apt keeps its own list of files",
    "kit": "it is a part of the product",
    "source": "it is a checkout of sources",
}
"""Why nothing is changed in a site of a kind."""


def plan(findings: Iterable[Finding], scan: Scan, *, closed: Callable[[str], str]) -> Repair:
    """The repair of findings. ``closed`` says of a folder why nothing can be changed in it (it
    lies in an image, it is read-only); empty where something can."""
    parts: dict[str, Part] = {}
    refused: dict[Action, Refusal] = {}
    for finding in findings:
        for actions in _groups(finding):
            try:
                after = _with(parts, actions, scan, closed)
            except _RefusedError as error:
                for action in actions:
                    why = Refusal(action=action, why=str(error), instead=finding.repair)
                    refused.setdefault(action, why)
            else:
                parts = after
    return Repair(parts=tuple(parts.values()), refused=tuple(refused.values()))


def _groups(finding: Finding) -> Iterator[tuple[Action, ...]]:
    """The actions that are taken together or not at all: what is moved away without what comes in
    its place would be less than before."""
    if any(isinstance(action, SetAside) for action in finding.actions):
        yield finding.actions
    else:
        yield from ((action,) for action in finding.actions)


def _with(
    parts: Mapping[str, Part],
    actions: Iterable[Action],
    scan: Scan,
    closed: Callable[[str], str],
) -> dict[str, Part]:
    """The parts with some actions more.

    Raises:
        _RefusedError: one of them is not taken.
    """
    found = dict(parts)
    for action in actions:
        for prefix, one in _planned(action, scan, closed):
            found[prefix] = _joined(found.get(prefix) or _part(scan, prefix), one)
    return found


def _planned(
    action: Action, scan: Scan, closed: Callable[[str], str]
) -> Iterator[tuple[str, Replacement | str]]:
    if isinstance(action, Install):
        site = _open(scan.site(action.site), action.site, closed)
        yield commands.prefix(site.real), _replacement(action, scan, site)
        return
    for path in action.paths:
        site = _open(_holding(scan, path), path, closed)
        yield commands.prefix(site.real), f"{site.real}{path.removeprefix(site.path)}"


def _open(site: Site | None, path: str, closed: Callable[[str], str]) -> Site:
    """The site, where something may be changed in it.

    Raises:
        _RefusedError: nothing may.
    """
    if site is None:
        raise _RefusedError(f"{path} lies in no site that was found")
    if site.kind not in commands.OWN:
        raise _RefusedError(_KINDS[site.kind])
    prefix = commands.prefix(site.real)
    if not prefix:
        raise _RefusedError(f"{site.path} belongs to no interpreter: scripts have no place there")
    why = closed(prefix) or closed(site.real)
    if why:
        raise _RefusedError(why)
    return site


def _holding(scan: Scan, path: str) -> Site | None:
    """The innermost site that a path lies in."""
    holding = [one for one in scan.sites if path.startswith(f"{one.path}/")]
    return max(holding, key=lambda one: len(one.path), default=None)


def _replacement(action: Install, scan: Scan, site: Site) -> Replacement:
    for one in scan.distributions:
        if (one.site, one.name) == (site.path, action.distribution):
            _refuse_owned(one)
    machine = scan.system.machine or _machine(scan)
    if not site.python or machine not in MACHINES:
        raise _RefusedError("no wheel can be chosen for its Python and its machine")
    return Replacement(
        site=site.real,
        distribution=action.distribution,
        version=action.version,
        found=action.found,
        python=site.python,
        interpreter=action.python,
        machine=machine,
        glibc=scan.system.glibc or _UNKNOWN_GLIBC,
    )


def _refuse_owned(one: Distribution) -> None:
    if one.installer in ("conda", "debian"):
        raise _RefusedError(f"{one.installer} installed it, and keeps its own list of files")
    if one.editable:
        raise _RefusedError(f"it is an editable install of {one.editable}")


def _machine(scan: Scan) -> str:
    found = {one.binary.machine for one in scan.modules if one.binary.machine}
    return found.pop() if len(found) == 1 else ""


def _part(scan: Scan, prefix: str) -> Part:
    closed = {
        one.real
        for one in scan.sites
        if one.kind not in commands.OWN and not f"{prefix}/".startswith(f"{one.real}/")
    }
    return Part(prefix=prefix, closed=tuple(sorted(closed)))


def _joined(part: Part, one: Replacement | str) -> Part:
    """A part with one thing more.

    Raises:
        _RefusedError: another finding wants another version.
    """
    if isinstance(one, str):
        return msgspec.structs.replace(part, aside=tuple(dict.fromkeys((*part.aside, one))))
    for other in part.replacements:
        if (other.site, other.distribution) != (one.site, one.distribution):
            continue
        if other.version != one.version:
            raise _RefusedError(
                f"{other.distribution} {other.version} is put there for another one"
            )
        return part
    return msgspec.structs.replace(part, replacements=(*part.replacements, one))


# --- For people ----------------------------------------------------------------------------------


def steps(repair: Repair) -> Plan:
    """A repair as a plan for people: ``install`` and ``set-aside``, run or (refused) skipped."""
    done = [step for part in repair.parts for step in _of_part(part)]
    return (*done, *(_skipped(one) for one in repair.refused))


def _of_part(part: Part) -> Iterator[Step]:
    for path in part.aside:
        yield Step(kind="set-aside", target=path, action="run", reason="moved into the journal")
    for one in part.replacements:
        before = f"in the place of {one.found}" if one.found else "which is not there"
        yield Step(
            kind="install", target=said(one), action="run", reason=f"{before}, in {one.site}"
        )


def said(one: Replacement) -> str:
    """What comes: ``numpy 1.26.0``."""
    return f"{one.distribution} {one.version}"


def _skipped(one: Refusal) -> Step:
    action = one.action
    if isinstance(action, Install):
        what = f"{action.distribution} {action.version}"
        return Step(kind="install", target=what, action="skip", reason=one.why)
    return Step(kind="set-aside", target=", ".join(action.paths), action="skip", reason=one.why)
