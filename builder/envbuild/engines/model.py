"""What an engine is, what it can do, and what is asked of it, as frozen values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Builder = Literal["podman", "buildah", "buildx", "buildkit"]
"""Who reads the Dockerfile: podman's or buildah's own builder, docker with its plugin buildx, or
the BuildKit that is built into docker before 23."""

Clamp = Literal["flag", "export", "none"]
"""How an engine makes times in layers the same in each build: by a flag of the build
(``--timestamp``), while it exports (``rewrite-timestamp``), or not at all."""


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a probe build has shown that a builder can do.

    ``no_network``: a build without network; ``clamp``: see :data:`Clamp`; ``registry_cache``:
    layers may be read from and written to a registry; ``builds``/``runs``: it builds, it runs
    containers at all here; ``trouble``: what was said where no container runs.
    """

    builds: bool = True
    runs: bool = True
    no_network: bool = True
    clamp: Clamp = "none"
    registry_cache: bool = False
    trouble: str = ""


class Remote(Struct, frozen=True, kw_only=True):
    """A builder of buildx, by its ``name``: another machine, or several (``nodes``).

    ``client`` is how buildx is called here, ``driver`` its word for where the builder runs,
    ``platforms`` are those of the nodes themselves, without what they emulate.
    """

    name: str
    driver: str
    client: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


class Engine(Struct, frozen=True, kw_only=True):
    """A program that builds and runs images here.

    ``program`` is how it is called (``("/usr/bin/podman",)``), ``builder`` who reads the
    Dockerfile. ``environment`` are variables that its calls need beside the user's own,
    ``build_options`` and ``run_options`` what each build and each container needs on this machine,
    as the probe found. With a ``remote`` that one builds, and the program keeps the images; not
    ``keeps``: no engine is here that would.
    """

    name: Literal["podman", "buildah", "docker"]
    builder: Builder
    program: tuple[str, ...]
    version: str
    capabilities: Capabilities = Capabilities()
    environment: tuple[tuple[str, str], ...] = ()
    global_options: tuple[str, ...] = ()
    build_options: tuple[str, ...] = ()
    run_options: tuple[str, ...] = ()
    remote: Remote | None = None
    keeps: bool = True


class BuildRequest(Struct, frozen=True, kw_only=True):
    """One build. Paths are this machine's.

    ``arguments`` are build arguments, ``secrets`` files by their id. ``network``: ``none`` for a
    hermetic build, ``host`` else. ``epoch`` is the moment (seconds since 1970) that times in
    layers are set to, where the engine can; None leaves them. ``cache_from`` and ``cache_to`` are
    repositories of a registry. ``ssh`` hands in the user's agent. ``annotations`` stand in the
    manifest, where the builder writes one: podman and buildah do.

    Where no engine keeps the image: ``archive`` is the path that it is written to, or ``push`` are
    the names that the builder pushes it under (``push_by_digest``: a repository, and no name yet).
    """

    dockerfile: str
    context: str
    platform: str
    target: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    network: Literal["none", "host"] = "none"
    epoch: int | None = None
    cache: bool = True
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    pull: bool = False
    ssh: bool = False
    annotations: tuple[tuple[str, str], ...] = ()
    archive: str = ""
    push: tuple[str, ...] = ()
    push_by_digest: bool = False


class Mount(Struct, frozen=True, kw_only=True):
    """A folder or file of this machine in a container."""

    source: str
    target: str
    writable: bool = False


class RunRequest(Struct, frozen=True, kw_only=True):
    """One container, removed when it ends.

    ``command`` is everything that runs: ``entrypoint`` None keeps the image's own, ``""`` clears
    it so that ``command`` runs as it is written. ``name`` is the container's, unique to this call.
    ``gpus`` hands in every GPU. ``interactive`` keeps standard input, and makes a terminal of it
    unless ``terminal`` is off, as it must be where standard input is none. ``timeout`` in seconds.
    """

    image: str
    command: tuple[str, ...] = ()
    name: str = ""
    entrypoint: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    network: Literal["none", "host"] = "none"
    gpus: bool = False
    user: str | None = None
    workdir: str | None = None
    memory: str | None = None
    interactive: bool = False
    terminal: bool = True
    timeout: float = 900.0


class ImageFacts(Struct, frozen=True, kw_only=True):
    """What an engine says of an image that it has.

    ``identity`` (``sha256:…``) is what the engine knows it by: the digest of its configuration, or
    of its manifest in docker with containerd's store. ``platform`` is ``linux/amd64``, without a
    variant; ``size`` in bytes as stored (buildah: of its layers). ``layers`` are the digests of
    what its layers unpack to, from below; empty where the engine does not say.
    """

    identity: str
    platform: str
    size: int
    labels: tuple[tuple[str, str], ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    user: str = ""
    workdir: str = ""
    layers: tuple[str, ...] = ()
