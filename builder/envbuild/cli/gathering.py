"""What a bug report should hold beside doctor's answer: versions, profiles, locks, logs."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from envbuild.cli import boundary
from envbuild.errors import EnvbuildError, InputError
from envbuild.report import support
from envbuild.report.masking import Known
from envbuild.report.support import Piece
from envbuild.tools import files
from envbuild.tools.proc import Command, Runner
from envbuild.tools.turns import PRIVATE

if TYPE_CHECKING:
    from envbuild.workspace import Workspace

_TOOLS = (
    ("podman", "--version"),
    ("buildah", "--version"),
    ("docker", "--version"),
    ("docker", "buildx", "version"),
    ("git", "--version"),
    ("nvidia-ctk", "--version"),
    ("nvidia-smi", "--query-gpu=name,driver_version,compute_cap,memory.total", "--format=csv"),
)
"""Programs whose versions matter; one that is not there is said to be missing."""

_SECONDS = 15.0
_LOGS = (".log", ".log.1", ".txt", ".json")
"""How the names of files end that envbuild keeps of builds, smoke tests and its own faults."""


def versions(runner: Runner, environ: Mapping[str, str]) -> Piece:
    """envbuild, its libraries, the programs that it uses, and the machine."""
    lines = [boundary.versions(), _system(), ""]
    for argv in _TOOLS:
        command = Command(argv=argv, environment=tuple(environ.items()), timeout=_SECONDS)
        outcome = runner(command)
        said = (outcome.stdout or outcome.stderr).strip()
        told = "not installed" if outcome.missing else said or f"status {outcome.code}"
        lines.append(f"$ {command.text()}\n{told}\n")
    return Piece(path="versions.txt", text="\n".join(lines), what="programs and the machine")


def _system() -> str:
    release = ""
    try:
        release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        release = "(no os-release)"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return (
        f"{release}, Linux {platform.release()}, {' '.join(platform.libc_ver())}, "
        f"{os.cpu_count()} cores, {memory} MiB of memory"
    )


def profiles(workspace: Workspace, names: Iterable[str]) -> Iterator[Piece]:
    """Each profile as it is written, and all of its lock.

    Without names: every profile of which the workspace has a lock.

    Raises:
        InputError: there is no such profile.
    """
    found = workspace.profiles()
    wanted = tuple(names)
    for name in wanted:
        if name not in found.sources:
            raise InputError(f"there is no profile {name!r}", hint="envbuild list names them")
    for name in wanted or found.default:
        folder = workspace.path("lockfiles", name)
        if wanted or os.path.isdir(folder):
            text = found.sources[name].text
            yield Piece(path=f"profiles/{name}.yaml", text=text, what="a profile")
            yield from _lock(folder, name)


def _lock(folder: str, name: str) -> Iterator[Piece]:
    for path in _below(folder):
        inner = os.path.relpath(path, folder)
        yield from _piece(path, f"lockfiles/{name}/{inner}", "its lock")


def logs(workspace: Workspace) -> Iterator[Piece]:
    """What envbuild keeps of the last builds, smoke tests, and of its own faults."""
    folder = workspace.path(PRIVATE)
    for path in _below(folder):
        if path.endswith(_LOGS) and "/stamps/" not in path:
            yield from _piece(path, f"kept/{os.path.relpath(path, folder)}", "what envbuild kept")


def named_logs(paths: Iterable[str], here: str) -> Iterator[Piece]:
    """Logs that the user names.

    Raises:
        InputError: one cannot be read.
    """
    for path in paths:
        whole = os.path.join(here, os.path.expanduser(path))
        text = support.end_of(files.read_bytes(whole, label=path))
        yield Piece(path=f"logs/{os.path.basename(path)}", text=text, what="a log of yours")


def _below(folder: str) -> Iterator[str]:
    for place, inner, names in os.walk(folder):
        inner.sort()
        yield from (f"{place}/{name}" for name in sorted(names))


def _piece(path: str, name: str, what: str) -> Iterator[Piece]:
    """The end of a file; a file that cannot be read is said to be so in its place."""
    try:
        text = support.end_of(files.read_bytes(path))
    except EnvbuildError as error:
        text = f"{error.message}\n"
    yield Piece(path=name, text=text, what=what)


def known(environ: Mapping[str, str]) -> Known:
    """Who is working here, on which machine: what an archive for strangers must not say."""
    home = os.path.expanduser("~")
    users = {environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER", "USERNAME")}
    node = platform.node()
    hosts = {node, node.partition(".")[0], environ.get("HOSTNAME", "")}
    return Known(
        users=tuple(sorted(filter(None, {*users, os.path.basename(home)}))),
        homes=(home, os.path.realpath(home)),
        hosts=tuple(sorted(filter(None, hosts))),
        variables=dict(environ),
    )
