"""Shared libraries that compiled modules ask for: missing ones, and ones that are too old."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator

from envbuild.doctor import commands
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding
from envbuild.knowledge import facts
from envbuild.knowledge.model import Library
from envbuild.scan.model import Lacking, Newer, Scan
from envbuild.speech import counted

_COMPILERS = {
    "3.4.26": "9",
    "3.4.27": "9.2",
    "3.4.28": "9.3",
    "3.4.29": "11",
    "3.4.30": "12",
    "3.4.31": "13",
    "3.4.32": "13.2",
    "3.4.33": "14",
    "3.4.34": "15",
}
"""The first GCC whose libstdc++ has a version of its symbols (GCC's manual, ABI policy)."""

_CXX = ("GLIBCXX", "CXXABI")


def findings(case: Case) -> tuple[Finding, ...]:
    """What is not there, and what is there in too old a version."""
    return (
        *(_missing(case.scan, one) for one in case.scan.lacking),
        *(_older(case.scan, one) for one in case.scan.newer),
    )


def _missing(scan: Scan, lacking: Lacking) -> Finding:
    named = ", ".join(lacking.distributions) or "modules without an owner"
    known = facts.library(lacking.library)
    return Finding(
        id="library-missing",
        severity="error",
        what=f"{lacking.library} is not there, and {counted(lacking.count, 'module')} of {named} "
        f"{'needs' if lacking.count == 1 else 'need'} it",
        where=lacking.needed_by,
        why="what needs it does not load, and so does what imports that",
        sure="proven" if scan.system.whole else "heuristic",
        expect=(f"{lacking.library}: cannot open shared object file: No such file or directory",),
        hits=lacking.distributions,
        repair=tuple(
            _installing(scan, lacking.needed_by, known)
            if known
            else (f"install the system package that has {lacking.library}",)
        ),
        source=known.source if known else "",
    )


def _older(scan: Scan, newer: Newer) -> Finding:
    wanted = f"{newer.family}_{newer.wanted}"
    return Finding(
        id="library-older",
        severity="error",
        what=f"{posixpath.basename(newer.library)} is older than "
        f"{counted(newer.count, 'module')} {'asks' if newer.count == 1 else 'ask'} for: "
        f"{newer.family} {newer.found}, not {newer.wanted}",
        where=(newer.library, *newer.needed_by),
        why="the loader refuses what asks for symbols that the library does not have",
        expect=tuple(
            f"{newer.library}: version `{wanted}' not found (required by {path})"
            for path in newer.needed_by[:3]
        ),
        hits=tuple(sorted(set(_owners(scan, newer.needed_by)))),
        repair=tuple(_newer_library(scan, newer)),
    )


def _owners(scan: Scan, paths: tuple[str, ...]) -> Iterator[str]:
    for one in scan.modules:
        if one.path in paths and one.distribution:
            yield one.distribution


def _newer_library(scan: Scan, newer: Newer) -> Iterator[str]:
    if newer.family == "GLIBC":
        yield (
            f"a system with glibc {newer.wanted} or newer, or a container of one: "
            "glibc is not replaced on its own"
        )
    elif newer.family in _CXX:
        prefix = _conda_prefix(scan, (newer.library, *newer.needed_by))
        compiler = _COMPILERS.get(newer.wanted, "") if newer.family == "GLIBCXX" else ""
        if prefix:
            yield _by_conda(prefix, f"libstdcxx-ng>={compiler}" if compiler else "libstdcxx-ng")
        else:
            yield f"a system whose libstdc++ has {newer.family}_{newer.wanted}" + (
                f" (that of GCC {compiler} or newer)" if compiler else ""
            )
    else:
        yield f"a newer {posixpath.basename(newer.library)}"


def _installing(scan: Scan, paths: tuple[str, ...], known: Library) -> Iterator[str]:
    """The packages that have the library, of whoever keeps the environment first."""
    prefix = _conda_prefix(scan, paths)
    if known.conda and prefix:
        yield _by_conda(prefix, known.conda)
    apt = known.renamed.get(scan.system.release.replace(" ", "-", 1), known.apt)
    if apt:
        yield f"apt-get install --yes {shlex.quote(apt)}"
    sites = (scan.site(one.site) for one in scan.modules if one.path in paths)
    own = next((one for one in sites if one and one.kind in commands.OWN), None)
    if known.python and own:
        yield commands.pip(own, f"install {shlex.quote(known.python)}")
    if not (apt or (known.conda and prefix) or (known.python and own)):
        yield f"install what has {known.library}: " + (
            f"{known.conda} of conda-forge" if known.conda else "no package of this system is known"
        )


def _by_conda(prefix: str, package: str) -> str:
    where = shlex.quote(prefix)
    return f"conda install --prefix {where} --channel conda-forge {shlex.quote(package)}"


def _conda_prefix(scan: Scan, paths: Iterable[str]) -> str:
    """The conda environment that one of these paths lies in; empty: in none."""
    prefixes = sorted({one.prefix for one in scan.conda}, key=len, reverse=True)
    listed = tuple(paths)
    holding = (one for one in prefixes if any(path.startswith(f"{one}/") for path in listed))
    return next(holding, "")
