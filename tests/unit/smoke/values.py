"""Profiles, locks and what containers leave, in small."""

from __future__ import annotations

import textwrap

import msgspec

from envbuild.lock.model import Provided, VariantLock
from envbuild.profile.resolve import Source, resolve
from envbuild.profile.resolved import Variant
from envbuild.smoke import planning
from envbuild.smoke.drafts import Image, Options, Question
from envbuild.smoke.machine import Machine
from envbuild.smoke.model import Ended, Intent, Ran, Told, Traces, Trial
from envbuild.tools.driver import Gpu
from tests.support import locks

H100 = Machine(gpus=(Gpu(name="NVIDIA H100", driver="575.57.08", architecture="sm_90"),))
L40S = Machine(gpus=(Gpu(name="NVIDIA L40S", driver="575.57.08", architecture="sm_89"),))

BASE = """
    schema: 1
    name: one
    summary: A profile of the tests
    as-of: 2026-01-01T00:00:00Z
    accept-eula: true
    base: {image: "docker.io/library/ubuntu:22.04", distribution: ubuntu-22.04}
    python: {version: "3.11", source: uv, prefix: /opt/venv, requirements: [numpy]}
    variants: {linux-amd64-cu126: {}}
    """

SIMULATOR = """
    schema: 1
    name: sim
    summary: A profile of the tests
    as-of: 2026-01-01T00:00:00Z
    accept-eula: true
    base: {image: "nvcr.io/nvidia/isaac-sim:5.0.0", distribution: ubuntu-22.04}
    python:
      version: "3.11"
      source: image
      interpreter: /isaac-sim/python.sh
      bundled-sites: [/isaac-sim/ext*/*/pip_prebundle]
    variants: {linux-amd64-cu128: {}}
    """

SMOKE = """
    smoke:
      - name: packages
        imports: [numpy]
    """


def profile(text: str) -> Variant:
    """The first variant of a profile."""
    text = textwrap.dedent(text)
    name = next(line.split()[1] for line in text.splitlines() if line.startswith("name:"))
    source = Source(name=name, file=f"envs/{name}.yaml", text=text)
    return resolve(name, {name: source}).variants[0]


def lock(*names: str, numpy: str = "1.26.4") -> VariantLock:
    """A lock of NumPy and other packages in version 1.0."""
    own = [locks.package("numpy", numpy)] if numpy else []
    return locks.variant(*own, *(locks.package(name, "1.0") for name in names))


def bundled(numpy: str = "1.26.0") -> VariantLock:
    """A lock over an image that brings its NumPy."""
    return locks.variant(provided=(Provided(name="numpy", by="isaac-sim-5-0-0", version=numpy),))


def asked(
    text: str,
    locked: VariantLock | None = None,
    **values: Machine | Options | Image,
) -> Question:
    """``machine``, ``options`` and ``image`` are what they are by default, unless given."""
    return Question(variant=profile(text), locked=locked or lock(), **values)


def intent(text: str, locked: VariantLock | None = None, **values) -> Intent:
    return planning.intent(asked(text, locked, **values))


def written(trial: Trial, **verdicts: str) -> bytes:
    """A verdict file: every check passes but those that are named, with their reason."""
    rows = [
        {
            "check": step["check"],
            "verdict": "fail" if step["check"] in verdicts else "pass",
            "reason": verdicts.get(step["check"], ""),
            "seconds": 0.1,
            "lines": [],
        }
        for step in trial.steps
    ]
    return msgspec.json.encode({"schema": 1, "results": rows})


def ended(code: int = 0, **values) -> Ended:
    given = {"stopped": "", "seconds": 1.0, "closing": 0.1, "killed_for_memory": False}
    return Ended(code=code, **{**given, **values})


def ran(*traces: Traces, static: tuple[Told, ...] | None = (), **values) -> Ran:
    given = {"code": 0, "timed_out": False, "seconds": 2.0, "python": "3.11.7"}
    return Ran(static=static, tests=traces, **{**given, **values})
