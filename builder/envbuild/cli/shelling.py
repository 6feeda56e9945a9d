"""The terminal handed over to a container."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from msgspec.structs import replace

from envbuild.engines import calling, containers
from envbuild.errors import ToolError
from envbuild.smoke import asking, planning, running

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.engines.model import Engine, RunRequest
    from envbuild.smoke.asking import Job


def shell(session: Session, job: Job) -> int:
    """A shell in the image as the probes see it: mounts, variables, user, network."""
    intent = planning.intent(asking.question(job, asking.image_facts(job)))
    place = os.path.abspath(job.place)
    running.prepare(intent, place)
    request = running.request(intent, asking.scene(job))
    start = " ".join(request.command)
    session.console.say(f"the probes are started with: {start}")
    session.console.say(f"what they write: {place}/out")
    asked = replace(
        request, command=("/bin/sh",), interactive=True, terminal=sys.stdin.isatty(), timeout=0.0
    )
    return hand_over(job.tools.engine, asked)


def hand_over(engine: Engine, request: RunRequest) -> int:
    """Become the engine that runs a container: this process is then the user's.

    Raises:
        ToolError: the engine cannot be started.
    """
    argv = containers.command(engine, request)
    environment = dict(calling.environment(engine, os.environ))
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and the engine would too
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 (no shell; the terminal goes along)
    except OSError as error:
        raise ToolError(f"{argv[0]} cannot be started: {error.strerror}") from None
