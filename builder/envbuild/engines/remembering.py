"""What a probe has found, kept for a day and forgotten when anything has changed that matters."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import shutil
import time
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.engines import probe
from envbuild.engines.candidates import Candidate, Refusal
from envbuild.engines.model import Engine
from envbuild.errors import EnvbuildError
from envbuild.tools import files, typed

_DAY = 86400.0

_FORMAT = 1
"""Of what is kept; another number forgets it all."""

_PREFIXES = ("CONTAINERS_", "DOCKER_", "BUILDAH_", "BUILDX_", "BUILDKIT_", "XDG_")
_NAMES = ("HOME", "PATH", "STORAGE_DRIVER")
"""Variables that change what an engine does."""


class _Kept(Struct, frozen=True, kw_only=True):
    at: float
    engine: Engine


class Memory:
    """What is known of one candidate; nothing where there is no folder to keep it in."""

    def __init__(
        self, folder: str | None, candidate: Candidate, environ: Mapping[str, str]
    ) -> None:
        self._folder = folder
        self._name = f"{_key(candidate, environ)}.json"

    def recall(self) -> Engine | None:
        """The engine as it was found; None when that is not known any more."""
        if self._folder is None:
            return None
        try:
            data = files.read_if_exists(f"{self._folder}/{self._name}")
            kept = None if data is None else typed.decode(data, _Kept)
        except (EnvbuildError, msgspec.MsgspecError):
            return None
        age = time.time() - kept.at if kept else -1.0
        return kept.engine if kept and 0.0 <= age < _DAY else None

    def keep(self, found: Engine | Refusal) -> None:
        """Remember an engine. Refusals are asked anew each time: somebody will repair them."""
        if self._folder is None or isinstance(found, Refusal):
            return
        data = msgspec.json.encode(_Kept(at=time.time(), engine=found))
        with contextlib.suppress(EnvbuildError):  # a second each time, where nothing can be kept
            files.write_tree(self._folder, {self._name: data})


def _key(candidate: Candidate, environ: Mapping[str, str]) -> str:
    facts = {
        "format": _FORMAT,
        "program": hashlib.sha256(probe.DOCKERFILE.encode()).hexdigest(),
        "candidate": msgspec.to_builtins(candidate),
        "variables": {
            name: value
            for name, value in sorted(environ.items())
            if name in _NAMES or name.startswith(_PREFIXES)
        },
        "files": [_state(path) for path in _settings(candidate, environ)],
        "limits": [
            resource.getrlimit(resource.RLIMIT_NOFILE)[1],
            resource.getrlimit(resource.RLIMIT_NPROC)[1],
        ],
        "user": os.getuid(),
        "kernel": os.uname().release,
    }
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:32]


def _settings(candidate: Candidate, environ: Mapping[str, str]) -> Iterator[str]:
    """The programs and files that decide with the candidate what works."""
    yield os.path.realpath(candidate.path)
    home = environ.get("HOME", "/")
    if candidate.name == "docker":
        own = environ.get("DOCKER_CONFIG", f"{home}/.docker")
        for name in ("config.json", "buildx/current", "cli-plugins/docker-buildx"):
            yield f"{own}/{name}"
        for folder in ("/usr/libexec", "/usr/lib", "/usr/local/libexec", "/usr/local/lib"):
            yield f"{folder}/docker/cli-plugins/docker-buildx"
        yield "/etc/docker/daemon.json"
        return
    for runtime in ("runc", "crun", "conmon"):
        yield shutil.which(runtime, path=environ.get("PATH", os.defpath)) or runtime
    own = environ.get("XDG_CONFIG_HOME", f"{home}/.config")
    for folder in ("/usr/share/containers", "/etc/containers", f"{own}/containers"):
        yield f"{folder}/containers.conf"
        yield f"{folder}/storage.conf"
    for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"):
        yield environ.get(name, "")


def _state(path: str) -> tuple[str, int, int]:
    """A file as a name, a time and a size; zeros where it is not."""
    try:
        state = os.stat(path)
    except OSError:
        return path, 0, 0
    return path, state.st_mtime_ns, state.st_size
