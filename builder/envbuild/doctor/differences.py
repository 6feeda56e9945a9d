"""What differs from a lock, as findings: one for each sort and kind of package. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from envbuild.doctor import commands
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding, Install, Severity
from envbuild.scan.model import Distribution, Scan, Site
from envbuild.speech import counted

_NAMED = 5
"""How many names a sentence or a command holds."""

_SHOWN = 20
"""How many names a finding lists."""

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


def rank(key: tuple[Sort, str]) -> tuple[int, str]:
    """The order in which sorts and kinds of packages are told."""
    return (list(_SORTS).index(key[0]), key[1])


def finding(case: Case, group: list[Drift]) -> Finding:
    """All that differs in one way, of one kind of package."""
    first = group[0]
    sort = _SORTS[first.sort]
    names = [one.said for one in group]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    head = sort.text.format(
        count=counted(len(group), first.noun), are="is" if len(group) == 1 else "are"
    )
    return Finding(
        id=first.sort,
        severity=sort.severity,
        what=f"{head}: {', '.join(names[:_NAMED])}{more}",
        where=tuple(dict.fromkeys(one.where for one in group))[:_SHOWN],
        why=sort.why,
        hits=tuple(names[:_SHOWN]),
        repair=tuple(_repair(case, group)),
        actions=tuple(one.install for one in group if one.install),
        source="the lock",
    )


def _repair(case: Case, group: list[Drift]) -> Iterator[str]:
    """One command for all of it, where pip is who does it; else the lock's own way."""
    first = group[0]
    site = next(filter(None, (_site(case.scan, one) for one in group)), None)
    if first.noun == "package" and site:
        if first.sort == "lock-extra" and len(group) <= _NAMED:
            yield commands.pip(site, f"uninstall --yes {_quoted(one.said for one in group)}")
        elif first.sort != "lock-extra" and (wanted := _wanted(case, group)):
            yield commands.pip(site, f"install --force-reinstall --no-deps {wanted}")
    yield "build or install the environment anew from its lock: envbuild build, envbuild install"


def _wanted(case: Case, group: list[Drift]) -> str:
    """What pip is to install: few packages by name, of many the lock's own list of wheels."""
    pins = [one.install for one in group if one.install]
    if len(pins) > _NAMED and case.lock and case.lock_folder:
        path = shlex.quote(f"{case.lock_folder}/{case.lock.wheels.path}")
        return f"--require-hashes --requirement {path}"
    return " ".join(shlex.quote(f"{one.distribution}=={one.version}") for one in pins)


def _site(scan: Scan, one: Drift) -> Site | None:
    path = one.found.site if one.found else one.install.site if one.install else ""
    return scan.site(path)


def _quoted(said: Iterable[str]) -> str:
    return " ".join(shlex.quote(one.partition(" ")[0]) for one in said)
