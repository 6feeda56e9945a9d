"""Which engine builds and runs images here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envbuild.engines import candidates, probing, remembering
from envbuild.engines.candidates import INSTALL, Name, Refusal
from envbuild.engines.model import Engine
from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Runner

ORDER: tuple[Name, ...] = ("podman", "buildah", "docker")
"""What is asked first: what needs no daemon, and sets times in layers by itself."""

WANTED = ("auto", *ORDER)


def find(
    wanted: str, environ: Mapping[str, str], runner: Runner, *, cache: str | None = None
) -> Engine:
    """An engine that works here: ``podman``, ``buildah``, ``docker``, or the first (``auto``).

    What it can do is found by a build of a second (:mod:`envbuild.engines.probing`). ``auto`` takes
    the first that builds without network and runs containers, and one that can do less only where
    none can do all. ``cache`` is a folder in which the answer is kept for a day; None asks anew.

    Raises:
        InputError: ``wanted`` is no engine's name.
        ToolError: none works; it says for every candidate why not, and the way out.
    """
    if wanted not in WANTED:
        raise InputError(f"{wanted!r} is no engine", hint=f"known are {', '.join(WANTED)}")
    refusals = []
    best: Engine | None = None
    for name in ORDER if wanted == "auto" else [one for one in ORDER if one == wanted]:
        for found in _each(name, environ, runner, cache=cache):
            if isinstance(found, Refusal):
                refusals.append(found)
            elif _complete(found, alone=wanted == "buildah"):
                return found
            elif best is None or (found.capabilities.no_network > best.capabilities.no_network):
                best = found
    if best is None:
        raise _nothing(wanted, refusals)
    return best


def _each(
    name: Name, environ: Mapping[str, str], runner: Runner, *, cache: str | None
) -> Iterator[Engine | Refusal]:
    """What each program of a name is; one refusal where there is no such program."""
    paths = tuple(candidates.programs(name, environ))
    if not paths:
        yield Refusal(who=name, why="is not installed", hint=INSTALL[name])
    for path in paths:
        candidate = candidates.ask(name, path, runner=runner, environ=environ)
        if isinstance(candidate, Refusal):
            yield candidate
            continue
        memory = remembering.Memory(cache, candidate, environ)
        known = memory.recall()
        if known is not None:
            yield known
            continue
        found = probing.probed(candidate, runner=runner, environ=environ)
        memory.keep(found)
        yield found


def _complete(engine: Engine, *, alone: bool) -> bool:
    able = engine.capabilities
    return able.no_network and (able.runs or alone)


def _nothing(wanted: str, refusals: list[Refusal]) -> ToolError:
    """One sentence for each candidate, and one way out for each that has another."""
    every = "; ".join(f"{one.who} {one.why}" for one in refusals)
    if wanted == "auto":
        missing = [one for one in refusals if one.why != "is not installed"]
        ways = [one.hint for one in missing] or [INSTALL["podman"]]
        said = f"no engine works here: {every}"
    else:
        ways = [one.hint for one in refusals]
        said = f"{wanted} does not work here: {every}"
    return ToolError(said, hint="; or ".join(dict.fromkeys(ways)))
