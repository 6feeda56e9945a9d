"""Containers: run to their end, and removed by their own id in every case; and what is in one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

import msgspec

from envbuild.engines import calling
from envbuild.engines.calling import LONG, MINUTES, call, failed
from envbuild.engines.model import Engine, Mount, RunRequest
from envbuild.errors import InputError, ToolError
from envbuild.tools import files, interrupts, orphans, proc, temporary
from envbuild.tools.proc import Command, Outcome, Runner

_OWN_FAILURE = 125
"""The exit code of podman and docker when they fail themselves, before the program runs."""

_OWN_WORDS = re.compile(r"^(Error: |docker: |time=\S+ level=(error|fatal))", re.MULTILINE)
_GONE = re.compile(r"no such container|already in progress|no container with", re.IGNORECASE)


def command(
    engine: Engine, request: RunRequest, *, cidfile: str | None = None, signals: bool = True
) -> tuple[str, ...]:
    """The command line that runs a container, removed when it ends. Pure.

    For who hands the terminal over and cannot remove anything afterwards. ``cidfile`` is where
    the engine writes the container's id; ``signals`` hands those that the engine is sent on to
    the program. Nothing is fetched: the image must be there.

    Raises:
        InputError: something of the request cannot stand in a command line.
        ToolError: the engine cannot run containers.
    """
    if not engine.capabilities.runs:
        raise _cannot(engine)
    return (
        *engine.program,
        *engine.global_options,
        "run",
        "--rm",
        "--pull=never",
        "--stop-timeout=0",
        f"--network={request.network}",
        *([f"--name={request.name}"] if request.name else []),
        *([f"--cidfile={cidfile}"] if cidfile else []),
        *([] if signals else ["--sig-proxy=false"]),
        *_own(engine, request),
        *engine.run_options,
        *_inside(request),
        calling.reference(request.image),
        *request.command,
    )


def run(
    engine: Engine, request: RunRequest, *, runner: Runner, environ: Mapping[str, str]
) -> Outcome:
    """Run a container to its end, or to its timeout; it is gone when this returns or raises.

    The outcome is that of the container's program: its exit code, its two streams. To the name
    asked for some letters are added, so that no other container can have it. What must end is
    killed with its container at once: the first process of a container ignores the signals that
    it does not handle, and a program that waits for a GPU handles none.

    Raises:
        InputError: something of the request cannot stand in a command line.
        ToolError: the engine cannot run containers, could not start this one or not remove it.
    """
    name = f"{request.name or 'envbuild'}-{secrets.token_hex(6)}"
    program = "\n".join((*engine.program, *engine.global_options))
    with temporary.scratch({"program": program, "name": name}) as folder:
        cidfile = f"{folder}/id"
        whole = msgspec.structs.replace(request, name=name)
        argv = command(engine, whole, cidfile=cidfile, signals=False)
        variables = calling.environment(engine, environ)
        try:
            outcome = runner(Command(argv=argv, environment=variables, timeout=request.timeout))
        except BaseException:
            # What has interrupted us is what is told; the removal does its best.
            _remove(engine, name, cidfile=cidfile, runner=runner, environ=environ)
            raise
        removal = _remove(engine, name, cidfile=cidfile, runner=runner, environ=environ)
    if outcome.missing or (outcome.code == _OWN_FAILURE and _OWN_WORDS.search(outcome.stderr)):
        raise failed(engine, f"run a container of {request.image}", outcome)
    if removal.code and not _GONE.search(removal.stderr):
        raise failed(engine, f"remove the container {name}", removal)
    return outcome


def export(
    engine: Engine, container: str, *, path: str, runner: Runner, environ: Mapping[str, str]
) -> None:
    """Write what is in a container (its name or id), running or not, to a new tar.

    What is mounted into it, as volumes are, is not part of that.

    Raises:
        InputError: there is no such container, or its name could be taken for an option.
        ToolError: the engine cannot do that, or failed.
    """
    if " " in calling.plain(container, "container"):
        raise InputError(f"{container!r} is no container: it holds a blank")
    if engine.name == "buildah":
        raise ToolError(
            "buildah cannot export containers",
            hint="install podman, or name the image: buildah's images can be examined",
        )
    argv = ("export", f"--output={path}", container)
    outcome = call(engine, argv, runner=runner, environ=environ, timeout=LONG)
    if outcome.code and _GONE.search(outcome.stderr):
        raise InputError(
            f"{engine.name} has no container {container!r}",
            hint=f"`{engine.name} ps --all` lists those that are there",
        )
    if outcome.code:
        raise failed(engine, f"export the container {container}", outcome)


def _cannot(engine: Engine) -> ToolError:
    if engine.name == "buildah":
        return ToolError(
            "buildah builds images and does not run them",
            hint="install podman: it runs what buildah has built, from the same storage",
        )
    return ToolError(f"{engine.name} cannot run containers here: {engine.capabilities.trouble}")


def _remove(
    engine: Engine, name: str, *, cidfile: str, runner: Runner, environ: Mapping[str, str]
) -> Outcome:
    """Remove by the id that the engine has written, else (it was ended before) by our own name."""
    identity = (files.read_if_exists(cidfile) or b"").decode().strip()

    def clean(removal: Command) -> Outcome:
        outcome = runner(removal)
        return proc.clean(removal) if outcome.stopped else outcome

    argv = ("rm", "--force", "--volumes", identity or name)
    with interrupts.held():
        return call(engine, argv, runner=clean, environ=environ, timeout=2 * MINUTES)


def forget_killed(*, runner: Runner, environ: Mapping[str, str]) -> None:
    """Remove the containers of :func:`run` whose process was killed, with all other temporary
    folders of such. One that cannot be removed stays."""

    def remove(folder: str) -> None:
        program, name, identity = (
            (files.read_if_exists(f"{folder}/{one}") or b"").decode().strip()
            for one in ("program", "name", "id")
        )
        if program and name:
            argv = (*program.split("\n"), "rm", "--force", "--volumes", identity or name)
            variables = tuple(sorted(environ.items()))
            runner(Command(argv=argv, environment=variables, timeout=2 * MINUTES))
            orphans.end_container(identity)

    temporary.forget_killed(remove)


def _own(engine: Engine, request: RunRequest) -> tuple[str, ...]:
    """What the two engines say in different words."""
    if engine.name == "docker":
        return ("--gpus=all",) if request.gpus else ()
    return (
        *(["--http-proxy=false"] if request.network == "none" else []),
        # SELinux refuses files and devices of this machine; docker's own packages leave it off.
        *(["--security-opt=label=disable"] if request.gpus or request.mounts else []),
        *(["--device=nvidia.com/gpu=all"] if request.gpus else []),
    )


def _inside(request: RunRequest) -> tuple[str, ...]:
    terminal = ["--interactive", *(["--tty"] if request.terminal else [])]
    return (
        *(terminal if request.interactive else []),
        *(f"--env={name}={value}" for name, value in request.environment),
        *(f"--mount={_mount(one)}" for one in request.mounts),
        *([f"--user={request.user}"] if request.user is not None else []),
        *([f"--workdir={request.workdir}"] if request.workdir is not None else []),
        *([f"--memory={request.memory}"] if request.memory is not None else []),
        *([f"--entrypoint={request.entrypoint}"] if request.entrypoint is not None else []),
    )


def _mount(mount: Mount) -> str:
    for path in (mount.source, mount.target):
        if any(sign in path for sign in ',"\n'):
            raise InputError(
                f"{path!r} cannot be mounted into a container",
                hint="engines take no comma and no quote in such a path",
            )
    access = "" if mount.writable else ",readonly"
    return f"type=bind,source={mount.source},target={mount.target}{access}"
