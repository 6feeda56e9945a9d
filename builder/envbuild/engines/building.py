"""A build: the command line of each builder, its run, and the identity of what came out."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Mapping

from msgspec import MsgspecError, Struct

from envbuild.engines import calling, images, inspecting, refusing
from envbuild.engines.failing import failure
from envbuild.engines.model import BuildRequest, Engine
from envbuild.errors import InputError, ToolError
from envbuild.tools import files, proc, temporary, typed
from envbuild.tools.following import Follower, follow
from envbuild.tools.proc import Command, Outcome, Runner
from envbuild.tools.trouble import cannot_write

_REMEMBERED = 2000
"""Lines from the end of a build in which the reason of its failure is looked for."""


class Watch(Struct, frozen=True, kw_only=True):
    """Who watches a build: ``log`` is the path of its whole log, ``line`` hears each line."""

    log: str
    line: Callable[[str], None]
    follow: Follower = follow


class Built(Struct, frozen=True, kw_only=True):
    """An image that was built. ``identity`` (``sha256:…``) is what the engine calls it by; of one
    that no engine keeps it is its configuration's digest, and ``manifest`` that of its manifest."""

    identity: str
    seconds: float
    manifest: str = ""


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
    """Whether the build writes an archive that is loaded afterwards: so that times are set, or
    because the builder stands elsewhere."""
    clamps = request.epoch is not None and engine.capabilities.clamp == "export"
    return clamps or engine.remote is not None


def command(engine: Engine, request: BuildRequest, *, results: Results) -> tuple[str, ...]:
    """The command line of a build that writes what it made to ``results``. Pure.

    Raises:
        InputError: something of the request cannot stand in a command line.
        ToolError: the engine cannot do what is asked.
    """
    refusing.check(engine, request)
    own = {"buildx": _buildx, "buildkit": _buildkit}.get(engine.builder, _buildah)
    called = engine.remote.client if engine.remote else (*engine.program, *engine.global_options)
    return (
        *called,
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
    refusing.check_secrets(engine, request)
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
            gone = inspecting.lost(engine, environ=environ, runner=runner)
            raise failure(engine, outcome, lines=tuple(last), log=watch.log, lost=gone)
        seconds = outcome.seconds
        if request.archive or request.push:
            return _left(results, request, seconds)
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

_NAMES = {"manifest": "containerimage.digest", "config": "containerimage.config.digest"}


class _Metadata(Struct, frozen=True, rename=_NAMES):
    manifest: str = ""
    config: str = ""


def _left(results: Results, request: BuildRequest, seconds: float) -> Built:
    """What a build has left that no engine here keeps."""
    try:
        said = typed.decode(files.read_bytes(results.metadata), _Metadata)
        if request.archive:
            os.replace(results.archive, request.archive)
    except (MsgspecError, InputError) as error:
        raise ToolError(f"buildx does not say what it has built: {error}") from None
    except OSError as error:
        raise cannot_write(request.archive, error) from None
    return Built(identity=said.config, manifest=said.manifest, seconds=seconds)


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
        *(f"--annotation={name}={value}" for name, value in request.annotations),
        *([f"--timestamp={request.epoch}"] if clamps else []),
        *(f"--cache-from={place}" for place in request.cache_from),
        *(f"--cache-to={place}" for place in request.cache_to),
    )


def _buildkit(engine: Engine, request: BuildRequest, results: Results) -> tuple[str, ...]:
    del engine, results
    return ("build", "--progress=plain", *(["--pull"] if request.pull else []))


def _buildx(engine: Engine, request: BuildRequest, results: Results) -> tuple[str, ...]:
    """buildx. No provenance: it holds the moment of the build, and makes an index of the image."""
    clamps = request.epoch is not None and engine.capabilities.clamp == "export"
    times = ",rewrite-timestamp=true" if clamps else ""
    output = f"--output=type=docker,dest={results.archive}{times}"
    if request.push:
        output = f'--output=type=image,"name={",".join(request.push)}",push=true{times}'
        output += ",push-by-digest=true,name-canonical=true" if request.push_by_digest else ""
    elif not exports(engine, request):
        output = "--load"
    return (
        *(["build", f"--builder={engine.remote.name}"] if engine.remote else ["buildx", "build"]),
        "--progress=plain",
        "--provenance=false",
        f"--metadata-file={results.metadata}",
        output,
        *(["--pull"] if request.pull else []),
        *(f"--cache-from=type=registry,ref={place}" for place in request.cache_from),
        *(f"--cache-to=type=registry,ref={place},mode=max" for place in request.cache_to),
    )


def _arguments(request: BuildRequest) -> tuple[tuple[str, str], ...]:
    if request.epoch is None or "SOURCE_DATE_EPOCH" in dict(request.arguments):
        return request.arguments
    return (*request.arguments, ("SOURCE_DATE_EPOCH", str(request.epoch)))
