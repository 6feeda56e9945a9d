"""Why two builds of one image differ: the causes that are known, the worst first, and the way out.

Measured on images with apt, pip and virtual environments, built twice by each engine: see
``docs/reproducible.md``.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

Name = Literal[
    "config",
    "layers",
    "kind",
    "content",
    "extra",
    "missing",
    "link",
    "owner",
    "mode",
    "attributes",
    "labels",
    "compiled",
    "bytecode",
    "log",
    "cache",
    "time",
    "created",
    "order",
    "encoding",
    "compression",
    "manifest",
]


class Cause(Struct, frozen=True, kw_only=True):
    """A cause by its ``name``: what is so (``title``), and what to do about it (``hint``)."""

    name: Name
    title: str
    hint: str


_CLEAN = "remove it in the step that writes it"
_CLAMP = (
    "podman, buildah (--timestamp) and docker from 26 (rewrite-timestamp) set times; an older "
    "docker's image goes through envbuild's normaliser"
)

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="config",
        title="the configuration says something else",
        hint="a build argument or a variable of the host reaches the image",
    ),
    Cause(
        name="layers",
        title="another number of layers",
        hint="the two were not built from one Dockerfile, or one of them was squashed",
    ),
    Cause(name="kind", title="another kind of entry", hint="the step does not always do the same"),
    Cause(
        name="content",
        title="another content",
        hint="look at the file: a date, a folder's name by chance, or an order that is not fixed",
    ),
    Cause(name="extra", title="only in the second", hint="a step leaves a file behind by chance"),
    Cause(name="missing", title="only in the first", hint="a step leaves a file behind by chance"),
    Cause(name="link", title="a link leads elsewhere", hint="the step does not always do the same"),
    Cause(name="owner", title="another owner", hint="name user and group by number: COPY --chown"),
    Cause(name="mode", title="another mode", hint="fix it: COPY --chmod, or umask in the step"),
    Cause(
        name="attributes",
        title="other extended attributes",
        hint="the file systems of the two builds keep different ones",
    ),
    Cause(name="labels", title="other labels", hint="the two are of different sources or locks"),
    Cause(
        name="compiled",
        title="bytecode compiled to something else",
        hint="PYTHONHASHSEED=0 in the step, or PYTHONDONTWRITEBYTECODE=1",
    ),
    Cause(
        name="bytecode",
        title="bytecode that holds its source's time, and is stale when times are set",
        hint="ARG SOURCE_DATE_EPOCH and export it before pip and venv: bytecode then holds a hash",
    ),
    Cause(
        name="log",
        title="a log of the build",
        hint=f"{_CLEAN}: rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log",
    ),
    Cause(
        name="cache",
        title="a cache of the build",
        hint=f"{_CLEAN}: rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin "
        "/var/cache/ldconfig/aux-cache; pip --no-cache-dir",
    ),
    Cause(name="time", title="another time and nothing else", hint=_CLAMP),
    Cause(name="created", title="the dates in configuration and history", hint=_CLAMP),
    Cause(name="order", title="another order of entries", hint="envbuild's normaliser sorts them"),
    Cause(
        name="encoding",
        title="equal entries in another spelling of tar",
        hint="the two were written by different engines, or versions of one",
    ),
    Cause(
        name="compression",
        title="equal layers, packed differently",
        hint="the two were packed by different engines, or versions of one",
    ),
    Cause(
        name="manifest",
        title="the manifest says something else",
        hint="annotations or media types: the two were saved by different engines or options",
    ),
)
"""Every cause, in the order of what it means for whoever uses the image."""

RANK = {cause.name: rank for rank, cause in enumerate(CAUSES)}
BY_NAME = {cause.name: cause for cause in CAUSES}

_LOGS = re.compile(r"var/log/.+")
_CACHES = re.compile(r"var/cache/.+|var/lib/apt/lists/.+|tmp/.+|var/tmp/.+|(.*/)?\.cache/.+")
_VOLATILE = re.compile(
    r"var/log/apt/[^/]+|var/log/(dpkg|alternatives|bootstrap)\.log"
    r"|var/cache/apt/[^/]+\.bin|var/cache/ldconfig/aux-cache|var/lib/apt/lists/(partial/)?[^/]+"
    r"|root/\.cache/pip/.+"
)


def of_path(path: str) -> Literal["log", "cache"] | None:
    """Whether a path is a log or a cache that builds write."""
    if _LOGS.fullmatch(path):
        return "log"
    return "cache" if _CACHES.fullmatch(path) else None


def volatile(path: str) -> bool:
    """Whether a file is one that every build writes anew and no program needs.

    Caches of uv and conda are not among them: an environment may hold links into them.
    """
    return _VOLATILE.fullmatch(path) is not None
