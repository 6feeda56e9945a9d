"""Compiled packages other than NumPy of which two versions meet in one process. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator

from envbuild.doctor import commands
from envbuild.doctor.abi import minor
from envbuild.doctor.case import Case
from envbuild.doctor.copies import NUMPY, Meeting, bundled, meetings
from envbuild.doctor.model import Finding
from envbuild.scan.model import Scan

_TORCH = ("torch", "torchvision", "torchaudio")


def findings(case: Case) -> tuple[Finding, ...]:
    """A warning for each package built on NumPy or torch whose copy in the environment is of
    another minor version than the bundle's, which wins as soon as Kit has started."""
    scan = case.scan
    return tuple(
        _finding(scan, met)
        for name in _compiled(scan)
        for met in meetings(scan, name)
        if met.then is not None
        and minor(met.own.version) != minor(met.wanted)
        and not bundled(scan, met.own)
    )


def _compiled(scan: Scan) -> Iterator[str]:
    """The names of those of which there are several copies."""
    built = {one.distribution for one in scan.modules if one.binary.numpy is not None}
    copies = Counter(one.name for one in scan.distributions)
    for name, count in copies.items():
        if count > 1 and name != NUMPY and (name in built or name in _TORCH):
            yield name


def _finding(scan: Scan, met: Meeting) -> Finding:
    own, site = met.own, scan.site(met.own.site)
    launchers = " and ".join(met.launchers)
    free = site is not None and site.kind in commands.OWN
    wanted = shlex.quote(f"{own.name}=={met.wanted}")
    return Finding(
        id="package-two-winners",
        severity="warning",
        what=f"with {launchers}, {own.name} {own.version} wins until Kit starts, then {met.wanted}",
        where=tuple(one.package or one.site for one in (own, met.then) if one is not None),
        why="Kit takes each of its submodules that is not loaded yet from the bundle: compiled "
        "modules of two releases meet in one process, and what was installed for the first may "
        "not work with the second",
        sure="heuristic",
        hits=(own.name,),
        repair=(commands.pip(site, f"install {wanted}"),) if free and site else (),
        actions=(commands.install(site, own, version=met.wanted),) if free and site else (),
        source="Kit's import hook, as numpy-two-winners",
    )
