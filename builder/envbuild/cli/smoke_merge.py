"""``envbuild smoke --merge``: what several machines said, as one report."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec import Struct

from envbuild.cli import smoking
from envbuild.errors import InputError
from envbuild.smoke import sharding
from envbuild.smoke.model import SmokeReport
from envbuild.smoke.sharding import Part
from envbuild.tools import files, typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.main import Session

_GOES = {"merge", "as_json", "junit"}
"""What goes with --merge; the rest is about running tests."""


class _File(Struct, frozen=True, kw_only=True):
    """What ``smoke --json`` prints."""

    reports: tuple[SmokeReport, ...]


def merge(session: Session, names: tuple[str, ...], chosen: Mapping[str, object]) -> int:
    """Make one report of the files of shards; the exit status is 1 where one has no result.

    Raises:
        InputError: they are not parts of one run, or none can be read.
    """
    from envbuild.cli.smoke import written

    _refuse_beside(chosen)
    if not names:
        raise click.UsageError("--merge wants the files that `smoke --shard I/N --json` printed")
    parts: list[Part] = []
    broken: list[str] = []
    for name in dict.fromkeys(names):
        try:
            parts.append(_part(session, name))
        except InputError as error:
            broken.append(error.message)
            session.console.fail(error.message)
    if not parts:
        raise InputError("no shard has a result", hint="run them again, each with --json > FILE")
    made = sharding.merged(parts, broken=broken)
    if not chosen["as_json"]:
        for report in made.reports:
            smoking.tell(session.console, report)
    status = written(session, made.reports, chosen)
    for name in made.missing:
        session.console.fail(f"shard {name} has no result: run it again, and merge once more")
    return 1 if broken else status


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    context = click.get_current_context()
    for name in chosen:
        source = context.get_parameter_source(name)
        if name not in _GOES and source is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--merge does not go with --{name.removesuffix('s')}")


def _part(session: Session, name: str) -> Part:
    """What one machine said.

    Raises:
        InputError: the file is not there, or not whole.
    """
    path = os.path.join(session.here, os.path.expanduser(name))
    data = files.read_bytes(path, label=name)
    if not data.strip():
        raise InputError(f"{name} is empty: its shard did not come to its end")
    try:
        return Part(label=name, reports=typed.decode(data, _File).reports)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is cut, or no result of smoke --json: {error}") from None
