"""``envbuild support``: one masked archive for a bug report, shown before it is written."""

from __future__ import annotations

import difflib
import os
import sys
from typing import TYPE_CHECKING

import click

import envbuild
from envbuild.cli import common, examining, gathering
from envbuild.errors import EnvbuildError, InputError
from envbuild.report import support
from envbuild.report.masking import Masks
from envbuild.report.support import Piece
from envbuild.tools import files, proc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envbuild.cli.main import Session

_NAME = "envbuild-support.tar.gz"


@click.command("support")
@examining.target_options
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    shell_complete=common.complete_profiles,
    help="Take this one and its lock (repeatable); else every one that has a lock here.",
)
@click.option("--log", "logs", multiple=True, metavar="FILE", help="Take this log too.")
@click.option("-o", "--output", default=_NAME, show_default=True, metavar="FILE", help="Where to.")
@click.option("--show", metavar="PIECE", help="Print one piece, masked, and write nothing.")
@click.option("--yes", is_flag=True, help="Write it without asking.")
@click.pass_obj
def command(session: Session, /, prefix: str | None, **chosen: object) -> int:
    """Pack what a bug report needs into one archive, and say first what is in it.

    It holds what doctor says of the environment (the current one, or the target named as doctor
    takes it), versions, the driver, profiles with their locks, and the last logs. Secrets, names of
    users and of hosts are masked in all of it.
    """
    target = examining.target(session, prefix, chosen)
    pieces = _pieces(session, target, chosen)
    masks = Masks(gathering.known(os.environ))
    found = tuple(sorted(support.masked(pieces, masks), key=lambda one: one.path))
    if chosen["show"]:
        return _show(session, found, str(chosen["show"]))
    for one in found:
        session.console.data(f"{one.size:>10,}  {one.path}  ({one.what}{_hidden(one)})")
    data = support.archive(found)
    named = str(chosen["output"])
    path = os.path.abspath(os.path.join(session.here, os.path.expanduser(named)))
    session.console.say(f"{len(found)} pieces, {len(data):,} bytes packed; --show PIECE prints one")
    if not chosen["yes"] and not _agreed(path):
        session.console.say("nothing is written")
        return 1
    files.write_tree(os.path.dirname(path), {os.path.basename(path): data})
    session.console.say(f"written: {named}", style="good")
    return 0


def _pieces(
    session: Session, target: examining.Target, chosen: Mapping[str, object]
) -> Iterator[Piece]:
    yield from _doctor(session, target, chosen)
    yield gathering.versions(proc.run, os.environ)
    yield from gathering.profiles(session.workspace, _words(chosen["profiles"]))
    yield from gathering.logs(session.workspace)
    yield from gathering.named_logs(_words(chosen["logs"]), session.here)


def _doctor(
    session: Session, target: examining.Target, chosen: Mapping[str, object]
) -> Iterator[Piece]:
    """What doctor says, as JSON and as text; where there is nothing to be examined, why not: a
    report of anything else is worth sending too."""
    from envbuild.doctor.told import forms
    from envbuild.report import plain

    try:
        told = examining.answer(session, target, examining.wishes(chosen))
    except EnvbuildError as error:
        if target.kind != "here":
            raise
        yield Piece(path="doctor.txt", text=f"{error.message}\n", what="why doctor says nothing")
        return
    data = forms.data(told, version=envbuild.__version__)
    text = plain.as_json(data)
    yield Piece(path="doctor.json", text=f"{text}\n", what="what doctor says")
    markdown = forms.as_markdown(told, version=envbuild.__version__)
    yield Piece(path="doctor.md", text=f"{markdown}\n", what="the same, to be read")


def _show(session: Session, found: tuple[Piece, ...], name: str) -> int:
    piece = next((one for one in found if one.path == name), None)
    if piece is None:
        near = difflib.get_close_matches(name, [one.path for one in found], n=1)
        hint = f"did you mean {near[0]}?" if near else "without --show they are listed"
        raise InputError(f"there is no piece {name!r}", hint=hint)
    session.console.data(piece.text.removesuffix("\n"))
    return 0


def _hidden(piece: Piece) -> str:
    return f"; {piece.hidden:,} masked" if piece.hidden else ""


def _agreed(path: str) -> bool:
    """Whether the user wants it.

    Raises:
        InputError: nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise InputError("nobody is there to agree", hint="--yes writes it without asking")
    there = ", over the one that is there" if os.path.exists(path) else ""
    return click.confirm(f"write {os.path.basename(path)}{there}?", err=True)


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()
