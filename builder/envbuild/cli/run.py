"""``envbuild run``: a command in a built image, as the profile would start it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from envbuild.cli import common, shelling, smoking
from envbuild.engines.model import RunRequest
from envbuild.errors import InputError
from envbuild.smoke import asking, choosing, launching
from envbuild.tools import files, proc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.main import Session
    from envbuild.engines.model import Mount
    from envbuild.smoke.asking import Job
    from envbuild.smoke.machine import Machine


@click.command("run")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- CMD...]")
@click.option("--variant", metavar="NAME", help="This one; else the first for this machine.")
@click.option("--image", metavar="REF", help="This image; else the one that was built here.")
@common.engine_option(help="Who runs the container.")
@click.option("--mount", multiple=True, metavar="SRC:DST[:rw]", help="A folder in the container.")
@click.option("--env", "env", multiple=True, metavar="K=V", help="A variable in the container.")
@click.option("--workdir", metavar="DIR", help="Where the command starts; else the profile's.")
@click.option("--no-gpu", is_flag=True, help="Without the GPUs of this machine.")
@click.option("--network", type=click.Choice(["none", "host"]), default="host", show_default=True)
@click.pass_obj
def command(session: Session, /, profile: str, words: tuple[str, ...], **chosen: object) -> int:
    """Run CMD in the built image of PROFILE; its exit status is the command's.

    What begins with python, with a .py file, -m or -c is started by the profile's interpreter
    (python.sh of Isaac Sim); anything else runs as it is written. No entrypoint of the image can
    take it for arguments. Without CMD the image's own entrypoint and command run.
    """
    found = session.workspace.profiles()
    resolved = common.chosen(found, (profile,))[profile]
    target = choosing.target(
        session.workspace,
        resolved,
        variant=_text(chosen["variant"]),
        image=_text(chosen["image"]),
    )
    wishes = asking.Wishes(
        environment=smoking.variables(_words(chosen["env"]), os.environ),
        mounts=smoking.mounts(_words(chosen["mount"]), session.here),
        gpus=not chosen["no_gpu"],
    )
    engine = choosing.engine(str(chosen["engine"]), (target,), runner=proc.run, environ=os.environ)
    tools = asking.tools(engine, runner=proc.run, environ=dict(os.environ))
    job = asking.Job(target=target, tools=tools, wishes=wishes, place="")
    asking.image_facts(job)
    environment = target.variant.environment
    if words and any(test.launch != "none" for test in environment.smoke):
        _warn_of_order(
            session, words, wishes.mounts, _text(chosen["workdir"]) or environment.workdir
        )
    _tell_of_gpus(session, tools.machine, wanted=wishes.gpus)
    return shelling.hand_over(engine, _request(job, words, chosen))


def _request(job: Job, words: tuple[str, ...], chosen: Mapping[str, object]) -> RunRequest:
    wishes, environment = job.wishes, job.target.variant.environment
    return RunRequest(
        image=job.target.image,
        command=launching.command(words, environment) if words else (),
        entrypoint="" if words else None,
        environment=wishes.environment,
        mounts=wishes.mounts,
        network="host" if chosen["network"] == "host" else "none",
        gpus=bool(job.tools.machine.gpus) and wishes.gpus,
        workdir=_text(chosen["workdir"]),
        interactive=True,
        terminal=smoking.terminal(),
    )


def _warn_of_order(
    session: Session, words: tuple[str, ...], mounts: tuple[Mount, ...], workdir: str
) -> None:
    """Say what a program of this machine imports before it starts its simulator."""
    name = launching.script(words)
    path = _on_this_machine(os.path.join(workdir, name), mounts) if name else ""
    if not path:
        return
    try:
        text = files.read_text(path)
    except InputError:
        return  # the program will say itself what is wrong with its file
    for line, module in launching.early(text):
        session.console.fail(
            f"{name}:{line}: {module} is imported before the simulator is started", kind="warning"
        )
        session.console.hint("start SimulationApp or AppLauncher first, then import the rest")
        return


def _on_this_machine(path: str, mounts: tuple[Mount, ...]) -> str:
    """Where a file of the container lies here, if it is mounted; empty if not."""
    for mount in mounts:
        if path == mount.target:
            return mount.source
        if path.startswith(f"{mount.target.rstrip('/')}/"):
            inside = path[len(mount.target.rstrip("/")) + 1 :]
            return os.path.join(mount.source, inside)
    return ""


def _tell_of_gpus(session: Session, machine: Machine, *, wanted: bool) -> None:
    if machine.gpus and wanted:
        names = ", ".join(dict.fromkeys(one.name or "a GPU" for one in machine.gpus))
        session.console.say(f"with {names}")
    elif wanted:
        session.console.say(f"without a GPU: {machine.why}")
    sys.stderr.flush()


def _text(value: object) -> str | None:
    return str(value) if value else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()
