"""An image asked: from the name of a profile to a report."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from envbuild.build import records
from envbuild.engines import images
from envbuild.engines.model import Engine, ImageFacts, Mount
from envbuild.errors import InputError
from envbuild.lock.folder import lock_digest
from envbuild.plan import Shard
from envbuild.smoke import aside, judging, machine, planning, running
from envbuild.smoke.choosing import Target
from envbuild.smoke.drafts import Image, Options, Question
from envbuild.smoke.machine import Machine
from envbuild.smoke.model import Cause, CheckResult, Intent, Need, Ran, SmokeReport
from envbuild.smoke.running import Means, Scene
from envbuild.tools.proc import Runner

if TYPE_CHECKING:
    from envbuild.knowledge.signaturebook import Signature


def _shipped() -> tuple[Signature, ...]:
    from envbuild.knowledge import signaturebook

    return signaturebook.shipped()


class Wishes(Struct, frozen=True, kw_only=True):
    """What a user asks for beside the plan.

    ``environment`` and ``mounts`` go into the container; ``required`` needs must be met;
    ``strict``: an image of another lock has failed.
    """

    options: Options = Options()
    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    memory: str | None = None
    required: tuple[Need, ...] = ()
    strict: bool = False
    gpus: bool = True


class Tools(Struct, frozen=True, kw_only=True):
    """What an image is asked with; ``signatures`` are asked for only when a check fails."""

    engine: Engine
    runner: Runner
    environ: Mapping[str, str]
    machine: Machine
    progress: Callable[[str], None] = lambda _: None
    signatures: Callable[[], Sequence[Signature]] = _shipped


class Job(Struct, frozen=True, kw_only=True):
    """One image to ask; ``place`` is the folder for its logs, ``shard`` the part that is run."""

    target: Target
    tools: Tools
    wishes: Wishes
    place: str
    shard: Shard | None = None


def tools(
    chosen: Engine,
    *,
    runner: Runner,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _: None,
    signatures: Callable[[], Sequence[Signature]] = _shipped,
) -> Tools:
    """What images are asked with on this machine, whose GPUs are looked for."""
    found = machine.look(runner, environ, lambda: os.listdir("/dev"))
    return Tools(
        engine=chosen,
        runner=runner,
        environ=environ,
        machine=found,
        progress=progress,
        signatures=signatures,
    )


def question(job: Job, facts: ImageFacts | None = None) -> Question:
    """What the plan of an image is made from; without ``facts`` nothing is known of the image."""
    known = Image()
    if facts is not None:
        command = (*facts.entrypoint, *facts.command)
        known = Image(environment=facts.environment, command=command)
    return Question(
        variant=job.target.variant,
        locked=job.target.locked,
        machine=job.tools.machine,
        options=job.wishes.options,
        image=known,
    )


def expected(job: Job) -> tuple[tuple[str, str], ...]:
    """Test and name of every check that :func:`ask` will report, without running anything.

    Raises:
        InputError: there is nothing to test.
    """
    asked = question(job)
    intent = planning.intent(asked)
    return (
        *aside.names(asked),
        ("image", "interpreter"),
        *(("static", name) for name in planning.static_checks(asked)),
        *((test.name, name) for test in intent.tests for name in test.checks),
    )


def image_facts(job: Job) -> ImageFacts:
    """What the engine says of the image.

    Raises:
        InputError: there is no such image.
    """
    one, tools = job.target, job.tools
    facts = images.facts(tools.engine, one.image, runner=tools.runner, environ=tools.environ)
    if facts is None:
        name = one.variant.environment.name
        raise InputError(
            f"{tools.engine.name} has no image {one.image}",
            hint=f"envbuild build {name} --variant {one.variant.name}, or name one with --image",
        )
    return facts


def ask(job: Job, facts: ImageFacts) -> SmokeReport:
    """Run every test of an image, of which ``facts`` are known, and judge what it left.

    Raises:
        InputError: there is nothing to test.
        ToolError: the engine failed.
    """
    asked = question(job, facts)
    intent = planning.intent(asked)
    before = aside.checks(asked, facts, strict=job.wishes.strict)
    ran = Ran(code=0, timed_out=False, seconds=0.0)
    if not _idle(job, intent):
        ran = running.run(intent, scene(job), _means(job.tools))
    return replace(judged(job, intent, ran, before), content=content(facts))


def _idle(job: Job, intent: Intent) -> bool:
    """Whether another machine runs all of it."""
    return bool(job.shard) and not intent.plan.tests and not intent.plan.static.checks


def content(facts: ImageFacts) -> str:
    """``sha256:`` and the digest of what an image holds and says, the same in every engine; empty
    where its engine names no layers."""
    if not facts.layers:
        return ""
    whole = "\n".join((records.settings(facts), *facts.layers))
    return f"sha256:{hashlib.sha256(whole.encode()).hexdigest()}"


def ask_one(job: Job, intent: Intent) -> tuple[SmokeReport, Ran]:
    """Run a plan of one's own in an image; what its tests left too.

    Raises:
        InputError: there is no such image.
        ToolError: the engine failed.
    """
    image_facts(job)
    ran = running.run(intent, scene(job), _means(job.tools))
    return judged(job, intent, ran, ()), ran


def judged(job: Job, intent: Intent, ran: Ran, before: tuple[CheckResult, ...]) -> SmokeReport:
    """The report on what a run has left, with the checks that were made ``before`` it."""
    reason = f"nothing of it is in shard {job.shard}" if _idle(job, intent) else ""
    after = judging.idle(intent, reason) if reason else judging.checks(intent, ran)
    found = _ordered(before, after, intent)
    checks, known = _explained(found, intent, ran, job.tools)
    return SmokeReport(
        profile=intent.profile,
        variant=intent.variant,
        image=job.target.image,
        engine=job.tools.engine.name,
        checks=checks,
        causes=known,
        missing=_missing(intent, job.tools.machine, job.wishes.required),
        python=ran.python,
        seconds=round(ran.seconds, 3),
        folder=job.place,
        lock=lock_digest(job.target.locked),
        shard=str(job.shard or ""),
    )


def _explained(
    found: tuple[CheckResult, ...], intent: Intent, ran: Ran, tools: Tools
) -> tuple[tuple[CheckResult, ...], tuple[Cause, ...]]:
    """The checks with their causes; where all is well nothing is loaded that knows of failures."""
    if all(one.verdict in ("pass", "not-run") for one in found):
        return found, ()
    from envbuild.smoke import causes

    logs = tuple(
        (test.name, tuple(data for _, data in ran.tests[test.number].logs))
        for test in intent.tests
        if test.number is not None
    )
    output = ran.output.encode(errors="replace")
    evidence = causes.Evidence(checks=found, logs=(("image", (output,)), *logs))
    explained = causes.explain(evidence, tools.signatures)
    return explained.checks, explained.causes


def scene(job: Job) -> Scene:
    """The container that an image is asked in."""
    wishes = job.wishes
    return Scene(
        image=job.target.image,
        folder=os.path.abspath(job.place),
        environment=wishes.environment,
        mounts=wishes.mounts,
        gpus=bool(job.tools.machine.gpus) and wishes.gpus,
        memory=wishes.memory,
    )


def _means(tools: Tools) -> Means:
    return Means(
        engine=tools.engine,
        runner=tools.runner,
        environ=tools.environ,
        progress=tools.progress,
    )


def _ordered(
    before: tuple[CheckResult, ...], after: tuple[CheckResult, ...], intent: Intent
) -> tuple[CheckResult, ...]:
    """The checks in the order of the report: image, machine, static stage, tests."""
    ranks = {"image": 0, "machine": 1, "static": 2}
    ranks |= {test.name: 3 + number for number, test in enumerate(intent.tests)}
    return tuple(sorted((*before, *after), key=lambda one: ranks[one.test]))


def _missing(intent: Intent, machine_: Machine, required: tuple[Need, ...]) -> tuple[Need, ...]:
    """The required needs for want of which a test was not run."""
    unmet = {test.unmet for test in intent.tests if test.unmet}
    if "gpu" in required and unmet and not machine_.gpus:
        unmet.add("gpu")
    return tuple(need for need in required if need in unmet)
