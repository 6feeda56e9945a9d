"""What the machine has that a test may need: GPUs, and whether they can trace rays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from envbuild.knowledge import facts
from envbuild.smoke.model import Need
from envbuild.tools import driver
from envbuild.tools.driver import Gpu
from envbuild.tools.proc import Runner

_NODES = re.compile(r"^nvidia\d+$|^nvhost-gpu$|^nvgpu$")
"""Device files of a GPU, where nvidia-smi is not installed (Jetson has none at all)."""

_NO_RAYS = re.compile(r"\bGTX\b|\bTesla [KMPV]\d|\b[VP]100\b|\bTITAN (?:X|V|Xp)\b", re.IGNORECASE)
"""GPUs of an architecture with ray tracing that have none, and older ones."""

_FIRST_RAYS = 75
"""sm_75, Turing: the first architecture with RT cores."""


class Machine(Struct, frozen=True, kw_only=True):
    """The GPUs of this machine. ``why`` says what was looked for where there is none."""

    gpus: tuple[Gpu, ...] = ()
    why: str = "this machine has no GPU"

    def lacks(self, need: Need) -> str:
        """Why a test that needs something is not run; empty where it can be."""
        if not self.gpus:
            return f"needs {_WORDS[need]} ({self.why})"
        if need == "rt-cores" and not any(has_rt_cores(one) for one in self.gpus):
            names = ", ".join(dict.fromkeys(one.name or "the GPU" for one in self.gpus))
            return f"needs RT cores ({names} has none)"
        return ""


_WORDS: Mapping[Need, str] = {"gpu": "a GPU", "rt-cores": "RT cores"}


def look(
    runner: Runner, environ: Mapping[str, str], devices: Callable[[], Iterable[str]]
) -> Machine:
    """The GPUs that the driver tells of, else those that have a device file.

    ``devices`` lists the names in ``/dev``.
    """
    said = driver.asked(runner, environ)
    if said.code == 0:
        return Machine(gpus=driver.gpus(said.stdout), why="its driver knows no GPU")
    nodes = [name for name in devices() if _NODES.match(name)]
    if nodes and said.missing:
        return Machine(gpus=(Gpu(),))
    if nodes:
        words = (said.stderr or said.stdout).strip().splitlines()[:1]
        return Machine(why=f"nvidia-smi does not reach its GPU: {' '.join(words)}")
    return Machine()


def has_rt_cores(gpu: Gpu) -> bool:
    """Whether a GPU can trace rays; of one that nothing is known of, it is believed.

    What is known of an architecture stands in ``knowledge/facts/gpus.yaml``.
    """
    if _NO_RAYS.search(gpu.name):
        return False
    if not gpu.architecture:
        return True
    floor = facts.gpu_floor(gpu.architecture)
    if floor is not None and "no RT cores" in (floor.remark or ""):
        return False
    return int(gpu.architecture[3:]) >= _FIRST_RAYS


def older(version: str, than: str) -> bool:
    """Whether a driver's version is before another."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
