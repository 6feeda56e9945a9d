"""Whether a builder of buildx is there and up, as buildx says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from envbuild.engines import probe
from envbuild.engines.calling import last_line
from envbuild.engines.model import Engine
from envbuild.errors import ToolError
from envbuild.tools.proc import Command, Outcome, Runner

_SECONDS = 90.0
"""For the answer of a builder; buildx itself gives a node 20."""

_STARTED_BY_USE = ("docker-container", "kubernetes")
"""The drivers that start a node when it is needed: one that does not run is not down."""

_FIELD = re.compile(r"(?P<name>[A-Z][A-Za-z ]*):\s*(?P<value>.*)")

_NO_SUCH = re.compile(r"no builder .* found|not found|does not exist", re.IGNORECASE)


class Node(Struct, frozen=True, kw_only=True):
    """One machine of a builder, as buildx inspects it; ``platform`` is its own (``linux/amd64``),
    empty where it does not say one."""

    name: str
    endpoint: str
    status: str
    version: str = ""
    platform: str = ""
    error: str = ""


class Inspected(Struct, frozen=True, kw_only=True):
    """What buildx says of a builder."""

    driver: str
    nodes: tuple[Node, ...]

    @property
    def trouble(self) -> str:
        """Why it cannot build; empty when a node of it runs, or is started by a build."""
        if any(one.status == "running" for one in self.nodes):
            return ""
        said = next((one.error for one in self.nodes if one.error), "")
        if said or not self.nodes:
            return said or "it has no node"
        if self.driver in _STARTED_BY_USE:
            return ""
        places = ", ".join(one.endpoint for one in self.nodes)
        return f"nothing answers at {places}"


def inspect(
    client: tuple[str, ...], name: str, *, environ: Mapping[str, str], runner: Runner
) -> Inspected:
    """What buildx says of a builder.

    Raises:
        ToolError: there is none of that name, or buildx does not answer.
    """
    command = Command(
        argv=(*client, "inspect", name), environment=tuple(environ.items()), timeout=_SECONDS
    )
    outcome = runner(command)
    if outcome.code:
        raise _not_inspected(name, outcome)
    return parsed(outcome.stdout)


def lost(engine: Engine, *, environ: Mapping[str, str], runner: Runner) -> str:
    """Why the builder of an engine is not there any more; empty when it is, or there is none."""
    if engine.remote is None:
        return ""
    try:
        found = inspect(engine.remote.client, engine.remote.name, environ=environ, runner=runner)
    except ToolError as error:
        return error.message
    return found.trouble


def parsed(text: str) -> Inspected:
    """What ``docker buildx inspect`` prints, as a value. Pure.

    Its other formats are newer than most buildx in use.
    """
    above, _, below = text.partition("\nNodes:")
    found: list[dict[str, str]] = []
    for line in below.splitlines():
        match = _FIELD.fullmatch(line)
        if match and match["name"] == "Name":
            found.append({})
        if match and found:
            found[-1].setdefault(match["name"], match["value"].strip())
    drivers = (match for line in above.splitlines() if (match := _FIELD.fullmatch(line)))
    driver = next((one["value"] for one in drivers if one["name"] == "Driver"), "")
    return Inspected(driver=driver, nodes=tuple(_node(one) for one in found))


def _node(said: Mapping[str, str]) -> Node:
    return Node(
        name=said["Name"],
        endpoint=said.get("Endpoint", ""),
        status=said.get("Status", ""),
        version=said.get("BuildKit version", said.get("Buildkit", "")),
        platform=_own(said.get("Platforms", "")),
        error=said.get("Error", ""),
    )


def _own(platforms: str) -> str:
    """The platform of a node itself, which stands first; what follows it may be emulated."""
    first = platforms.partition(",")[0].strip().rstrip("*")
    system, _, machine = first.partition("/")
    architecture = probe.ARCHITECTURES.get(machine.partition("/")[0])
    return f"{system}/{architecture}" if system == "linux" and architecture else ""


def _not_inspected(name: str, outcome: Outcome) -> ToolError:
    why = last_line(outcome.stderr) or f"exit code {outcome.code}"
    if outcome.timed_out:
        why = f"no answer within {_SECONDS:.0f} s"
    if _NO_SUCH.search(why):
        return ToolError(
            f"there is no builder {name}: {why}",
            hint="docker buildx ls lists those that there are; docker buildx create makes one",
        )
    return ToolError(
        f"the builder {name} does not answer: {why}",
        hint=f"docker buildx inspect {name} says more",
        command=outcome.command.text(),
    )
