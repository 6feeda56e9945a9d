"""From what was seen to what it means: findings in the order of cause and consequence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from envbuild.diagnose.conditions import among
from envbuild.diagnose.scan import Scan
from envbuild.diagnose.sightings import Line, Sightings
from envbuild.diagnose.told import BUNDLED, Copy, Said
from envbuild.knowledge import facts
from envbuild.knowledge.reading import Evidence
from envbuild.knowledge.signaturebook import Fix, names
from envbuild.tools.proc import masked

_WIDTH = 300
"""Characters of a line that are shown."""

_AROUND = 60
"""Characters of what was found that are looked for, and that stand before it in a cut line."""


class Seen(Struct, frozen=True, kw_only=True):
    """A line of the log as it can be shown: printable, cut, without secrets."""

    line: int
    text: str


class Finding(Struct, frozen=True, kw_only=True):
    """One failure that the log shows.

    ``proves`` follows from the messages that were seen; ``fix_for`` says which stack the ``fix``
    is for, empty when it holds for any. ``after`` names the findings that bring this one about.
    ``count`` is how often it was seen; ``lines`` are the first places of each message.
    """

    id: str
    title: str
    generic: bool
    count: int
    cause: str
    proves: tuple[str, ...]
    copies: tuple[Copy, ...]
    fix: str
    fix_for: str
    after: tuple[str, ...]
    lines: tuple[Seen, ...]
    evidence: Evidence


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What a log says. ``nearest`` are lines worth a look where no signature was seen."""

    log: str
    lines: int
    bytes: int
    stack: tuple[Said, ...]
    findings: tuple[Finding, ...]
    nearest: tuple[Seen, ...]
    notes: tuple[str, ...]


def diagnose(scan: Scan, *, log: str, notes: tuple[str, ...]) -> Diagnosis:
    """What a log that was read says; ``notes`` are what to know about its reading."""
    said = scan.told.said()
    seen = _ordered(scan.seen())
    present = {one.signature.id for one in seen}
    certain = any(not one.signature.generic for one in seen)
    return Diagnosis(
        log=log,
        lines=scan.count,
        bytes=scan.size,
        stack=tuple(said.values()),
        findings=_once(_finding(one, said, scan.told.copies(), present) for one in seen),
        nearest=() if certain else tuple(_shown(line) for line in scan.suspects.lines()),
        notes=notes,
    )


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings; the copies of a package stand with the first one that is about it."""
    known: set[Copy] = set()
    found = []
    for finding in findings:
        new = tuple(one for one in finding.copies if one not in known)
        found.append(replace(finding, copies=new))
        known.update(finding.copies)
    return tuple(found)


def _ordered(seen: Sequence[Sightings]) -> list[Sightings]:
    """Causes before their consequences; else what came first, and what is certain before hints."""
    waiting = sorted(seen, key=lambda one: (one.signature.generic, one.first))
    ordered: list[Sightings] = []
    while waiting:
        names_ = {one.signature.id for one in waiting}
        free = [
            one
            for one in waiting
            if not names_ & {*one.signature.consequence_of} - {one.signature.id}
        ]
        chosen = free[0] if free else waiting[0]
        ordered.append(chosen)
        waiting.remove(chosen)
    return ordered


def _finding(
    seen: Sightings, said: Mapping[str, Said], copies: tuple[Copy, ...], present: set[str]
) -> Finding:
    signature = seen.signature
    fix, fix_for = _fix(seen, said)
    return Finding(
        id=signature.id,
        title=signature.title,
        generic=signature.generic,
        count=seen.count,
        cause=signature.cause,
        proves=_proofs(seen),
        copies=_copies(copies, signature.package, said),
        fix=fix,
        fix_for=fix_for,
        after=tuple(name for name in signature.consequence_of if name in present),
        lines=tuple(_shown(line) for line in seen.lines()),
        evidence=signature.evidence,
    )


def _copies(
    copies: tuple[Copy, ...], package: str | None, said: Mapping[str, Said]
) -> tuple[Copy, ...]:
    """The copies of a package; a bundled one says its version and that another one shadows it."""
    found = tuple(one for one in copies if one.package == package)
    shadowed = any(one.role != BUNDLED for one in found)
    values = _known(said)
    release, version = values.get("isaac-sim"), values.get(f"isaac-sim.{package}")
    role = f"brought by Isaac Sim {release}" if release else BUNDLED
    role += f" as {version}" if version else ""
    role += ", shadowed by the other" if shadowed else ""
    return tuple(
        Copy(package=one.package, folder=one.folder, line=one.line, role=role)
        if one.role == BUNDLED
        else one
        for one in found
    )


def _proofs(seen: Sightings) -> tuple[str, ...]:
    """What the messages prove: together where they do, else each for itself."""
    ids = {message.id for message in seen.messages.values()}
    whole = [one for one in seen.signature.together if ids >= {*one.of}]
    joint = [one for one in whole if not any({*one.of} < {*more.of} for more in whole)]
    covered = {name for one in joint for name in one.of}
    alone = [m.proves for m in seen.messages.values() if m.proves and m.id not in covered]
    return tuple(dict.fromkeys((*(one.proves for one in joint), *alone)))


def _fix(seen: Sightings, said: Mapping[str, Said]) -> tuple[str, str]:
    """The way out for the stack that the log tells of, and the name of that stack."""
    values = {**_known(said), **{name: clean(text)[:_WIDTH] for name, text in seen.groups.items()}}
    for fix in seen.signature.fix_for:
        if _applies(fix, values):
            text = fix.text
            for name in names(text):
                text = text.replace(f"{{{name}}}", values[name])
            return text, _stack(fix, values)
    return seen.signature.fix, ""


def _applies(fix: Fix, values: Mapping[str, str]) -> bool:
    if fix.isaac_sim is not None and not among(values.get("isaac-sim"), fix.isaac_sim):
        return False
    if fix.architecture is not None and values.get("architecture") != fix.architecture:
        return False
    return all(name in values for name in names(fix.text))


def _stack(fix: Fix, values: Mapping[str, str]) -> str:
    named = names(fix.text)
    parts = []
    if fix.isaac_sim or any(name.startswith("isaac-sim") for name in named):
        parts.append(f"Isaac Sim {values['isaac-sim']}")
    if fix.architecture:
        parts.append(fix.architecture)
    return ", ".join(parts)


def _known(said: Mapping[str, Said]) -> dict[str, str]:
    """What is known of the stack by name: what the log tells, and the facts of its release."""
    values = {name: one.value for name, one in said.items()}
    release = values.get("isaac-sim")
    if release is None:
        return values
    for fact in reversed(facts.facts_of("isaac-sim", release)):  # the first word of one counts
        name, value = f"isaac-sim.{fact.name}", fact.value
        if isinstance(value, dict):
            values |= {f"{name}.{key}": text for key, text in value.items()}
        else:
            values[name] = value if isinstance(value, str) else ", ".join(value)
    return {name: text for name, text in values.items() if text != facts.UNKNOWN}


def _shown(line: Line) -> Seen:
    found = clean(line.found.decode(errors="replace"))[:_AROUND]
    return Seen(line=line.number, text=_cut(clean(line.text.decode(errors="replace")), found))


def clean(text: str) -> str:
    """The text in printable characters, secrets masked."""
    plain = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)
    return masked(plain.strip())


def _cut(text: str, found: str) -> str:
    """The text cut to what a screen can hold, around what was found in it."""
    if len(text) <= _WIDTH:
        return text
    place = max(text.find(found), 0)
    first = max(0, place - _AROUND) if place > _WIDTH // 2 else 0
    last = first + _WIDTH
    return ("…" if first else "") + text[first:last] + ("…" if last < len(text) else "")
