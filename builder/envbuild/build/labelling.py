"""What an image says of itself beside its Dockerfile: labels, and what its manifest has. Pure.

The names of OCI's are from
https://github.com/opencontainers/image-spec/blob/main/annotations.md
"""

from __future__ import annotations

import re

from msgspec import Struct

from envbuild.lock.folder import lock_digest
from envbuild.lock.model import VariantLock
from envbuild.profile.resolved import Variant
from envbuild.tools import addresses

_OCI = "org.opencontainers.image"
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+\.[\w-]+):(?P<path>[^/\s][^\s]*)")
"""git's short form of an address for ssh: ``git@host:team/robot.git``."""

_DIGITS = 12
"""Characters of a lock's digest that tell it from others, as git shows commits."""

Pairs = tuple[tuple[str, str], ...]


class Origin(Struct, frozen=True, kw_only=True):
    """Who builds, and from which state of what: the version of envbuild, the git revision of the
    workspace, and the address of its repository; empty where they are not known."""

    maker: str
    revision: str = ""
    source: str = ""


def labels(origin: Origin, locked: VariantLock) -> Pairs:
    """What is added to the labels of the Dockerfile. All of it is the same in every build of the
    same lock from the same revision: ``created`` is the moment of the lock."""
    rows = (
        ("io.envbuild.version", origin.maker),
        (f"{_OCI}.created", locked.input.as_of),
        (f"{_OCI}.revision", origin.revision),
        (f"{_OCI}.source", source(origin.source)),
        (f"{_OCI}.version", version(locked)),
    )
    return tuple((name, value) for name, value in rows if value)


def in_manifest(variant: Variant, locked: VariantLock, added: Pairs) -> Pairs:
    """What stands in the manifest too, sorted: the labels of the Dockerfile and ``added`` ones."""
    environment = variant.environment
    base = locked.image("base")
    rows = {
        "io.envbuild.lock-digest": lock_digest(locked),
        "io.envbuild.profile": environment.name,
        "io.envbuild.variant": variant.name,
        f"{_OCI}.base.digest": (base.digest if base else environment.base.digest) or "",
        f"{_OCI}.base.name": base.reference if base else environment.base.image,
        f"{_OCI}.description": environment.summary,
        f"{_OCI}.title": environment.name,
        **dict(added),
    }
    return tuple(sorted((name, value) for name, value in rows.items() if value))


def version(locked: VariantLock) -> str:
    """The version of what is packaged: the day of the lock's moment, and the begin of its
    digest."""
    day = locked.input.as_of.partition("T")[0].replace("-", "")
    return f"{day}-{lock_digest(locked).removeprefix('sha256:')[:_DIGITS]}"


def source(remote: str) -> str:
    """The address of a repository as git has it, without user name and password; empty for one on
    this machine, whose path is nobody's concern."""
    short = _SCP.fullmatch(remote)
    if short:
        return f"ssh://{short['host']}/{short['path']}"
    scheme, separator, _ = remote.partition("://")
    if not separator or scheme not in ("https", "http", "ssh", "git"):
        return ""
    return addresses.bare(remote)
