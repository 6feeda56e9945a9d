"""Findings as SARIF 2.1.0, the form that code hosts show beside the lines of a change. Pure.

What is judged differs (profiles, environments), and so do the findings: each kind is made into
:class:`Told` first, which is all that a log is written from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, field

from envbuild.errors import Mark
from envbuild.knowledge.conditions import Rule
from envbuild.knowledge.judge import Finding

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_BROUGHT = "shipped:"


class Part(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A part of a log; what is at its default is not written."""


class Message(Part, frozen=True, kw_only=True):
    """A text."""

    text: str


class Level(Part, frozen=True, kw_only=True):
    """How grave what a rule finds is."""

    level: Literal["error", "warning", "note"]


class ReportingDescriptor(Part, frozen=True, kw_only=True):
    """A rule."""

    id: str
    short_description: Message
    full_description: Message
    help: Message
    default_configuration: Level


class ToolComponent(Part, frozen=True, kw_only=True):
    """The program that speaks, and its rules."""

    name: str
    version: str
    rules: tuple[ReportingDescriptor, ...]


class Tool(Part, frozen=True, kw_only=True):
    """The program."""

    driver: ToolComponent


class ArtifactLocation(Part, frozen=True, kw_only=True):
    """A file: relative to the workspace, or with its scheme."""

    uri: str


class Region(Part, frozen=True, kw_only=True):
    """A place in a file; line and column are counted from 1."""

    start_line: int
    start_column: int


class PhysicalLocation(Part, frozen=True, kw_only=True):
    """A file, and a place in it where there is one."""

    artifact_location: ArtifactLocation
    region: Region | None = None


class Location(Part, frozen=True, kw_only=True):
    """Where a finding stands."""

    physical_location: PhysicalLocation


class Suppression(Part, frozen=True, kw_only=True):
    """A waiver, with its reason."""

    kind: Literal["inSource"]
    justification: str


class Result(Part, frozen=True, kw_only=True):
    """A finding."""

    rule_id: str
    rule_index: int
    level: Literal["error", "warning", "note"]
    message: Message
    locations: tuple[Location, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    partial_fingerprints: dict[str, str] = {}


class Run(Part, frozen=True, kw_only=True):
    """One run of the program; columns are counted in code points."""

    tool: Tool
    results: tuple[Result, ...]
    column_kind: str = field(name="columnKind")


class Log(Part, frozen=True, kw_only=True):
    """A log file."""

    schema: str = field(name="$schema")
    version: str
    runs: tuple[Run, ...]


# --- What a log is written from ------------------------------------------------------------------


class Told(Struct, frozen=True, kw_only=True):
    """One finding, of whatever kind.

    ``rule`` is the id of its rule, ``title``, ``why`` and ``help`` are what a log says of that
    rule (of several findings of one rule those of the first), ``message`` is what it says of this
    finding. ``places`` are marks in files of a workspace or absolute paths, ``waived`` the reason
    of a waiver. ``identity`` is what stays the same while the finding is the same.
    """

    rule: str
    level: Literal["error", "warning", "note"]
    title: str
    why: str
    help: str
    message: str
    identity: str
    places: tuple[Mark | str, ...] = ()
    waived: str | None = None


def log(findings: Iterable[Finding], rules: Iterable[Rule], *, version: str) -> Log:
    """Findings about profiles as a log of envbuild ``version``."""
    known = {rule.id: rule for rule in rules}
    return written((_of_a_profile(one, known.get(one.rule)) for one in findings), version=version)


def written(told: Iterable[Told], *, version: str) -> Log:
    """A log of envbuild ``version``; it lists the rules that found something."""
    found = tuple(told)
    named = sorted({one.rule for one in found})
    first = {one.rule: one for one in reversed(found)}
    descriptors = tuple(_descriptor(first[name]) for name in named)
    driver = ToolComponent(name="envbuild", version=version, rules=descriptors)
    results = tuple(_result(one, named.index(one.rule)) for one in found)
    run = Run(tool=Tool(driver=driver), results=results, column_kind="unicodeCodePoints")
    return Log(schema=_SCHEMA, version="2.1.0", runs=(run,))


def _of_a_profile(found: Finding, rule: Rule | None) -> Told:
    """A rule that is no data (about waivers) is described by what it found."""
    fixes = " Or: ".join(found.fixes)
    return Told(
        rule=found.rule,
        level=found.severity,
        title=rule.title if rule else found.why,
        why=found.why,
        help=f"{fixes} Source: {found.source}",
        message=f"{found.message}. {found.why}. Fix: {fixes}",
        identity=f"{found.rule}\n{found.profile}\n{found.message}",
        places=(found.mark,) if found.mark else (),
        waived=found.waived,
    )


def _descriptor(told: Told) -> ReportingDescriptor:
    return ReportingDescriptor(
        id=told.rule,
        short_description=Message(text=told.title),
        full_description=Message(text=told.why),
        help=Message(text=told.help),
        default_configuration=Level(level=told.level),
    )


def _result(told: Told, index: int) -> Result:
    # The same when lines are added above a finding: no place is in it.
    identity = hashlib.sha256(told.identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Result(
        rule_id=told.rule,
        rule_index=index,
        level=told.level,
        message=Message(text=told.message),
        locations=tuple(_location(place) for place in told.places),
        suppressions=_suppressions(told),
        partial_fingerprints={"envbuild/v1": identity},
    )


def _suppressions(told: Told) -> tuple[Suppression, ...]:
    if told.waived is None:
        return ()
    return (Suppression(kind="inSource", justification=told.waived),)


def _location(place: Mark | str) -> Location:
    if isinstance(place, str):
        where = PhysicalLocation(artifact_location=ArtifactLocation(uri=f"file://{_uri(place)}"))
    else:
        where = PhysicalLocation(
            artifact_location=ArtifactLocation(uri=_uri(place.file)),
            region=Region(start_line=place.line, start_column=place.column),
        )
    return Location(physical_location=where)


def _uri(file: str) -> str:
    """A path as a relative reference; of a shipped file, its path without what marks it."""
    path = file.removeprefix(_BROUGHT)
    return "".join(c if c in _SAFE else "".join(f"%{b:02X}" for b in _bytes(c)) for c in path)


def _bytes(char: str) -> bytes:
    """A character of a path as the bytes of the disk: what is no UTF-8 came as a surrogate."""
    undecoded = "\udc80" <= char <= "\udcff"
    return char.encode("utf-8", "surrogateescape" if undecoded else "surrogatepass")
