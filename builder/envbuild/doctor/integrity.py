"""Whether everything is as it was installed: files, metadata and links."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

from msgspec import Struct

from envbuild.doctor import commands, tags
from envbuild.doctor.case import Case
from envbuild.doctor.model import Action, Finding, SetAside, Severity
from envbuild.names import canonical_name
from envbuild.scan.compiled import elf
from envbuild.scan.model import Distribution, Fault, FaultKind, Scan, Site
from envbuild.speech import counted

_SHOWN = 20
"""How many names a finding lists."""

_LOADED = re.compile(r".*\.(py|so(\.[0-9]+)*)")
"""What an import or the loader looks for."""


class _Kind(Struct, frozen=True, kw_only=True):
    """What a fault is called and means. ``what`` is filled with ``who`` it is about, ``of`` whom,
    the counted ``files`` or ``links``, and ``are`` or ``is`` for them."""

    id: str
    severity: Severity
    what: str
    why: str


_KINDS: dict[FaultKind, _Kind] = {
    "changed": _Kind(
        id="files-changed",
        severity="warning",
        what="{files}{of} {are} not as installed",
        why="somebody edited them, or another installer wrote over them: what runs is no release",
    ),
    "missing": _Kind(
        id="files-missing",
        severity="warning",
        what="{files}{of} {are} missing",
        why="what imports or reads them fails, and pip takes the package for installed",
    ),
    "two-versions": _Kind(
        id="two-versions",
        severity="warning",
        what="{who} stand in one folder",
        why="only the files of one can be there; which version is told, and which is checked "
        "against requirements, depends on the order of the folder",
    ),
    "two-owners": _Kind(
        id="two-owners",
        severity="warning",
        what="{who} both own {files}, with different contents",
        why="the one that was installed last overwrote the other's; removing either breaks both",
    ),
    "no-files": _Kind(
        id="metadata-without-files",
        severity="error",
        what="{who} has metadata, and none of its files",
        why="pip takes it for installed and does not install it; its import fails",
    ),
    "no-metadata": _Kind(
        id="files-without-metadata",
        severity="warning",
        what="{who} has files and no metadata",
        why="pip does not know of it: it is neither replaced nor removed, and shadows another copy",
    ),
    "dangling": _Kind(
        id="links-dangling",
        severity="error",
        what="{links} to nothing{of}",
        why="the packages that they stood for are gone: imports fail as if nothing were installed",
    ),
    "loop": _Kind(
        id="links-loop",
        severity="error",
        what="{links} to each other{of}",
        why="nothing behind them can be opened: too many levels of symbolic links",
    ),
}

_REPLACED = (
    "pip was told to install into the bundle, or ran in a Python that has it on its path: the "
    "extensions were built with the version that came, and find another one (IsaacLab#6329)"
)
"""What follows from a package of a bundle that was replaced."""


def findings(case: Case) -> tuple[Finding, ...]:
    """What is not as it was installed. Files of two versions in one folder are told elsewhere, and
    against a lock changed files are drift."""
    drift = case.lock is not None
    faults = (one for one in case.scan.faults if not (drift and one.kind == "changed"))
    return (
        *(_finding(case.scan, one) for one in faults if one.kind in _KINDS),
        *tags.findings(case),
        *_unreadable(case.scan),
    )


# --- Faults --------------------------------------------------------------------------------------


def _finding(scan: Scan, fault: Fault) -> Finding:
    kind = _KINDS[fault.kind]
    site = scan.site(fault.site)
    concerned = tuple(_concerned(scan, fault))
    return Finding(
        id=kind.id,
        severity=_severity(fault, kind, site),
        what=_what(fault, kind),
        where=fault.paths or (fault.site,),
        why=_REPLACED if _replaced(fault, site) else kind.why,
        expect=tuple(_texts(fault)),
        hits=fault.distributions,
        repair=_repair(scan, site, fault, concerned),
        actions=tuple(_actions(site, fault, concerned)),
    )


def _severity(fault: Fault, kind: _Kind, site: Site | None) -> Severity:
    """Missing code is an error; other missing files may be read by nobody. What was changed and is
    no code is most often a list of certificates, which a company has added its own to."""
    code = any(map(_LOADED.fullmatch, fault.paths))
    if (fault.kind == "missing" and code) or _replaced(fault, site):
        return "error"
    return "note" if fault.kind == "changed" and not code else kind.severity


def _replaced(fault: Fault, site: Site | None) -> bool:
    """Whether a package of a bundle was replaced: it was whole when it came."""
    bundled = site is not None and site.kind in commands.BUNDLED
    return bundled and fault.kind == "two-versions"


def _what(fault: Fault, kind: _Kind) -> str:
    who = " and ".join(fault.distributions)
    text = kind.what.format(
        who=who or posixpath.basename((fault.paths or (fault.site,))[0]),
        of=f" of {who}" if who else "",
        files=counted(fault.count, "file"),
        links=counted(fault.count, "link"),
        are="is" if fault.count == 1 else "are",
    )
    told = all(part in who for part in fault.detail.split(" and "))
    return text if told else f"{text} ({fault.detail})"


def _texts(fault: Fault) -> Iterator[str]:
    """What is seen of it, of a package that is not there at all."""
    if fault.kind == "no-files":
        for said in fault.distributions:
            yield f"No module named '{said.partition(' ')[0].replace('-', '_')}'"
    if fault.kind == "loop":
        yield "Too many levels of symbolic links"


def _concerned(scan: Scan, fault: Fault) -> Iterator[Distribution]:
    """The copies that a fault names, by the version that their metadata says."""
    for said in fault.distributions:
        name, _, version = said.partition(" ")
        every = [
            one
            for one in scan.distributions
            if one.site == fault.site and one.name == canonical_name(name)
        ]
        same = [one for one in every if version == (one.recorded or one.version)]
        yield from (same or every)[:1]


def _repair(
    scan: Scan, site: Site | None, fault: Fault, concerned: tuple[Distribution, ...]
) -> tuple[str, ...]:
    place = site.path if site else fault.site
    if site is None or site.kind in commands.BUNDLED:
        return (commands.product(scan, place),)
    if fault.kind == "two-owners" and len(concerned) > 1:
        return _one_owner(scan, site, concerned)
    if fault.kind == "no-metadata" and fault.paths:
        named = " ".join(map(shlex.quote, fault.paths))
        return (f"move {named} away, and install the package that it is",)
    if not concerned:
        return ("install the packages again whose files the links stood for",)
    keep = max(concerned, key=lambda one: not one.recorded)
    return tuple(
        line
        for one in ((keep,) if fault.kind == "two-versions" else concerned)
        for line in commands.reinstall(scan, one)
    )


def _one_owner(scan: Scan, site: Site, concerned: tuple[Distribution, ...]) -> tuple[str, ...]:
    """Keep one of those that own the same files: removing the other takes them along."""
    kept, *others = concerned
    names = " ".join(shlex.quote(one.name) for one in others)
    return (
        commands.pip(site, f"uninstall --yes {names}"),
        *commands.reinstall(scan, kept),
    )


def _actions(
    site: Site | None, fault: Fault, concerned: tuple[Distribution, ...]
) -> Iterator[Action]:
    """What ``--fix`` does: packages of the index come back as they were; what was edited by hand
    stays, and so does what a product brings."""
    if site is None or site.kind not in commands.OWN:
        return
    if fault.kind == "two-versions":
        stale = tuple(one.metadata for one in concerned if one.recorded and one.metadata)
        if stale and len(stale) < len(concerned):
            yield SetAside(paths=stale)
        return
    damaged = fault.kind in ("missing", "no-files")
    overwritten = fault.kind == "changed" and any(".so" in path for path in fault.paths)
    if damaged or overwritten:
        for one in concerned:
            yield commands.install(site, one)


# --- What could not be read ----------------------------------------------------------------------


def _unreadable(scan: Scan) -> Iterator[Finding]:
    """One note for all that was not looked at: nothing is known of it."""
    troubles = [(one.path, one.why) for one in scan.troubles]
    broken = (one for one in scan.modules if one.binary.wrong not in ("", elf.FOREIGN))
    troubles += [(one.path, one.binary.wrong) for one in broken]
    if not troubles:
        return
    listed = sorted(dict(troubles).items())
    more = [f"and {len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
    yield Finding(
        id="unreadable",
        severity="note",
        what=f"{counted(len(listed), 'file or folder')} could not be read"
        if len(listed) == 1
        else f"{len(listed)} files and folders could not be read",
        where=tuple(path for path, _ in listed[:_SHOWN]),
        why="nothing is known of them: what is wrong there is not among the findings",
        hits=(*(f"{path}: {why}" for path, why in listed[:_SHOWN]), *more),
    )
