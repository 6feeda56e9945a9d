"""Folders that hold the files of two versions of one package. Pure."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping

from envbuild.doctor import commands
from envbuild.doctor.abi import DTYPE_CHANGED
from envbuild.doctor.case import Case
from envbuild.doctor.copies import NUMPY, meetings
from envbuild.doctor.model import Action, Finding, SetAside
from envbuild.scan.model import Distribution, Fault, Scan, Site

NUMPY_TREE = "numpy-mixed-tree"
OTHER_TREE = "two-versions"

_TEXTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("2", "core"): ("cannot import name 'set_array_function_like_doc'", DTYPE_CHANGED),
    ("1", "__init__.py"): ("No module named 'numpy._expired_attrs_2_0'",),
    ("1", "core"): ("you should not try to import numpy from its source directory",),
    ("1", "lib"): ("cannot import name 'asarray' from 'numpy._core'",),
    ("2", "lib"): ("module 'numpy.core.numeric' has no attribute float_",),
    ("2", "random"): (DTYPE_CHANGED,),
    ("2", "testing"): ("module 'numpy' has no attribute '_no_nep50_warning'",),
}
"""What is said where one part of NumPy 1 or 2 is of another release. ``core`` in NumPy 2 is what
stays behind of a NumPy 1 that it was put over; NumPy 1 over NumPy 2 says nothing at all."""

_SOURCE = "trees of two NumPy releases, really imported (tests of envbuild; knowledge signatures)"


def findings(case: Case) -> tuple[Finding, ...]:
    """One finding for each folder, whatever else its files break."""
    scan = case.scan
    return tuple(
        one for fault in scan.faults if fault.kind == "mixed" for one in _finding(scan, fault)
    )


def _finding(scan: Scan, fault: Fault) -> Iterator[Finding]:
    name = fault.distributions[0].partition(" ")[0] if fault.distributions else ""
    if not name:
        return
    own = [one for one in scan.distributions if one.site == fault.site and one.name == name]
    repair, actions = _cleared(scan, fault, own)
    packages = dict.fromkeys(one.package for one in own if one.package)
    yield Finding(
        id=NUMPY_TREE if name == NUMPY else OTHER_TREE,
        severity="error",
        what=f"one {name} folder holds the files of two releases: {fault.detail}",
        where=tuple(dict.fromkeys((*packages, *fault.paths))) or (fault.site,),
        why="a release was copied over another one, or an upgrade stopped half way: files of both "
        "stand side by side, and Python imports what it finds. Some of it works, and nothing says "
        "that the rest does not belong to it",
        expect=tuple(_texts(fault, own)) if name == NUMPY else (),
        hits=fault.distributions,
        repair=repair,
        actions=actions,
        source=_SOURCE if name == NUMPY else "the RECORD of the distribution",
    )


def _texts(fault: Fault, own: list[Distribution]) -> Iterator[str]:
    """The error texts that are known of such a mixture; some give none."""
    major = next((one.version.partition(".")[0] for one in own if one.version), "")
    parts = dict.fromkeys(map(_part, fault.paths))
    yield from dict.fromkeys(text for part in parts for text in _TEXTS.get((major, part), ()))


def _part(path: str) -> str:
    """The part of NumPy that a file belongs to: ``random``, ``__init__.py``."""
    return path.rpartition(f"/{NUMPY}/")[2].partition("/")[0]


def _cleared(
    scan: Scan, fault: Fault, own: list[Distribution]
) -> tuple[tuple[str, ...], tuple[Action, ...]]:
    """Everything of it out of the way, then one release; of a product, the product again."""
    site = scan.site(fault.site)
    if site is None or site.kind not in commands.OWN or not own:
        return (commands.product(scan, fault.site),), ()
    name = own[0].name
    aligned = [met.wanted for met in meetings(scan, name) if met.own in own]
    version = aligned[0] if aligned else own[0].version or own[0].recorded
    paths = tuple(_folders(scan, site, own))
    lines = (
        f"rm -r {' '.join(map(shlex.quote, paths))}",
        commands.pip(site, f"install --no-deps {shlex.quote(f'{name}=={version}')}"),
    )
    return lines, (SetAside(paths=paths), commands.install(site, own[0], version=version))


def _folders(scan: Scan, site: Site, own: list[Distribution]) -> Iterator[str]:
    yield from dict.fromkeys(one.package for one in own if one.package)
    libraries = posixpath.join(site.path, f"{own[0].name}.libs")
    if any(one.path.startswith(f"{libraries}/") for one in scan.modules):
        yield libraries
    yield from dict.fromkeys(one.metadata for one in own if one.metadata)
