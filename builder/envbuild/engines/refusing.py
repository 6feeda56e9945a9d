"""What is refused of a build before anything runs."""

from __future__ import annotations

import os

from envbuild.engines import calling
from envbuild.engines.model import BuildRequest, Engine
from envbuild.errors import InputError, ToolError

_LARGEST_SECRET = 500 * 1024
"""Bytes of a secret that BuildKit takes (its own limit, in every version so far)."""


def check(engine: Engine, request: BuildRequest) -> None:
    """Refuse what an engine cannot do, or what cannot stand in a command line.

    Raises:
        InputError: something of the request.
        ToolError: the engine cannot do what is asked.
    """
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


def check_secrets(engine: Engine, request: BuildRequest) -> None:
    """Refuse secrets that a build would not get.

    Raises:
        InputError: one is missing or too large for the builder.
    """
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
