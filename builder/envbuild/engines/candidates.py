"""The programs on PATH that may be engines, and what they say of themselves."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from envbuild.engines import probe
from envbuild.engines.calling import last_line
from envbuild.tools import typed
from envbuild.tools.proc import Command, Runner

Name = Literal["podman", "buildah", "docker"]

_SECONDS = 60.0
"""To say a version; a daemon that is just starting takes some."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A program that answers. ``architecture`` is that of where it runs containers."""

    name: Name
    path: str
    version: str
    architecture: str


class Refusal(Struct, frozen=True, kw_only=True):
    """Why something is no engine here, as the end of a sentence, and the way out."""

    who: str
    why: str
    hint: str


INSTALL: Mapping[Name, str] = {
    "podman": "install podman, which needs no daemon",
    "buildah": "install buildah, or podman, which also runs images",
    "docker": "install docker with its plugin buildx, or podman, which needs no daemon",
}


def programs(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Every program of a name on PATH, in its order, each but once."""
    seen = set()
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        if folder and real not in seen and os.path.isfile(real) and os.access(real, os.X_OK):
            seen.add(real)
            yield path


def ask(
    name: Name, path: str, *, runner: Runner, environ: Mapping[str, str]
) -> Candidate | Refusal:
    """What a program says it is, or why it is no engine."""
    if name == "docker":
        return _docker(path, runner=runner, environ=environ)
    outcome = runner(
        Command(argv=(path, "--version"), environment=tuple(environ.items()), timeout=_SECONDS)
    )
    match = re.search(r"version (\S+)", outcome.stdout)
    if outcome.code or not match:
        why = last_line(outcome.stderr) or f"exit code {outcome.code}"
        return Refusal(
            who=f"{name} ({path})",
            why=f"does not say its version: {why}",
            hint=f"repair the installation of {name}",
        )
    return _known(name, path, match[1], platform.machine())


def _docker(path: str, *, runner: Runner, environ: Mapping[str, str]) -> Candidate | Refusal:
    who = f"docker ({path})"
    outcome = runner(
        Command(
            argv=(path, "version", "--format", "{{json .}}"),
            environment=tuple(environ.items()),
            timeout=_SECONDS,
        )
    )
    try:
        said = typed.decode(outcome.stdout, dict[str, Any])
    except msgspec.MsgspecError:
        said = {}
    client, server = said.get("Client") or {}, said.get("Server") or {}
    if "APIVersion" in client or "podman" in outcome.stderr.lower():
        return Refusal(
            who=who,
            why="is podman under docker's name",
            hint="call it by its own name: --engine podman",
        )
    if outcome.code or not server:
        return _no_daemon(who, outcome.stderr, environ)
    version = str(client.get("Version", ""))
    if server.get("Version") != version:
        version = f"{version}, daemon {server.get('Version', '')}"
    return _known("docker", path, version, str(server.get("Arch", "")))


def _no_daemon(who: str, said: str, environ: Mapping[str, str]) -> Refusal:
    """Why docker's daemon does not answer, in plain words."""
    where = environ.get("DOCKER_HOST", "")
    asked = f" at {where}" if where else ""
    if "permission denied" in said.lower():
        return Refusal(
            who=who,
            why=f"may not talk to its daemon{asked}: permission denied",
            hint="add yourself to the group docker (sudo usermod -aG docker $USER) and log in"
            " again, or use podman, which needs no daemon",
        )
    if "cannot connect" in said.lower() or "is the docker daemon running" in said.lower():
        start = "check DOCKER_HOST" if where else "start it (sudo systemctl start docker)"
        return Refusal(
            who=who,
            why=f"finds no daemon{asked}: it is not running",
            hint=f"{start}, or use podman, which needs no daemon",
        )
    return Refusal(
        who=who,
        why=f"gets no answer from its daemon{asked}: {last_line(said) or 'it says nothing'}",
        hint="repair docker, or use podman, which needs no daemon",
    )


def _known(name: Name, path: str, version: str, machine: str) -> Candidate | Refusal:
    architecture = probe.ARCHITECTURES.get(machine)
    if architecture is None:
        return Refusal(
            who=f"{name} ({path})",
            why=f"runs on {machine or 'an unknown processor'}",
            hint="images of Isaac Sim and GR00T are for x86-64 and arm64",
        )
    return Candidate(name=name, path=path, version=version, architecture=architecture)
