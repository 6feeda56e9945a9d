"""What is judged without running anything: the image's own words, and the machine. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envbuild.engines.model import ImageFacts
from envbuild.lock.folder import lock_digest
from envbuild.profile.model import Environment
from envbuild.smoke.drafts import Question
from envbuild.smoke.machine import Machine, older
from envbuild.smoke.model import CheckResult, Verdict

LABEL = "io.envbuild.lock-digest"

_SWALLOWS = re.compile(r"/runheadless(?:\.\w+)?\.sh$")
"""Entrypoints of Isaac Sim images that take a command for arguments (IsaacLab#949)."""

_BEFORE = ("lock", "entrypoint")
_OF_MACHINE = ("gpu", "driver")


def names(asked: Question) -> tuple[tuple[str, str], ...]:
    """Test and name of every check that :func:`checks` gives."""
    return (
        *(("image", name) for name in _BEFORE),
        *(("machine", name) for name in _OF_MACHINE if _asked_for(asked, name)),
    )


def checks(asked: Question, facts: ImageFacts, *, strict: bool) -> tuple[CheckResult, ...]:
    """The checks of the image's labels and entrypoint, and of the machine's GPUs."""
    environment = asked.variant.environment
    return (
        _lock(asked, facts, strict=strict),
        _entrypoint(environment, facts),
        *_machine(asked, asked.machine),
    )


def _lock(asked: Question, facts: ImageFacts, *, strict: bool) -> CheckResult:
    wanted = lock_digest(asked.locked)
    found = dict(facts.labels).get(LABEL, "")
    if found == wanted:
        return CheckResult(test="image", name="lock", verdict="pass", reason=wanted[:19])
    said = f"is of another lock ({found[:19]}…)" if found else f"has no label {LABEL}"
    told = f"the image {said}; the lock is {wanted[:19]}…: build it anew"
    return CheckResult(test="image", name="lock", verdict="fail" if strict else "warn", reason=told)


def _entrypoint(environment: Environment, facts: ImageFacts) -> CheckResult:
    wanted, found = environment.entrypoint, facts.entrypoint
    verdict: Verdict = "pass"
    reason = " ".join(found) or "none: a command runs as it is written"
    if wanted and found != wanted:
        verdict = "fail"
        reason = f"it is {' '.join(found) or 'none'}, and the profile's is {' '.join(wanted)}"
    if found != wanted and found and _SWALLOWS.search(found[0]):
        verdict = "fail"
        reason = f"a command becomes its arguments: {found[0]} python …"
    return CheckResult(test="image", name="entrypoint", verdict=verdict, reason=reason)


def _asked_for(asked: Question, name: str) -> bool:
    hardware = asked.variant.environment.hardware
    if name == "gpu":
        return bool(hardware.gpus)
    return bool(hardware.driver.min or hardware.driver.below)


def _machine(asked: Question, machine: Machine) -> Iterator[CheckResult]:
    for name in _OF_MACHINE:
        if not _asked_for(asked, name):
            continue
        if not machine.gpus:
            yield CheckResult(
                test="machine", name=name, verdict="not-run", reason=f"needs a GPU ({machine.why})"
            )
        elif name == "gpu":
            yield _gpu(asked.variant.environment, machine)
        else:
            yield _driver(asked.variant.environment, machine)


def _gpu(environment: Environment, machine: Machine) -> CheckResult:
    meant = environment.hardware.gpus
    told = ", ".join(f"{one.name or 'a GPU'} {one.architecture}".strip() for one in machine.gpus)
    known = {one.architecture for one in machine.gpus if one.architecture}
    foreign = bool(known) and not known & {*meant}
    reason = f"{told}; the profile is for {', '.join(meant)}" if foreign else told
    verdict: Verdict = "warn" if foreign or not known else "pass"
    return CheckResult(test="machine", name="gpu", verdict=verdict, reason=reason)


def _driver(environment: Environment, machine: Machine) -> CheckResult:
    window = environment.hardware.driver
    found = next((one.driver for one in machine.gpus if one.driver), "")
    if not found:
        return CheckResult(
            test="machine", name="driver", verdict="warn", reason="its version is not known"
        )
    if window.min and older(found, window.min):
        return CheckResult(
            test="machine",
            name="driver",
            verdict="fail",
            reason=f"it is {found}, needed is {window.min}: it is too old",
        )
    if window.below and not older(found, window.below):
        return CheckResult(
            test="machine",
            name="driver",
            verdict="fail",
            reason=f"it is {found}, it must be below {window.below}: it is too new",
        )
    return CheckResult(test="machine", name="driver", verdict="pass", reason=found)
