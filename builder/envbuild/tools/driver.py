"""NVIDIA's driver on this machine, by what the kernel and nvidia-smi say: no library is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from envbuild.tools import env
from envbuild.tools.proc import Command, Outcome, Runner

KERNEL = "/proc/driver/nvidia/version"
"""Where the kernel module says its version."""

_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")
_SECONDS = 30.0
_MODULE = re.compile(r"Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s")


class Gpu(Struct, frozen=True, kw_only=True):
    """One GPU: ``architecture`` as ``sm_90``; what is not known is empty."""

    name: str = ""
    driver: str = ""
    architecture: str = ""


class Visible(Struct, frozen=True, kw_only=True):
    """A driver that is loaded: its version (``580.65.06``), and the GPUs that it shows."""

    version: str
    gpus: tuple[Gpu, ...] = ()


def visible(
    runner: Runner, environ: Mapping[str, str], read: Callable[[str], str | None]
) -> Visible | None:
    """The driver of this machine; None where none is seen.

    ``read`` gives the text of a file, None where there is none: the kernel's version stands in
    one, and holds where nvidia-smi is missing or does not work.
    """
    said = asked(runner, environ)
    found = gpus(said.stdout) if said.code == 0 else ()
    kernel = _MODULE.search(read(KERNEL) or "")
    version = kernel[1] if kernel else next((one.driver for one in found if one.driver), "")
    return Visible(version=version, gpus=found) if version else None


def asked(runner: Runner, environ: Mapping[str, str]) -> Outcome:
    """What nvidia-smi answers; a missing program and a failure are outcomes."""
    variables = tuple(env.solver_environment(environ, offline=True).items())
    return runner(Command(argv=_QUERY, environment=variables, timeout=_SECONDS))


def gpus(text: str) -> tuple[Gpu, ...]:
    """The GPUs of an answer of nvidia-smi."""
    return tuple(map(_gpu, filter(None, text.splitlines())))


def _gpu(line: str) -> Gpu:
    name, driver, capability = (*(part.strip() for part in line.split(",")), "", "", "")[:3]
    digits = capability.replace(".", "")
    known = digits if digits.isdigit() else ""
    return Gpu(name=name, driver=driver, architecture=f"sm_{known}" if known else "")
