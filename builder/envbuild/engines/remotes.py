"""A builder of buildx that stands somewhere, as an engine: who builds, and who keeps the image.

``docker buildx create`` knows them by name: BuildKit in a container of another machine, in
Kubernetes, at an address, or another docker. They read the Dockerfile; the image comes back as an
archive for the engine of this machine, or goes to a registry where none is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from envbuild.engines import calling, candidates, finding, probe, probing, remembering
from envbuild.engines.candidates import Candidate, Refusal
from envbuild.engines.inspecting import inspect
from envbuild.engines.model import Capabilities, Engine, Remote
from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Command, Runner

_SECONDS = 60.0
"""For buildx to say its version."""

_KEEPERS = ("docker", "podman")
"""The engines that can take an image from an archive, the first that works."""


def find(
    name: str,
    wanted: str,
    environ: Mapping[str, str],
    runner: Runner,
    *,
    cache: str | None = None,
) -> Engine:
    """The engine that builds by a builder of buildx, and keeps its images by an engine of this
    machine: ``wanted`` (``docker``, ``podman``), or the first that works (``auto``).

    What the builder can do is found by a build of a second, and kept as for every engine.

    Raises:
        InputError: no builder has such a name, or ``wanted`` keeps no image from an archive.
        ToolError: buildx is missing, or the builder is not there, down, or builds nothing.
    """
    calling.plain(name, "builder's name")
    if wanted not in ("auto", *_KEEPERS):
        raise InputError(
            f"{wanted} takes no image from a builder", hint="--engine docker, or --engine podman"
        )
    remote = _remote(name, environ, runner)
    keeper = _keeper(wanted, environ, runner, cache=cache)
    # What the probe knows must hold for this builder, these nodes and this keeper alone.
    known = Candidate(
        name="docker",
        path=remote.client[0],
        version=msgspec.json.encode((remote, keeper)).decode(),
        architecture=_architecture(remote),
    )
    memory = remembering.Memory(cache, known, environ)
    found: Engine | Refusal = memory.recall() or probing.probed(
        known, *_ways(remote, keeper), runner=runner, environ=environ
    )
    if isinstance(found, Refusal):
        hint = f"`docker buildx inspect --bootstrap {name}` says more"
        raise ToolError(f"the builder {name} does not work here: {found.why}", hint=hint)
    memory.keep(found)
    return found


# --- What is found -------------------------------------------------------------------------------


def _remote(name: str, environ: Mapping[str, str], runner: Runner) -> Remote:
    client = _client(environ, runner)
    found = inspect(client, name, environ=environ, runner=runner)
    if found.trouble:
        raise ToolError(
            f"the builder {name} is down: {found.trouble}",
            hint=f"start it again, or choose another: docker buildx inspect {name};"
            " docker buildx ls",
        )
    if found.driver == "docker" and name != "default" and client[-1] == "buildx":
        # buildx itself refuses the docker of another context.
        client = (*client[:-1], f"--context={name}", "buildx")
    platforms = dict.fromkeys(node.platform for node in found.nodes if node.platform)
    return Remote(
        name=name,
        driver=found.driver,
        client=client,
        nodes=tuple(f"{one.endpoint} {one.version}".strip() for one in found.nodes),
        platforms=tuple(platforms),
    )


def _client(environ: Mapping[str, str], runner: Runner) -> tuple[str, ...]:
    """How buildx is called: as docker's plugin, or as a program of its own."""
    tried: list[tuple[str, ...]]
    tried = [(path, "buildx") for path in candidates.programs("docker", environ)]
    tried += [(path,) for path in candidates.programs("docker-buildx", environ)]
    for client in tried:
        asked = Command(
            argv=(*client, "version"), environment=tuple(environ.items()), timeout=_SECONDS
        )
        if "buildx" in (outcome := runner(asked)).stdout and outcome.code == 0:
            return client
    raise ToolError(
        "--builder needs buildx, and it is not installed here",
        hint="install docker-buildx (docker-buildx-plugin); docker's daemon is not needed",
    )


def _keeper(
    wanted: str, environ: Mapping[str, str], runner: Runner, *, cache: str | None
) -> Engine | None:
    """The engine of this machine that keeps images; None where ``auto`` finds none.

    Raises:
        ToolError: the one that was asked for does not work.
    """
    for name in _KEEPERS if wanted == "auto" else (wanted,):
        try:
            return finding.find(name, environ, runner, cache=cache)
        except ToolError:
            if wanted != "auto":
                raise
    return None


def _ways(remote: Remote, keeper: Engine | None) -> tuple[Engine, ...]:
    """The builder with times set while it exports, and without."""
    if keeper is None:
        able = Capabilities(clamp="export", runs=False, trouble="no engine works here")
        engine = Engine(
            name="docker",
            builder="buildx",
            program=remote.client[:1],
            version="client",
            capabilities=able,
            remote=remote,
            keeps=False,
        )
    else:
        able = msgspec.structs.replace(
            keeper.capabilities, no_network=True, clamp="export", registry_cache=False
        )
        engine = msgspec.structs.replace(
            keeper, builder="buildx", build_options=(), capabilities=able, remote=remote
        )
    plain = msgspec.structs.replace(able, clamp="none")
    return engine, msgspec.structs.replace(engine, capabilities=plain)


def _architecture(remote: Remote) -> str:
    """What the probe's program is for: a processor of the builder, which starts it."""
    own = [one.partition("/")[2] for one in remote.platforms]
    return own[0] if own else probe.ARCHITECTURES.get(os.uname().machine, "amd64")
