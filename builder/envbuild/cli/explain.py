"""``envbuild explain``: what a log says of a failure, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.diagnose import samples
from envbuild.diagnose.diagnosis import Diagnosis, Finding, Seen, diagnose
from envbuild.diagnose.index import Index
from envbuild.diagnose.lines import blocks
from envbuild.diagnose.scan import Scan
from envbuild.errors import InputError
from envbuild.knowledge import signaturebook
from envbuild.speech import wrapped
from envbuild.tools import logs

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.diagnose.told import Copy
    from envbuild.knowledge.signaturebook import Signature


@click.command("explain")
@click.argument("log", default="-", metavar="[LOG]")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
@click.pass_obj
def command(session: Session, /, log: str, as_json: bool) -> int:
    """Name the failures that a log shows, what they prove, and the way out.

    LOG is a log, a traceback or the output of a build; - or nothing is standard input. It may be
    packed by gzip or zstd.
    """
    signatures = _signatures(session)
    with logs.opened(log) as opened:
        if opened.terminal:
            session.console.say("paste the log, then press Ctrl-D on a line of its own")
        scan = Scan(Index(signatures))
        scan.read(blocks(opened.chunks()))
    found = diagnose(scan, log=opened.label, notes=tuple(opened.notes))
    if as_json:
        session.console.json(found)
    else:
        _print(session, found)
    for note in found.notes:
        session.console.fail(note, kind="warning")
    return 0


def _signatures(session: Session) -> tuple[Signature, ...]:
    """The shipped signatures and those of the workspace, whose samples must be what they say."""
    own = signaturebook.own(session.workspace.knowledge("signatures"))
    problems = samples.problems(own)
    if problems:
        raise InputError("signatures of yours cannot be used", problems=problems)
    return (*signaturebook.shipped(), *own.signatures)


def _print(session: Session, found: Diagnosis) -> None:
    data, styled = session.console.data, session.console.styled
    data(_heading(found))
    if found.stack and found.findings:
        told = ", ".join(f"{one.name} {one.value} (line {one.line})" for one in found.stack)
        data(wrapped("  the log tells: ", told))
    for number, finding in enumerate(found.findings, 1):
        name = styled(finding.id, "warning") if finding.generic else styled(finding.id, "error")
        data(f"\n{number}. {name}: {finding.title}")
        for line in _said(finding, found):
            data(line)
    if found.nearest:
        data("\nthe last lines that look like a failure:")
    for line in _numbered(found.nearest):
        data(line)


def _heading(found: Diagnosis) -> str:
    size = f"{found.log}: {_count(found.lines, 'line')}"
    if not found.bytes:
        return f"{found.log}: empty"
    if not found.findings:
        known = "no failure that is known"
        return f"{size}, {known}" + ("" if found.nearest else ", and nothing that looks like one")
    certain = sum(not one.generic for one in found.findings)
    hints = len(found.findings) - certain
    parts = [_count(certain, "known failure")] if certain else ["no failure that is known"]
    parts += [_count(hints, "general message")] if hints else []
    return f"{size}, {', '.join(parts)}"


def _said(finding: Finding, found: Diagnosis) -> list[str]:
    numbers = {one.id: number for number, one in enumerate(found.findings, 1)}
    rows = []
    if finding.generic and not finding.after:
        rows.append(("generic", "many causes end in this message; the fix is where to look"))
    if finding.after:
        causes = sorted(numbers[name] for name in finding.after)
        rows.append(("follows", f"from {', '.join(map(str, causes))}"))
    explained = finding.generic and finding.after
    if not explained:
        rows.append(("cause", finding.cause))
        rows += (("proves", text) for text in finding.proves)
        rows += (("copy", _copy(one)) for one in finding.copies)
        rows.append((f"fix for {finding.fix_for}" if finding.fix_for else "fix", finding.fix))
    text = [wrapped(f"   {name}: ", words) for name, words in rows]
    text.append(f"   seen {_times(finding.count)}:")
    text += _numbered(finding.lines, indent="     ")
    if not explained:
        evidence = finding.evidence
        text.append(wrapped("   source: ", f"{evidence.source} ({evidence.confidence})"))
    return text


def _copy(one: Copy) -> str:
    return f"{one.package} {one.role}: {one.folder}/{one.package} (line {one.line})"


def _numbered(lines: tuple[Seen, ...], indent: str = "  ") -> list[str]:
    width = max((len(str(one.line)) for one in lines), default=0)
    return [f"{indent}{one.line:>{width}} | {one.text}" for one in lines]


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
