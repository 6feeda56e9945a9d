"""What an engine can do here, shown by a build of a second (and a container of that image).

Versions do not tell: crun refuses hybrid cgroups, limits of this machine forbid what podman sets
by default, a docker of any version may lack its builder. The build is made by the very command
line of a real one: without network, with a bound folder, a secret and a fixed moment.
"""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
import shutil
import tarfile
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.engines import building, containers, images, probe
from envbuild.engines.building import Results
from envbuild.engines.calling import call, environment, last_line
from envbuild.engines.candidates import INSTALL, Candidate, Refusal
from envbuild.engines.failing import failure
from envbuild.engines.model import BuildRequest, Capabilities, Engine, RunRequest
from envbuild.errors import EnvbuildError
from envbuild.tools import temporary, typed
from envbuild.tools.proc import Command, Outcome, Runner
from envbuild.tools.trouble import cannot_write

_SECONDS = 120.0
"""For a build or container that takes less than one, on a machine that has other things to do."""

_NPROC = 32768
"""Processes that podman grants by default, and lowers its own limit to before it starts any."""

_HINTS = (
    ("cgroups in hybrid mode", "crun cannot run here: install runc"),
    (
        "newuidmap",
        "give yourself ranges in /etc/subuid and /etc/subgid, then `podman system migrate`",
    ),
    ("no space left on device", "the disk is full: free some space"),
    ("unknown flag", "it is too old: take a newer one"),
)
"""What a failed probe says, and the way out."""

_NO_BUILDX = "buildx component is missing"


class World(Struct, frozen=True, kw_only=True):
    """What a probe works with: ``folder`` holds its context, ``runner`` runs its commands."""

    folder: str
    label: str
    architecture: str
    runner: Runner
    environ: Mapping[str, str]


def probed(
    candidate: Candidate, *ways: Engine, runner: Runner, environ: Mapping[str, str]
) -> Engine | Refusal:
    """The engine with what it can do here, or why it can do nothing; ``ways`` to call it, if any.

    Raises:
        ToolError: no temporary files can be written.
    """
    with temporary.scratch({}) as folder:
        world = World(
            folder=folder,
            label=secrets.token_hex(8),
            architecture=candidate.architecture,
            runner=runner,
            environ=environ,
        )
        _write_context(folder, candidate.architecture)
        refusals = []
        for engine in ways or _attempts(candidate, environ):
            built = _build(engine, world)
            if isinstance(built, Refusal):
                refusals.append(built)
                continue
            try:
                return _refined(engine, built, world)
            finally:
                _forget(engine, built, world)
        # podman's later attempts are makeshifts; docker's last is the one that each docker has.
        return refusals[-1 if candidate.name == "docker" else 0]


def _write_context(folder: str, architecture: str) -> None:
    try:
        os.makedirs(f"{folder}/context/bound")
        for path, data in (
            ("Dockerfile", probe.DOCKERFILE.encode()),
            ("secret", b"open sesame\n"),
            ("context/bound/file", b""),
            ("context/probe", probe.program(architecture)),
        ):
            with open(f"{folder}/{path}", "wb") as file:
                file.write(data)
        os.chmod(f"{folder}/context/probe", 0o755)  # noqa: S103 (every user of an image may run it)
    except OSError as error:
        raise cannot_write(folder, error) from None


# --- What is tried -------------------------------------------------------------------------------


def _attempts(candidate: Candidate, environ: Mapping[str, str]) -> Iterator[Engine]:
    """Ways to call an engine, the best first; the first that builds is taken."""
    if candidate.name == "docker":
        yield from _dockers(candidate)
        return
    engine = Engine(
        name=candidate.name,
        builder=candidate.name,
        program=(candidate.path,),
        version=candidate.version,
        capabilities=Capabilities(clamp="flag"),
    )
    yield engine
    for runtime in ("runc", "crun"):
        if shutil.which(runtime, path=environ.get("PATH", os.defpath)):
            option = (f"--runtime={runtime}",)
            place = "global_options" if candidate.name == "podman" else "build_options"
            yield msgspec.structs.replace(engine, **{place: option})
    # Without any runtime, and then without a network of its own: better than nothing.
    able = msgspec.structs.replace(engine.capabilities, no_network=False)
    yield msgspec.structs.replace(engine, build_options=("--isolation=chroot",), capabilities=able)


def _dockers(candidate: Candidate) -> Iterator[Engine]:
    buildx = Engine(
        name="docker",
        builder="buildx",
        program=(candidate.path,),
        version=candidate.version,
        environment=(("DOCKER_BUILDKIT", "1"),),
        capabilities=Capabilities(clamp="export"),
    )
    yield buildx
    yield msgspec.structs.replace(buildx, capabilities=Capabilities())
    yield msgspec.structs.replace(buildx, builder="buildkit", capabilities=Capabilities())


def _request(engine: Engine, world: World) -> BuildRequest:
    return BuildRequest(
        dockerfile=f"{world.folder}/Dockerfile",
        context=f"{world.folder}/context",
        platform=f"linux/{world.architecture}",
        labels=(("io.envbuild.probe", world.label),),
        secrets=((probe.SECRET, f"{world.folder}/secret"),),
        network="none" if engine.capabilities.no_network else "host",
        epoch=probe.EPOCH,
        cache=False,
    )


def _build(engine: Engine, world: World) -> str | Refusal:
    """The identity of the probe's image, or why there is none."""
    results = Results(folder=f"{world.folder}/{secrets.token_hex(4)}")
    os.mkdir(results.folder)
    request = _request(engine, world)
    outcome = _run(engine, building.command(engine, request, results=results), world)
    if outcome.code:
        return _refusal(engine, outcome)
    if building.exports(engine, request):
        if engine.capabilities.clamp == "export" and not _clamped(results.archive):
            return _because(engine, "ignores the option that sets times")
        if not engine.keeps:
            return ""
        outcome = building.load(engine, results, runner=world.runner, environ=world.environ)
        if outcome.code:
            return _refusal(engine, outcome)
    try:
        return building.identity(engine, results, runner=world.runner, environ=world.environ)
    except EnvbuildError as error:
        return _because(engine, error.message)


def _run(engine: Engine, argv: tuple[str, ...], world: World) -> Outcome:
    own = environment(engine, world.environ)
    return world.runner(Command(argv=argv, environment=own, timeout=_SECONDS))


def _clamped(archive: str) -> bool:
    """Whether all that the image's layers hold is of the moment that was asked for.

    The builders of docker before 24 take the option and do nothing.
    """
    try:
        with tarfile.open(archive) as image:
            listed = image.extractfile("manifest.json")
            assert listed is not None
            names = typed.decode(listed.read(), list[_Listed])[0].layers
            for name in names:
                with tarfile.open(fileobj=image.extractfile(name)) as layer:
                    if any(member.mtime != probe.EPOCH for member in layer):
                        return False
    except (OSError, tarfile.TarError, KeyError, IndexError, msgspec.MsgspecError):
        return False
    return True


class _Listed(Struct, frozen=True, rename="pascal"):
    layers: tuple[str, ...]


# --- What the one that builds can do beside ------------------------------------------------------


def _refined(engine: Engine, image: str, world: World) -> Engine:
    able = msgspec.structs.replace(engine.capabilities, registry_cache=_caches(engine, world))
    if engine.name == "buildah" or engine.remote:
        own = msgspec.structs.replace(able, runs=able.runs and engine.remote is not None)
        return msgspec.structs.replace(engine, capabilities=own)
    trouble = ""
    for options in _run_options(engine):
        trying = msgspec.structs.replace(engine, run_options=options, capabilities=able)
        trouble = _runs(trying, image, world)
        if not trouble:
            return trying
    able = msgspec.structs.replace(able, runs=False, trouble=trouble)
    return msgspec.structs.replace(engine, capabilities=able)


def _run_options(engine: Engine) -> Iterator[tuple[str, ...]]:
    """Options that a container may need here, the fewest first.

    podman grants more open files and processes than its user may have; where it may not raise its
    own limits, no container starts unless they are lowered to what it has.
    """
    yield ()
    if engine.name == "podman":
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        processes = _NPROC if most == resource.RLIM_INFINITY else min(most, _NPROC)
        yield (f"--ulimit=nofile={files}:{files}",)
        yield (f"--ulimit=nofile={files}:{files}", f"--ulimit=nproc={processes}:{processes}")


def _runs(engine: Engine, image: str, world: World) -> str:
    """Why no container of the probe's image runs; empty when one does."""
    request = RunRequest(
        image=image, command=(probe.PROGRAM, probe.PROGRAM), entrypoint="", timeout=_SECONDS
    )
    try:
        outcome = containers.run(engine, request, runner=world.runner, environ=world.environ)
    except EnvbuildError as error:
        return error.message
    return (last_line(outcome.stderr) or f"exit code {outcome.code}") if outcome.code else ""


def _caches(engine: Engine, world: World) -> bool:
    """Whether layers may be kept in a registry.

    There is none to try it with. podman and buildah have the options or not; what BuildKit may
    write to a folder it may also write to a registry, and docker's own builder neither.
    """
    if engine.builder == "buildkit":
        return False
    if engine.builder == "buildx":
        local = f"--cache-to=type=local,dest={world.folder}/cache"
        plain = msgspec.structs.replace(engine, build_options=(local,), capabilities=Capabilities())
        if isinstance(built := _build(plain, world), str):
            _forget(plain, built, world)
        return isinstance(built, str)
    said = call(engine, ("build", "--help"), runner=world.runner, environ=world.environ).stdout
    return "--cache-to" in said and "--cache-from" in said


def _forget(engine: Engine, image: str, world: World) -> None:
    with contextlib.suppress(EnvbuildError):  # it has 155 bytes, and its name is in no one's way
        images.remove(engine, image, runner=world.runner, environ=world.environ)


# --- Why not -------------------------------------------------------------------------------------


def _refusal(engine: Engine, outcome: Outcome) -> Refusal:
    said = f"{outcome.stdout}\n{outcome.stderr}"
    if _NO_BUILDX in said:
        return Refusal(
            who=f"docker ({engine.program[0]})",
            why=f"{engine.version} has no BuildKit, only the legacy builder, which can mount"
            " nothing into a build",
            hint="install buildx for docker (the package docker-buildx or docker-buildx-plugin),"
            " or use podman",
        )
    lines = said.splitlines()
    error = failure(engine, outcome, lines=tuple(filter(None, lines)), log="")
    return _because(engine, f"fails at a first build: {error.message.partition(': ')[2]}", said)


def _because(engine: Engine, why: str, said: str = "") -> Refusal:
    hint = next((way for sign, way in _HINTS if sign in said), INSTALL[engine.name])
    return Refusal(who=f"{engine.name} ({engine.program[0]})", why=why, hint=hint)
