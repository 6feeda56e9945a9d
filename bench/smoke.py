"""What ``envbuild smoke`` costs above a container that imports the same."""

from __future__ import annotations

from pathlib import Path

from bench.build import VERSIONS
from bench.standing import ENVBUILD, LIGHT, PROFILE, PYTHON, Standing, cores, identity, standing
from bench.timing import medians

GOAL = 1.5
"""Seconds above a bare container."""

_RUN = ("podman", "run", "--rm", "--network=none")


def smoke(runs: int, workspace: Path | None, image: str | None) -> str:
    """Seconds of ``envbuild smoke`` of one profile and of ``podman run`` with the same imports,
    turn by turn.

    ``workspace`` is one of the user's whose profile was built; ``image`` is then its image, whose
    entrypoint gets ``-c "import numpy"``. Without them both are of a profile of its own.
    """
    if workspace is not None:
        users = (*_RUN, image or "", "-c", "import numpy")
        return _figures(runs, workspace, users, ())
    with standing() as place:
        place.lock(VERSIONS[0])
        place.envbuild("build", *place.mirror)
        program = (f"--entrypoint={PYTHON}", identity(place.folder))
        bare = (*_RUN, *program, "-c", f"import numpy, {LIGHT}")
        return _figures(runs, place.folder, bare, _settings(place))


def _settings(place: Standing) -> tuple[str, ...]:
    kept = ("CONTAINERS_", "XDG_CACHE_HOME")
    named = (f"{k}={v}" for k, v in place.environment.items() if k.startswith(kept))
    return ("env", *named)


def _figures(runs: int, folder: Path, bare: tuple[str, ...], settings: tuple[str, ...]) -> str:
    ours = (ENVBUILD, "--quiet", "smoke", *((PROFILE,) if settings else ()))
    commands = {"podman run": (*settings, *bare), "envbuild smoke": (*settings, *ours)}
    seconds = medians(commands, folder, runs=runs)
    above = seconds["envbuild smoke"] - seconds["podman run"]
    verdict = "ok" if above <= GOAL else "MISSED"
    lines = [f"a smoke test against its bare import, medians of {runs}, {cores()}"]
    lines += [f"  {name:<16} {value:6.2f} s" for name, value in seconds.items()]
    return "\n".join((*lines, f"  above: {above:.2f} s   aim <= {GOAL} s {verdict}"))
