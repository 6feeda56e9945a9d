"""The sentences of uv that a conflict is read from. Pure.

uv explains a conflict in prose. Only four sentences are read: who depends on what, what has no
wheel for the platform, what is published as source only, and what was published too late. A
sentence that is not understood is left out; ``--verbose`` shows the whole text.
"""

from __future__ import annotations

import re

from msgspec import Struct

from envbuild.names import requirement_name

_OPERATOR = r"(?:===|==|>=|<=|~=|!=|<|>)"
_VERSION = r"[A-Za-z0-9.*+!_-]*[A-Za-z0-9*]"
_PACKAGE = (
    r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9,._-]*\])?"
    rf"(?:{_OPERATOR}{_VERSION}(?:,{_OPERATOR}{_VERSION})*)?"
)
_CONCLUSION = re.compile(r",? we can conclude that .*?(?=\.? And because |\.? hint: |\.?$)")
"""What uv infers: it leaves out the packages between, so it is no dependency."""
_NO_VERSION = re.compile(rf"there (?:is|are) no versions? of ({_PACKAGE})")
_MARKER = re.compile(r"(?<=[A-Za-z0-9])\{[^{}]*\}")
_EDGE = re.compile(rf"({_PACKAGE}) depends? on ({_PACKAGE})(?:[ ,.]|$)")
_NO_WHEEL = re.compile(rf"({_PACKAGE}) has no wheels")
_SOURCE_ONLY = re.compile(r"Wheels are required for `([A-Za-z0-9][A-Za-z0-9._-]*)`")
_MISSING = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*) was not found in the package registry")
_LATE = re.compile(r"`?([A-Za-z0-9][A-Za-z0-9._-]*)`? was filtered by `?exclude-newer`?")
_PLATFORMS = re.compile(
    r"Wheels are available for `([A-Za-z0-9][A-Za-z0-9._-]*)` \([^)]*\) "
    r"on the following platforms?: ((?:`[a-z0-9_]+`(?:, )?)+)"
)
_PUBLISHED = re.compile(r"published at (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})")


class Edge(Struct, frozen=True):
    """``asker`` depends on ``wanted``; both as uv writes them, with bounds."""

    asker: str
    wanted: str


class Reading(Struct, frozen=True, kw_only=True):
    """What was understood: dependencies, packages without a wheel for the platform, packages that
    are published as source only, names that no index has, packages of which something is hidden by
    the as-of moment (``late``), and the last moment at which such a thing was published."""

    edges: tuple[Edge, ...]
    no_wheel: tuple[str, ...]
    source_only: tuple[str, ...]
    no_version: tuple[str, ...]
    missing: tuple[str, ...]
    published: str | None
    late: tuple[str, ...] = ()
    platforms: dict[str, tuple[str, ...]] = {}

    def only_on(self, name: str) -> str | None:
        """The marker of the machines that a package has wheels for; None when it is not plain."""
        tags = self.platforms.get(name, ())
        if tags and all("win" in tag and "darwin" not in tag for tag in tags):
            return "sys_platform == 'win32'"
        linux = [tag for tag in tags if "linux" in tag]
        if linux and all(tag.endswith("x86_64") for tag in linux):
            return "platform_machine == 'x86_64'"
        return None


def read(text: str) -> Reading:
    """Read uv's explanation of a failed resolution."""
    joined = " ".join(text.split())
    argument = joined.partition("Because ")[2]
    argument = _CONCLUSION.sub(" ", _MARKER.sub("", argument))
    edges = tuple(Edge(*found) for found in dict.fromkeys(_EDGE.findall(argument)))
    late = tuple(dict.fromkeys(_LATE.findall(joined)))
    published = max(_PUBLISHED.findall(joined), default="") if late else ""
    return Reading(
        edges=edges,
        no_version=tuple(dict.fromkeys(_NO_VERSION.findall(joined))),
        source_only=tuple(dict.fromkeys(_SOURCE_ONLY.findall(joined))),
        no_wheel=tuple(dict.fromkeys(_NO_WHEEL.findall(joined))),
        missing=tuple(dict.fromkeys(_MISSING.findall(joined))),
        published=f"{published}Z" if published else None,
        late=late,
        platforms={
            requirement_name(name): tuple(re.findall(r"[a-z0-9_]+", tags))
            for name, tags in _PLATFORMS.findall(joined)
        },
    )


def chain(reading: Reading, *, start: str, ends: dict[str, str]) -> tuple[str, ...]:
    """The shortest way from a requirement to something that contradicts it.

    ``start`` is a package name, ``ends`` what stands against it, by package name. Empty when the
    text does not connect them.
    """
    waiting: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    seen = {start}
    while waiting:
        name, path = waiting.pop(0)
        for edge in reading.edges:
            if requirement_name(edge.asker) != name:
                continue
            wanted = requirement_name(edge.wanted)
            steps = (*path, edge.wanted) if path else (edge.asker, edge.wanted)
            if wanted in ends and ends[wanted] != edge.wanted:
                return (*steps, ends[wanted])
            if wanted not in seen:
                seen.add(wanted)
                waiting.append((wanted, steps))
    return ()
