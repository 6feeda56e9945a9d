"""Compiled modules for another Python than that of their site: no import finds them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from envbuild.doctor import commands
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding
from envbuild.scan.model import Module, Scan, Site
from envbuild.speech import counted

_TAG = re.compile(r"cpython-([0-9])([0-9]+)")
_SHOWN = 8


def findings(case: Case) -> tuple[Finding, ...]:
    """Distributions whose compiled modules are for another Python than their site's."""
    return tuple(_untaken(case.scan))


def _untaken(scan: Scan) -> Iterator[Finding]:
    for site in scan.sites:
        if site.kind not in commands.OWN or not site.python:
            continue
        modules = [one for one in scan.modules if one.site == site.path]
        by_owner: dict[str, list[Module]] = {}
        for one in _of_another_python(modules, site.python):
            by_owner.setdefault(one.distribution, []).append(one)
        for owner, some in sorted(by_owner.items()):
            yield _of_another(scan, site, owner, some)


def _of_another_python(modules: Iterable[Module], python: str) -> Iterator[Module]:
    """The modules that no Python of this version imports, and that have no twin that it does."""
    listed = list(modules)
    taken = {_stem(one) for one in listed if _python(one.tag) in ("", python)}
    for one in listed:
        if _python(one.tag) not in ("", python) and _stem(one) not in taken:
            yield one


def _python(tag: str) -> str:
    """The Python of a tag: ``3.11`` for ``cpython-311``; empty for ``abi3`` and for none."""
    found = _TAG.match(tag)
    return f"{found[1]}.{found[2]}" if found else ""


def _stem(module: Module) -> str:
    folder, name = posixpath.split(module.path)
    return f"{folder}/{name.partition('.')[0]}"


def _of_another(scan: Scan, site: Site, owner: str, modules: list[Module]) -> Finding:
    pythons = ", ".join(sorted({_python(one.tag) for one in modules}))
    every = (one for one in scan.distributions if one.site == site.path and one.name == owner)
    found = next(every, None)
    named = f"{owner} {found.version}" if found else owner or "a package without metadata"
    name = posixpath.basename(modules[0].path).partition(".")[0]
    return Finding(
        id="python-tag",
        severity="error",
        what=f"{counted(len(modules), 'module')} of {named} for Python {pythons}, in a site of "
        f"Python {site.python}",
        where=tuple(one.path for one in modules[:_SHOWN]),
        why="Python imports a compiled module only with its own tag: these are never found",
        expect=(f"No module named '{name}'", f"cannot import name '{name}'"),
        hits=(named,),
        repair=commands.reinstall(scan, found) if found else (),
        actions=(commands.install(site, found),) if found and found.installer != "conda" else (),
    )
