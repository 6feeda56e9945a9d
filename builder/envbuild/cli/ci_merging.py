"""``envbuild ci merge``: what was said of several images, on several machines, in one report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.cli import smoking
from envbuild.errors import InputError
from envbuild.smoke.model import SmokeReport
from envbuild.tools import files, typed

if TYPE_CHECKING:
    from envbuild.cli.main import Session


class _File(Struct, frozen=True, kw_only=True):
    """What ``smoke --json`` prints, and ``ci smoke`` writes."""

    reports: tuple[SmokeReport, ...]


def merge(session: Session, names: tuple[str, ...], chosen: Mapping[str, object]) -> int:
    """One report of the files; the exit status is 1 where something failed or cannot be read.

    Raises:
        InputError: none of them can be read, or two are of one image.
    """
    from envbuild.cli.smoke import written

    found: dict[str, tuple[str, SmokeReport]] = {}
    broken = 0
    for name in dict.fromkeys(names):
        try:
            reports = _read(session, name)
        except InputError as error:
            session.console.fail(error.message)
            broken += 1
            continue
        for report in reports:
            _add(found, name, report)
    if not found:
        raise InputError("there is no report to merge", hint="envbuild ci smoke --output FILE")
    merged = [report for _, (_, report) in sorted(found.items())]
    if not chosen["as_json"]:
        for report in merged:
            smoking.tell(session.console, report)
    status = written(session, merged, chosen)
    return 1 if broken else status


def _add(found: dict[str, tuple[str, SmokeReport]], name: str, report: SmokeReport) -> None:
    target = f"{report.profile}/{report.variant}"
    other, known = found.setdefault(target, (name, report))
    if known is not report:
        raise InputError(
            f"{other} and {name} are both of {target}",
            hint="leave one of them out; parts of one image: envbuild smoke --merge",
        )


def _read(session: Session, name: str) -> tuple[SmokeReport, ...]:
    data = files.read_bytes(os.path.join(session.here, name), label=name)
    try:
        return typed.decode(data, _File).reports
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is cut, or no report: {error}") from None
