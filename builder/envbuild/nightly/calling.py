"""envbuild, called by itself: each stage is a process, so that whatever ends it ends it alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from envbuild.history import cleaning
from envbuild.tools import hearing, orphans, typed
from envbuild.tools.hearing import Hearer
from envbuild.tools.proc import Command

GRACE = 20.0
"""Seconds that a stage has to end what it has started, and again before it is killed: an engine
takes up to nine to end the step of a build."""

_LEFT_OUT = ("FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "PYTHONSTARTUP", "PYTHONINSPECT")


class Own(Struct, frozen=True, kw_only=True):
    """How envbuild itself is called: the interpreter, and the whole environment of the call."""

    python: str
    environment: tuple[tuple[str, str], ...]

    def command(self, root: str, words: tuple[str, ...], timeout: float) -> Command:
        """The command for a workspace. ``-P``: a folder ``envbuild`` in the one that somebody
        stands in is not the program."""
        argv = (self.python, "-P", "-m", "envbuild", "-C", root, *words)
        return Command(argv=argv, environment=self.environment, timeout=timeout, grace=GRACE)


class Asked(Struct, frozen=True, kw_only=True):
    """A call: the workspace, the words behind ``envbuild -C ROOT``, the path of the log that its
    talk is added to, and the seconds that it may take."""

    root: str
    words: tuple[str, ...]
    log: str
    timeout: float


class Called(Struct, frozen=True, kw_only=True):
    """What came of a call.

    ``code`` is the exit status, negative for a signal. ``data`` is what its ``--json`` says, None
    where it said nothing that can be read. ``tail`` are the last lines of its talk, masked and
    printable. ``stopped``: it was not started, or ended, because this process ends.
    """

    code: int
    data: object
    seconds: float
    tail: tuple[str, ...]
    timed_out: bool = False
    stopped: bool = False


def own(environ: Mapping[str, str], *, held: str = "") -> Own:
    """This envbuild, for calls that end when this process does; each holds the file ``held`` while
    it lives."""
    kept = {name: value for name, value in environ.items() if name not in _LEFT_OUT}
    kept |= {"NO_COLOR": "1", orphans.PARENT: orphans.told(os.getpid(), held)}
    return Own(python=sys.executable, environment=tuple(sorted(kept.items())))


def call(
    ours: Own,
    asked: Asked,
    *,
    hear: Hearer = hearing.hear,
    line: Callable[[str], None] = lambda _: None,
) -> Called:
    """Call envbuild; a failure is an outcome, no exception. ``line`` hears each line of its talk,
    from another thread.

    Raises:
        ToolError: the log cannot be written.
    """
    command = ours.command(asked.root, asked.words, asked.timeout)
    heard = hear(command, asked.log, line)
    outcome = heard.outcome
    return Called(
        code=outcome.code,
        data=_data(heard.answer),
        seconds=outcome.seconds,
        tail=tuple(cleaning.lines("\n".join(heard.last).encode())) if heard.last else (),
        timed_out=outcome.timed_out,
        stopped=outcome.stopped,
    )


def _data(answer: bytes | None) -> object:
    try:
        return typed.decode(answer, object) if answer else None
    except msgspec.MsgspecError:
        return None
