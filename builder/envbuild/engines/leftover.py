"""What killed builds leave in the storage of podman and buildah: containers of steps that nobody
finishes, each with the layer that its step was writing; and an image that was half written, with
which neither lists any image any more.

The two do not say whose such a container is, and have no command that removes those of builds
alone. What a build is asked stands in a file beside its container.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.engines.calling import MINUTES, call
from envbuild.engines.model import Engine
from envbuild.errors import InputError
from envbuild.tools import files, typed
from envbuild.tools.proc import Runner

_ASKED = "BASE_IMAGE"
"""The argument that every build of a rendered Dockerfile is given."""

_STORAGE = "CONTAINERS_STORAGE_CONF"
_BUILDERS = ("podman", "buildah", "skopeo")
_WRITING = frozenset({"build", "bud", "commit", "copy", "import", "load", "pull"})
"""The words of a command that writes an image."""

_TOLD = re.compile(r"buildah\.json|\.tmp-buildah\.json\d+")
"""The file beside a container; killed at once, it has not got its name yet."""

_WORKING = "-working-container"
"""How the names of containers end that buildah builds in."""

_HALF = re.compile(r'locating item named "manifest" for image with ID "([0-9a-f]{64})"')
_MOST = 20
"""Half written images that are removed at most."""

_PLACE = {
    "podman": ("info", "--format", "{{.Store.GraphRoot}}\n{{.Store.GraphDriverName}}"),
    "buildah": ("info", "--format", "{{.store.GraphRoot}}\n{{.store.GraphDriverName}}"),
}


class _Stored(Struct):
    """A container as the storage lists it."""

    identity: str = msgspec.field(name="id")
    names: tuple[str, ...] | None = None


class _Container(Struct):
    """What buildah writes beside a container that it builds in."""

    args: dict[str, str] | None = msgspec.field(default=None, name="Args")
    identity: str = msgspec.field(default="", name="container-id")


def remove(
    engine: Engine, *, since: float, runner: Runner, environ: Mapping[str, str], proc: str = "/proc"
) -> int:
    """Remove the containers of builds like ours that were begun after ``since`` (seconds since
    1970) and that nobody goes on with, and images that are half written; their number.

    While anything is built or fetched in this storage nothing is removed, since it may be its
    own. ``proc`` is where processes are seen.
    """
    if engine.name not in _PLACE or _building(proc, environ):
        return 0
    said = call(engine, _PLACE[engine.name], runner=runner, environ=environ)
    root, _, driver = said.stdout.strip().partition("\n")
    if said.code or not root or not driver:
        return 0
    count = 0
    for identity in _left(f"{root}/{driver}-containers", since):
        argv = ("rm", "--force", identity) if engine.name == "podman" else ("rm", identity)
        done = call(engine, argv, runner=runner, environ=environ, timeout=2 * MINUTES)
        count += done.code == 0
    return count + _half_written(engine, runner=runner, environ=environ)


def _half_written(engine: Engine, *, runner: Runner, environ: Mapping[str, str]) -> int:
    """Remove images without a manifest; their number. One that something stands on stays."""
    for count in range(_MOST):
        said = call(engine, ("images", "--quiet"), runner=runner, environ=environ)
        half = _HALF.search(said.stderr)  # it may be but a warning
        if half is None:
            return count
        gone = call(engine, ("rmi", half[1]), runner=runner, environ=environ, timeout=2 * MINUTES)
        if gone.code:
            return count
    return _MOST


def _left(folder: str, since: float) -> Iterator[str]:
    """The containers of builds like ours, and those that were killed before anything was written
    of what they are for, which nobody can go on with."""
    unborn = _working(f"{folder}/containers.json")
    for name in files.names(folder, label=folder):
        inner = f"{folder}/{name}/userdata"
        try:
            there = files.names(inner, label=inner)
            told = [one for one in there if _TOLD.fullmatch(one)]
            path = f"{inner}/{told[-1]}" if told else inner
            late = os.stat(path).st_mtime >= since
            if told:
                found = typed.decode(files.read_if_exists(path) or b"", _Container)
                ours = found.identity == name and _ASKED in (found.args or {})
            else:
                ours = not there and name in unborn
        except (InputError, msgspec.MsgspecError, OSError):
            continue
        if late and ours:
            yield name


def _working(path: str) -> frozenset[str]:
    """The containers of the storage that are named as those of builds."""
    try:
        stored = typed.decode(files.read_if_exists(path) or b"[]", tuple[_Stored, ...])
    except (InputError, msgspec.MsgspecError):
        return frozenset()
    return frozenset(
        one.identity for one in stored if any(name.endswith(_WORKING) for name in one.names or ())
    )


def _building(proc: str, environ: Mapping[str, str]) -> bool:
    """Whether podman or buildah writes an image at this moment, for whomever; one that was told
    of another storage is none of ours."""
    ours = environ.get(_STORAGE, "")
    for name in filter(str.isdigit, files.names(proc, label=proc)):
        words = _words(f"{proc}/{name}/cmdline")
        if not (os.path.basename(words[0]) in _BUILDERS and _WRITING & set(words)):
            continue
        told = dict(word.partition("=")[::2] for word in _words(f"{proc}/{name}/environ"))
        if told.get(_STORAGE, "") == ours or "" in told:
            return True
    return False


def _words(path: str) -> list[str]:
    """The words of a file of a process; one that is empty where it has ended or is not ours."""
    try:
        data = files.read_if_exists(path) or b""
    except InputError:
        data = b""
    return data.removesuffix(b"\0").decode("utf-8", "replace").split("\0")
