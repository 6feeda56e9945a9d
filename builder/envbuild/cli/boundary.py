"""The one place that catches errors, says them, and gives the exit status."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

import envbuild
from envbuild.cli.console import NobodyReadsError, lead_nowhere
from envbuild.errors import EnvbuildError, InputError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from envbuild.cli.console import Console
    from envbuild.cli.main import Session
    from envbuild.workspace import Workspace

_LIBRARIES = (
    "click",
    "conda-lock",
    "google-re2",
    "jinja2",
    "jsonschema",
    "msgspec",
    "packaging",
    "py-rattler",
    "pyyaml",
    "uv",
)
"""What a bug report names the versions of."""

_LAST_LINES = 40
"""Lines of a failed program's output that are shown without ``--verbose``."""

_REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What the system answers when a stream cannot be written; a file's error has a file name."""


def open_streams() -> None:
    """A standard stream that the caller closed (``>&-``) leads nowhere.

    Left closed, the next file that is opened would take its number, and be written to by whoever
    means the stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # in the order of their numbers: each gets its own
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def guarded(group: click.Group, arguments: list[str], session: Session) -> int:
    """Run a command line; its exit status. Every error is said here and nowhere else."""
    try:
        status = _run(group, arguments, session)
    except (BrokenPipeError, NobodyReadsError):
        status = 0  # as with ``| head``: no fault of ours, and nothing more to say
    _let_go()
    return status


def _run(group: click.Group, arguments: list[str], session: Session) -> int:
    try:
        with _ended_by_signals():
            status = group.main(
                args=arguments, prog_name="envbuild", standalone_mode=False, obj=session
            )
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(session.console)
    except click.ClickException as error:
        return _usage(error, session.console)
    except EnvbuildError as error:
        return _expected(error, session.console, hint=_hint(error, session))
    except (BrokenPipeError, NobodyReadsError):
        raise
    except OSError as error:
        if error.errno in _REFUSED and error.filename is None:
            return _unwritable(error, session.console)
        return _unexpected(error, arguments, session)
    except Exception as error:  # noqa: BLE001 (the boundary: whatever is left is a bug of ours)
        return _unexpected(error, arguments, session)
    return status if isinstance(status, int) else 0


def source_lines(workspace: Workspace, label: str) -> list[str]:
    """The lines of a file by the name that messages call it by; none if it has no text."""
    from envbuild.tools import files

    try:
        return files.read_text(workspace.locate(label)).splitlines()
    except EnvbuildError:
        return []


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the command as Ctrl-C does, so that no child process outlives it."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signals = (signal.SIGTERM, signal.SIGHUP)
    before = {sign: signal.getsignal(sign) for sign in signals}
    for sign, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup
            signal.signal(sign, interrupt)
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _interrupted(console: Console) -> int:
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)  # what follows takes seconds and must come to its end
    from envbuild.tools import proc, rattler

    rattler.stop_all()
    proc.stop_all()
    console.fail("interrupted: nothing is half written")
    return 130


def _usage(error: click.ClickException, console: Console) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        console.always(error.message)
        return error.exit_code
    near = getattr(error, "possibilities", None)
    message = error.message if near else error.format_message().splitlines()[0]
    message = message.removesuffix(" Choose from:").rstrip(".")
    console.fail(f"{message[:1].lower()}{message[1:]}")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if near:
        console.hint(f"did you mean {' or '.join(sorted(near))}?")
    elif context:
        console.hint(f"{context.command_path} --help")
    return 2


def _hint(error: EnvbuildError, session: Session) -> str | None:
    """The hint of an error, with what only the workspace can tell."""
    if not isinstance(error, InputError) or error.problems:
        return error.hint
    from envbuild.cli import misnamed

    return misnamed.hint(error, session)


def _expected(error: EnvbuildError, console: Console, *, hint: str | None) -> int:
    problems = error.problems if isinstance(error, InputError) else ()
    for problem in problems:
        console.problem(problem)
    if len(problems) == 1 and problems[0].message in error.message:
        return error.exit_code
    console.fail(error.message)
    if isinstance(error, ToolError):
        _tool_output(error, console)
    console.hint(hint)
    return error.exit_code


def _tool_output(error: ToolError, console: Console) -> None:
    from envbuild.tools import proc

    lines = proc.masked(error.output).splitlines()
    shown = lines if console.volume > 0 else lines[-_LAST_LINES:]
    if error.command:
        console.say(f"  command: {error.command}")
    if len(shown) < len(lines):
        console.say(f"  | … {len(lines) - len(shown)} lines before (all with --verbose)")
    for line in shown:
        console.say(f"  | {line}")


def _unwritable(error: OSError, console: Console) -> int:
    """stdout leads to a full device, or to one that cannot be written: what was asked for is
    lost."""
    from envbuild.tools.trouble import cannot_write

    lost = cannot_write("the output", error)
    return _expected(lost, console, hint=lost.hint)


def _let_go() -> None:
    """What a stream still holds and cannot write is dropped, so that Python does not try again
    when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            lead_nowhere(stream)


def _unexpected(error: Exception, arguments: list[str], session: Session) -> int:
    import shlex
    import traceback

    from envbuild.tools import proc
    from envbuild.tools.turns import private_folder

    report = proc.masked(
        f"{versions()}\n\nenvbuild {shlex.join(arguments)}\n\n"
        f"{''.join(traceback.format_exception(error))}"
    )
    console = session.console
    try:
        path = _free_name(private_folder(session.root))
        with open(path, "w", encoding="utf-8") as file:
            file.write(report)
    except OSError:
        console.say(report)
        path = "the lines above"
    last = traceback.format_exception_only(error)[-1].strip()
    console.fail(f"this is a bug in envbuild: {proc.masked(last)}")
    console.hint(f"please report it with {path}")
    return 4


def versions() -> str:
    """envbuild, its libraries and the platform with their versions, on one line."""
    import platform
    from importlib.metadata import PackageNotFoundError, version  # 76 ms

    found = [f"envbuild {envbuild.__version__}", f"Python {platform.python_version()}"]
    for name in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join((*found, f"{platform.system()} {platform.machine()}"))


def _free_name(folder: str) -> str:
    number = 1
    while os.path.exists(path := os.path.normpath(f"{folder}/report-{number}.txt")):
        number += 1
    return path
