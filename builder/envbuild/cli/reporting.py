"""A night of a history in all its forms, and the folder that they are written to."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

import envbuild
from envbuild.errors import EnvbuildError, InputError
from envbuild.history import blobs, judging, opening
from envbuild.report import plain
from envbuild.report.nightly import forms, junit, markdown, sarif
from envbuild.tools import files, garbage, proc, turns
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envbuild.cli.main import Session
    from envbuild.history.model import Night
    from envbuild.history.store import History

DEFAULT = f"{turns.PRIVATE}/report"
"""The folder of the report in a workspace, where the user names none."""

PAGE = "index.html"
_WRITTEN = ".envbuild-report"
"""What the report before has written, one path a line: of these alone some are removed."""

_ROOM = 64 << 20
"""Bytes that the logs beside a page may take where nothing of them failed."""

_LOG = re.compile(r"logs/[0-9a-f]{64}\.txt")


class Shown(Struct, frozen=True, kw_only=True):
    """The night that is shown, among all of the history.

    ``parts`` are the nights as they are kept, ``nights`` one for each name, ``broken`` what cannot
    be read.
    """

    parts: tuple[Night, ...]
    nights: tuple[Night, ...]
    night: Night
    broken: tuple[str, ...]


def history(session: Session, place: str | None) -> History:
    """The history that the command line names, or the workspace's own."""
    root = session.workspace.root
    return opening.opened(place or "", root, os.environ, proc.run, here=session.here)


def shown(history: History, name: str = "") -> Shown:
    """The night of a name or an id; the newest without one.

    Raises:
        InputError: the history holds no night, or not this one.
    """
    kept = history.nights()
    nights = judging.together(kept.nights)
    if not nights:
        hint = kept.broken[0] if kept.broken else "envbuild nightly makes the first one"
        raise InputError(f"{history.place} holds no night that can be read", hint=hint)
    found = nights[-1] if not name else _named(kept.nights, nights, name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name, [one.name for one in nights], n=1)
        last = near[0] if near else nights[-1].name
        hint = f"did you mean {last}?" if near else f"the newest is {last}"
        raise InputError(f"{history.place} holds no night {name!r}", hint=hint)
    return Shown(parts=kept.nights, nights=nights, night=found, broken=kept.broken)


def _named(parts: Sequence[Night], nights: Sequence[Night], name: str) -> Night | None:
    whole = next((one.name for one in parts if one.id == name), name)
    return next((one for one in nights if one.name == whole), None)


# --- The forms -----------------------------------------------------------------------------------


def form(told: Shown) -> forms.ReportForm:
    """The night as data."""
    return forms.report(told.nights, told.night, broken=told.broken, version=envbuild.__version__)


def as_sarif(session: Session, told: Shown) -> bytes:
    """The night as SARIF."""
    try:
        labels: Mapping[str, str] = session.workspace.profiles().labels
    except EnvbuildError as error:  # a night is reported whatever became of the workspace
        session.console.fail(error.message, kind="warning")
        labels = {}
    log = sarif.log(told.night, labels, version=envbuild.__version__)
    return f"{plain.as_json(log)}\n".encode()


def write(session: Session, history: History, told: Shown, output: str | None = None) -> str:
    """Write the page and everything beside it into a folder, all or nothing; the page's path.

    Without ``output`` it is :data:`DEFAULT`. Of what an earlier report has written there, what
    this one has not is removed; nothing else is.

    Raises:
        InputError: the folder holds files of these names that no report has written.
        ToolError: it cannot be written.
    """
    folder = _folder(session, output)
    logs = _logs(history, told.night)
    with garbage.paused():
        new = {
            PAGE: _page(told, logs),
            "report.json": f"{plain.as_json(form(told))}\n".encode(),
            "junit.xml": junit.junit(told.night),
            "report.sarif": as_sarif(session, told),
            "summary.md": markdown.summary(told.night).encode(),
            **{_address(digest): data for digest, data in logs.items()},
        }
    old = _before(folder, new)
    new[_WRITTEN] = "".join(f"{path}\n" for path in sorted(new)).encode()
    files.write_tree(folder, new, remove=old - new.keys())
    return os.path.normpath(f"{folder}/{PAGE}")


def _page(told: Shown, logs: Mapping[str, bytes]) -> bytes:
    from envbuild.report.nightly import page, view

    addresses = {digest: _address(digest) for digest in logs}
    return page.page(view.view(told.parts, shown=told.night.name, logs=addresses)).encode()


def _folder(session: Session, output: str | None) -> str:
    if output is not None:
        folder = os.path.normpath(os.path.join(session.here, os.path.expanduser(output)))
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(f"{output} is not a folder", hint="name one that is not there yet")
        return folder
    try:
        return turns.private_folder(session.workspace.root, os.path.basename(DEFAULT))
    except OSError as error:
        raise cannot_write(session.workspace.path(DEFAULT), error) from None


def _before(folder: str, new: Mapping[str, bytes]) -> set[str]:
    """The logs that an earlier report has written.

    Raises:
        InputError: what stands there was written by no report.
    """
    files.recover(folder)
    told = files.read_if_exists(f"{folder}/{_WRITTEN}")
    if told is None:
        foreign = [name for name in sorted(new) if os.path.lexists(f"{folder}/{name}")]
        if foreign:
            raise InputError(
                f"{folder} holds {foreign[0]}, which no report has written",
                hint="name a folder for the report alone: -o DIR",
            )
        return set()
    return {path for path in told.decode("utf-8", "replace").split("\n") if _LOG.fullmatch(path)}


def _logs(history: History, night: Night) -> dict[str, bytes]:
    """The logs of a night that are kept and whole, by digest: those of what failed, and of the
    rest as many as there is room for, the small ones first."""
    stages = [one for one in forms.stages(night) if one.log]
    failed = history.blobs(dict.fromkeys(one.log for one in stages if one.status == "fail"))
    room = _ROOM - sum(map(len, failed.values()))
    others: dict[str, None] = {}
    for one in sorted(stages, key=lambda stage: stage.log_size):
        if one.log not in failed and one.log not in others:
            room -= min(one.log_size, blobs.HEAD + blobs.TAIL)
            if room < 0:
                break
            others[one.log] = None
    return {**failed, **history.blobs(others)}


def _address(digest: str) -> str:
    return f"logs/{digest.removeprefix('sha256:')}.txt"
