"""A build: the command line of each builder, its run, and the identity of what came out."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Mapping

from msgspec import MsgspecError, Struct

from envbuild.engines import calling, images
from envbuild.engines.failing import failure
from envbuild.engines.model import BuildRequest, Engine
from envbuild.errors import InputError, ToolError
from envbuild.tools import files, proc, temporary, typed
from envbuild.tools.following import Follower, follow
from envbuild.tools.proc import Command, Outcome, Runner

_LARGEST_SECRET = 500 * 1024
"""Bytes of a secret that BuildKit takes (its own limit, in every version so far)."""

_REMEMBERED = 2000
"""Lines from the end of a build in which the reason of its failure is looked for."""


class Watch(Struct, frozen=True, kw_only=True):
    """Who watches a build: ``log`` is the path of its whole log, ``line`` hears each line."""

    log: str
    line: Callable[[str], None]
    follow: Follower = follow


class Built(Struct, frozen=True, kw_only=True):
    """An image that was built. ``identity`` (``sha256:…``) is what the engine calls it by."""

    identity: str
    seconds: float


class Results(Struct, frozen=True, kw_only=True):
    """The files that a build writes beside its image, all in one folder of its own."""

    folder: str

    @property
    def identity(self) -> str:
        """The digest of the image's configuration, as text."""
        return f"{self.folder}/identity"

    @property
    def metadata(self) -> str:
        """buildx: digests of the image in JSON."""
        return f"{self.folder}/metadata.json"

    @property
    def archive(self) -> str:
        """The image itself, where its times can only be set while it is written out."""
        return f"{self.folder}/image.tar"


def exports(engine: Engine, request: BuildRequest) -> bool:
    """Whether the build writes an archive that is loaded afterwards, so that times are set."""
    return request.epoch is not None and engine.capabilities.clamp == "export"


def command(engine: Engine, request: BuildRequest, *, results: Results) -> tuple[str, ...]:
    """The command line of a build that writes what it made to ``results``. Pure.

    Raises:
        InputError: something of the request cannot stand in a command line.
        ToolError: the engine cannot do what is asked.
    """
    _check(engine, request)
    own = {"buildx": _buildx, "buildkit": _buildkit}.get(engine.builder, _buildah)
    return (
        *engine.program,
        *engine.global_options,
        *own(engine, request, results),
        *engine.build_options,
        f"--file={calling.plain(request.dockerfile, 'path of a Dockerfile')}",
        f"--platform={request.platform}",
        f"--network={request.network}",
        f"--iidfile={results.identity}",
        *([f"--target={request.target}"] if request.target else []),
        *(f"--build-arg={name}={value}" for name, value in _arguments(request)),
        *(f"--label={name}={value}" for name, value in request.labels),
        *(f"--secret=id={name},src={path}" for name, path in request.secrets),
        *(["--ssh=default"] if request.ssh else []),
        *([] if request.cache else ["--no-cache"]),
        calling.plain(request.context, "build context"),
    )


def build(
    engine: Engine,
    request: BuildRequest,
    *,
    environ: Mapping[str, str],
    watch: Watch,
    runner: Runner = proc.run,
) -> Built:
    """Build an image; nothing is tagged. The log is begun anew.

    ``runner`` asks the engine afterwards what it knows the image by.

    Raises:
        InputError: a secret is missing or too large for the builder.
        ToolError: the build failed; it holds the reason, the last lines and the log's path.
    """
    _check_secrets(engine, request)
    files.write_tree(os.path.dirname(watch.log) or ".", {os.path.basename(watch.log): b""})
    last: deque[str] = deque(maxlen=_REMEMBERED)

    def hear(line: str) -> None:
        last.append(line)
        watch.line(line)

    with temporary.beside(f"{os.path.abspath(watch.log)}.out") as folder:
        os.makedirs(folder)
        results = Results(folder=folder)
        argv = command(engine, request, results=results)
        order = Command(
            argv=argv,
            environment=calling.environment(engine, environ),
            timeout=calling.LONG,
            inner_first=True,
        )
        outcome = watch.follow(order, watch.log, hear)
        if outcome.code:
            raise failure(engine, outcome, lines=tuple(last), log=watch.log)
        seconds = outcome.seconds
        if exports(engine, request):
            loaded = load(
                engine,
                results,
                runner=lambda command: watch.follow(command, watch.log, watch.line),
                environ=environ,
            )
            if loaded.code:
                hint = f"the whole log: {watch.log}"
                raise calling.failed(engine, "load what it has built", loaded, hint=hint)
            seconds += loaded.seconds
        made = identity(engine, results, runner=runner, environ=environ)
        return Built(identity=made, seconds=seconds)


def load(
    engine: Engine, results: Results, *, runner: Runner, environ: Mapping[str, str]
) -> Outcome:
    """Load the archive that a build has written where :func:`exports` says so."""
    argv = ("load", f"--input={results.archive}")
    return calling.call(engine, argv, runner=runner, environ=environ, timeout=calling.LONG)


# --- What is made of it --------------------------------------------------------------------------


class _Metadata(Struct, frozen=True, rename={"manifest": "containerimage.digest"}):
    manifest: str = ""


def identity(
    engine: Engine, results: Results, *, runner: Runner, environ: Mapping[str, str]
) -> str:
    """What the engine calls the image by that a build has made.

    docker with containerd's store knows an image by its manifest and not by its configuration,
    which is what every builder writes to the identity file: so docker is asked which it knows.
    """
    written = (files.read_if_exists(results.identity) or b"").decode().strip()
    known = [written]
    if engine.builder == "buildx":
        with contextlib.suppress(MsgspecError):
            metadata = files.read_if_exists(results.metadata) or b""
            known.append(typed.decode(metadata, _Metadata).manifest)
    for one in filter(None, known):
        if images.facts(engine, one, runner=runner, environ=environ) is not None:
            return one
    raise ToolError(f"{engine.name} does not know the image that it has built: {known}")


# --- The command lines ---------------------------------------------------------------------------


def _buildah(engine: Engine, request: BuildRequest, results: Results) -> tuple[str, ...]:
    """podman's and buildah's own; they share the builder and its options.

    ``--layers`` and ``--force-rm`` (after a failure too) are podman's defaults, not buildah's.
    ``--pull=false`` is *where it is missing* in every version; without it old ones ask the registry
    for something newer each time.
    """
    del results
    clamps = request.epoch is not None and engine.capabilities.clamp == "flag"
    return (
        "build",
        "--layers",
        "--force-rm",
        f"--pull={'always' if request.pull else 'false'}",
        *(["--http-proxy=false"] if request.network == "none" else []),
        *([f"--timestamp={request.epoch}"] if clamps else []),
        *(f"--cache-from={place}" for place in request.cache_from),
        *(f"--cache-to={place}" for place in request.cache_to),
    )


def _buildkit(engine: Engine, request: BuildRequest, results: Results) -> tuple[str, ...]:
    del engine, results
    return ("build", "--progress=plain", *(["--pull"] if request.pull else []))


def _buildx(engine: Engine, request: BuildRequest, results: Results) -> tuple[str, ...]:
    """buildx. No provenance: it holds the moment of the build, and makes an index of the image."""
    archive = f"--output=type=docker,dest={results.archive},rewrite-timestamp=true"
    return (
        "buildx",
        "build",
        "--progress=plain",
        "--provenance=false",
        f"--metadata-file={results.metadata}",
        archive if exports(engine, request) else "--load",
        *(["--pull"] if request.pull else []),
        *(f"--cache-from=type=registry,ref={place}" for place in request.cache_from),
        *(f"--cache-to=type=registry,ref={place},mode=max" for place in request.cache_to),
    )


def _arguments(request: BuildRequest) -> tuple[tuple[str, str], ...]:
    if request.epoch is None or "SOURCE_DATE_EPOCH" in dict(request.arguments):
        return request.arguments
    return (*request.arguments, ("SOURCE_DATE_EPOCH", str(request.epoch)))


# --- What is refused before anything runs --------------------------------------------------------


def _check(engine: Engine, request: BuildRequest) -> None:
    able = engine.capabilities
    if request.network == "none" and not able.no_network:
        raise ToolError(
            f"{engine.name} cannot build without network here",
            hint="allow the network for this build, or use podman or docker with an OCI runtime",
        )
    if (request.cache_from or request.cache_to) and not able.registry_cache:
        raise ToolError(
            f"{engine.name} ({engine.builder}) cannot keep its build cache in a registry",
            hint="podman and buildah can; docker needs buildx, and containerd's image store or a"
            " builder with its own driver",
        )
    for place in (*request.cache_from, *request.cache_to):
        if "," in calling.reference(place):
            raise InputError(f"{place!r} is no repository of a registry: it holds a comma")
    for name, path in request.secrets:
        if any(sign in f"{name}{path}" for sign in ',"\n'):
            raise InputError(f"the path of the secret {name} holds a comma or a quote: {path}")


def _check_secrets(engine: Engine, request: BuildRequest) -> None:
    for name, path in request.secrets:
        if not os.path.isfile(path):
            raise InputError(f"the secret {name} is no file: {path}")
        size = os.path.getsize(path)
        if engine.builder in {"buildx", "buildkit"} and size > _LARGEST_SECRET:
            raise InputError(
                f"the secret {name} has {size // 1024} KiB; {engine.name} takes at most"
                f" {_LARGEST_SECRET // 1024} KiB: {path}",
                hint="a bundle of certificates needs those alone that the build meets; podman and"
                " buildah have no such limit",
            )
