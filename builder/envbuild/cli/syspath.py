"""What an interpreter itself says of where it looks: the one thing that doctor ever runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import msgspec

from envbuild.errors import InputError, ToolError
from envbuild.tools import proc
from envbuild.tools.proc import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from envbuild.scan.model import Start
    from envbuild.scan.starting.places import Places

_SECONDS = 60.0
"""How long an interpreter may take to say its sys.path; python.sh of Isaac Sim takes one."""

_MARK = "envbuild sys.path: "
_CODE = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    f"import json; print({_MARK!r} + json.dumps(sys.path))"
)
"""What an interpreter is asked. Nothing is imported from where it is started, whose empty path goes
first; a launcher may say something before the answer."""


def asked(found: Places, say: Callable[[str], None]) -> Start:
    """How the interpreter starts that was named, or the one of the folder: what it says its
    sys.path is, in the environment of the user's shell.

    Raises:
        InputError: no interpreter is there.
        ToolError: it fails, hangs, or says something else.
    """
    program = found.start.executable or _program(found)
    say(f"running {program} -c, to ask for its sys.path: its start-up code runs")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # nothing is to be written
    command = Command(
        argv=(program, "-c", _CODE), environment=tuple(environment.items()), timeout=_SECONDS
    )
    done = proc.run(command)
    last = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    try:
        said = json.loads(last[-1].removeprefix(_MARK)) if last and not done.code else None
    except ValueError:
        said = None
    if not isinstance(said, list):
        why = f"no answer after {_SECONDS:.0f} s" if done.timed_out else f"exit code {done.code}"
        raise ToolError(
            f"{program} does not say its sys.path: {why}",
            hint="without --run the files say it",
            command=command.text(),
            output=done.stderr,
        )
    return msgspec.structs.replace(found.start, executable=program, path=tuple(map(str, said)))


def _program(found: Places) -> str:
    """The launcher or interpreter of a folder."""
    top = found.roots[0] if found.roots else ""
    names = ("python.sh", "bin/python", "bin/python3")
    program = next((one for name in names if os.access(one := f"{top}/{name}", os.X_OK)), "")
    if not program:
        raise InputError(f"{found.label} has no interpreter to run", hint="--python EXE names it")
    return program
