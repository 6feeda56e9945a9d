"""Findings as SARIF 2.1.0, the form that code hosts show beside the lines of a change. Pure."""

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
    """A file, relative to the workspace."""

    uri: str


class Region(Part, frozen=True, kw_only=True):
    """A place in a file; line and column are counted from 1."""

    start_line: int
    start_column: int


class PhysicalLocation(Part, frozen=True, kw_only=True):
    """A file and a place in it."""

    artifact_location: ArtifactLocation
    region: Region


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


def log(findings: Iterable[Finding], rules: Iterable[Rule], *, version: str) -> Log:
    """Findings as a log of envbuild ``version``; it lists the rules that found something."""
    found = tuple(findings)
    known = {rule.id: rule for rule in rules}
    named = sorted({one.rule for one in found})
    first = {one.rule: one for one in reversed(found)}
    descriptors = tuple(_descriptor(name, known.get(name), first[name]) for name in named)
    driver = ToolComponent(name="envbuild", version=version, rules=descriptors)
    results = tuple(_result(one, named.index(one.rule)) for one in found)
    run = Run(tool=Tool(driver=driver), results=results, column_kind="unicodeCodePoints")
    return Log(schema=_SCHEMA, version="2.1.0", runs=(run,))


def _descriptor(name: str, rule: Rule | None, found: Finding) -> ReportingDescriptor:
    """A rule; one that is no data (about waivers) by what it found."""
    help_text = " Or: ".join(found.fixes)
    return ReportingDescriptor(
        id=name,
        short_description=Message(text=rule.title if rule else found.why),
        full_description=Message(text=found.why),
        help=Message(text=f"{help_text} Source: {found.source}"),
        default_configuration=Level(level=found.severity),
    )


def _result(found: Finding, index: int) -> Result:
    text = f"{found.message}. {found.why}. Fix: {' Or: '.join(found.fixes)}"
    return Result(
        rule_id=found.rule,
        rule_index=index,
        level=found.severity,
        message=Message(text=text),
        locations=(_location(found.mark),) if found.mark else (),
        suppressions=_suppressions(found),
        partial_fingerprints={"envbuild/v1": _fingerprint(found)},
    )


def _suppressions(found: Finding) -> tuple[Suppression, ...]:
    if found.waived is None:
        return ()
    return (Suppression(kind="inSource", justification=found.waived),)


def _location(mark: Mark) -> Location:
    return Location(
        physical_location=PhysicalLocation(
            artifact_location=ArtifactLocation(uri=_uri(mark.file)),
            region=Region(start_line=mark.line, start_column=mark.column),
        )
    )


def _uri(file: str) -> str:
    """A path as a relative reference; of a shipped file, its path without what marks it."""
    path = file.removeprefix(_BROUGHT)
    return "".join(c if c in _SAFE else "".join(f"%{b:02X}" for b in c.encode()) for c in path)


def _fingerprint(found: Finding) -> str:
    """The same for the same finding when lines are added above it."""
    text = f"{found.rule}\n{found.profile}\n{found.message}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
