"""``envbuild report``: what came of a night, as a page and for other programs; and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.cli import output, reporting
from envbuild.history import layout
from envbuild.history.store import Read
from envbuild.history.union import union
from envbuild.plan import Step
from envbuild.report.nightly import junit, markdown
from envbuild.speech import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envbuild.cli.main import Session
    from envbuild.history.store import History, Merged


@click.command("report")
@click.option(
    "--history",
    metavar="PLACE",
    help="A folder, or git:BRANCH; else .envbuild/history of the workspace.",
)
@click.option(
    "--merge",
    multiple=True,
    metavar="PLACE",
    help="Take in what this history has, first (repeatable).",
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Then remove all but the newest N nights.",
)
@click.option("--night", default="", metavar="NAME", help="Show this night, not the newest.")
@click.option("-o", "--output", metavar="DIR", help="Where to; else .envbuild/report.")
@click.option("--json", "form", flag_value="json", help="The night as JSON on stdout.")
@click.option("--markdown", "form", flag_value="markdown", help="A summary of it on stdout.")
@click.option("--junit", metavar="FILE", help="Write JUnit's XML alone (-: on stdout).")
@click.option("--sarif", metavar="FILE", help="Write SARIF 2.1.0 alone (-: on stdout).")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Say what --merge and --keep would do, and do nothing."
)
@click.pass_obj
def command(session: Session, /, history: str | None, **chosen: object) -> int:
    """Write a night as a page, with JSON, JUnit, SARIF and Markdown beside it.

    Nights are kept by envbuild nightly. Without a form all of them are written into a folder, with
    the logs of what failed; the path of the page is said on stdout. The exit status is that of the
    report, not of the night.
    """
    _refuse_beside(chosen)
    kept = reporting.history(session, history)
    others = [reporting.history(session, place) for place in _places(chosen["merge"])]
    keep = chosen["keep"] if isinstance(chosen["keep"], int) else None
    if chosen["dry_run"]:
        session.console.plan(tuple(_plan(kept, others, keep)))
        return 0
    for other in others:
        _tell_merged(session, other, kept.merge(other))
    if keep is not None:
        _prune(session, kept, keep)
    _report(session, kept, chosen)
    return 0


def _places(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    """Refuse two forms on one stream.

    Raises:
        UsageError: there are two.
    """
    on_stdout = [f"--{chosen['form']}"] if chosen["form"] else []
    on_stdout += [f"--{name} -" for name in ("junit", "sarif") if chosen[name] == "-"]
    if len(on_stdout) > 1:
        raise click.UsageError(f"{on_stdout[0]} and {on_stdout[1]} both write on stdout")
    if chosen["dry_run"] and not (chosen["merge"] or chosen["keep"]):
        raise click.UsageError("--dry-run goes with --merge or --keep")


def _report(session: Session, kept: History, chosen: Mapping[str, object]) -> None:
    told = reporting.shown(kept, str(chosen["night"]))
    for line in told.broken:
        session.console.fail(f"{kept.place}: {line}; it is left out", kind="warning")
    console = session.console
    if chosen["form"] == "json":
        console.json(reporting.form(told))
    elif chosen["form"] == "markdown":
        console.data(markdown.summary(told.night).rstrip("\n"))
    if chosen["junit"]:
        _give(session, junit.junit(told.night), str(chosen["junit"]))
    if chosen["sarif"]:
        _give(session, reporting.as_sarif(session, told), str(chosen["sarif"]))
    forms = any(chosen[name] for name in ("form", "junit", "sarif"))
    if chosen["output"] or not forms:
        where = str(chosen["output"]) if chosen["output"] else None
        path = reporting.write(session, kept, told, where)
        console.say(f"night {told.night.name} of {counted(len(told.nights), 'night')}")
        if not forms:
            console.data(path)


def _give(session: Session, data: bytes, file: str) -> None:
    output.give(session, data.decode(), None if file == "-" else file)


def _plan(kept: History, others: Iterable[History], keep: int | None) -> Iterator[Step]:
    ours = kept.read()
    for other in others:
        theirs = other.read()
        met = union(ours, theirs)
        ours = Read(files={**ours.files, **{name: theirs.files[name] for name in met.new}})
        for name in sorted(met.new):
            yield Step(kind="merge", target=name, action="run", reason=f"from {other.place}")
        for name in met.conflicts:
            reason = f"{other.place} has another night of this id"
            yield Step(kind="merge", target=name, action="skip", reason=reason)
    if keep is not None:
        ids, _ = layout.doomed(ours, keep)
        for name in sorted(ids):
            reason = f"more than {counted(keep, 'night')}"
            yield Step(kind="prune", target=name, action="run", reason=reason)


def _tell_merged(session: Session, other: History, done: Merged) -> None:
    files = counted(len(done.nights), "file")
    session.console.say(f"{other.place}: {files} of nights taken, {done.blobs} locks and logs")
    for name in done.conflicts:
        said = f"{other.place} has another night {name}: the one that is here stays"
        session.console.fail(said, kind="warning")
    for line in done.broken:
        session.console.fail(f"{other.place}: {line}; it is not taken", kind="warning")


def _prune(session: Session, kept: History, keep: int) -> None:
    done = kept.prune(keep)
    if not done.nights:
        session.console.say(f"{kept.place}: nothing is older than {counted(keep, 'night')}")
        return
    session.console.say(
        f"{kept.place}: {counted(len(done.names), 'night')} removed, with {done.blobs} locks and"
        f" logs, {done.size / 1e6:,.1f} MB"
    )
