"""What doctor says of a folder, by the same way as the command: places, tree, survey, findings."""

from __future__ import annotations

from pathlib import Path

from envbuild.doctor import judging
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding
from envbuild.scan import survey
from envbuild.scan.linked.host import Host
from envbuild.scan.sources import folders
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.starting import places

HOST = Host(
    machine="x86_64",
    glibc="2.39",
    libraries=frozenset(
        {
            "ld-linux-x86-64.so.2",
            "libc.so.6",
            "libdl.so.2",
            "libgcc_s.so.1",
            "libGL.so.1",
            "libglib-2.0.so.0",
            "libgthread-2.0.so.0",
            "libm.so.6",
            "libpthread.so.0",
            "librt.so.1",
            "libstdc++.so.6",
            "libutil.so.1",
            "libz.so.1",
        }
    ),
    offers=(("GLIBC", "2.39"), ("GLIBCXX", "3.4.33"), ("CXXABI", "1.3.15"), ("GCC", "14.0.0")),
)
"""A desktop with Ubuntu 24.04, whatever machine the tests run on."""


def findings(root: Path) -> tuple[Finding, ...]:
    """The findings, with the root taken out of their paths and commands."""
    found = places.of_prefix(str(root))
    tree = folders.read(found.roots, Wish())
    scan = survey.survey(tree, found.label, found.start, HOST)
    return tuple(_below(root, one) for one in judging.findings(Case(scan=scan)))


def _below(root: Path, one: Finding) -> Finding:
    """As if the root were ``/lab``; what ``--fix`` would do is left out."""

    def said(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text.replace(str(root), "/lab") for text in texts)

    return Finding(
        id=one.id,
        severity=one.severity,
        what=said((one.what,))[0],
        where=said(one.where),
        why=said((one.why,))[0],
        sure=one.sure,
        expect=one.expect,
        hits=said(one.hits),
        repair=said(one.repair),
        source=one.source,
    )
