"""An image asked on a machine of a cluster: by Apptainer or by Pyxis, where no engine may run.

The same probes, the same plan, the same judgement; who starts the container is another. Neither
takes the network away from it: that wants rights which a user of a cluster does not have.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from envbuild.engines.model import Engine, ImageFacts, Mount
from envbuild.errors import InputError, ToolError
from envbuild.smoke import aside, asking, planning, running
from envbuild.smoke.asking import Job
from envbuild.smoke.model import CheckResult, Intent, SmokeReport
from envbuild.smoke.running import INSIDE, Scene
from envbuild.tools import typed
from envbuild.tools.proc import Command, Outcome

Runtime = Literal["apptainer", "pyxis"]

NO_ENGINE = Engine(name="podman", builder="podman", program=(), version="")
"""In the place of an engine, where a job asks for one and none is called."""

_KIT = ("cache", "data", "logs")
"""Folders of Kit that a simulator writes to beside the home; an image of Apptainer is read-only."""


class Attributes(Struct, frozen=True):
    """See :class:`Inspected`."""

    labels: dict[str, str] | None = None


class Data(Struct, frozen=True):
    """See :class:`Inspected`."""

    attributes: Attributes


class Inspected(Struct, frozen=True):
    """What ``apptainer inspect --json`` says, as far as it is read."""

    data: Data


def ask(job: Job, runtime: Runtime, program: str) -> SmokeReport:
    """Run every test of an image, and judge what it left. ``program`` is apptainer or srun.

    Raises:
        InputError: there is nothing to test, or a path cannot be mounted.
        ToolError: the runtime is missing, or cannot start the image.
    """
    tools = job.tools
    labels = _labels(job, program) if runtime == "apptainer" else None
    asked = asking.question(job)
    intent = planning.intent(asked)
    facts = ImageFacts(identity="", platform="", size=0, labels=tuple((labels or {}).items()))
    known = aside.checks(asked, facts, strict=job.wishes.strict)
    before = tuple(_known(one, runtime, labelled=labels is not None) for one in known)
    scene = asking.scene(job)
    running.prepare(intent, scene.folder)
    make = apptainer if runtime == "apptainer" else pyxis
    for mount in written(intent, scene.folder) if runtime == "apptainer" else ():
        os.makedirs(mount.source, exist_ok=True)
    command = make(intent, scene, program, environ=tools.environ)
    outcome = tools.runner(command)
    _refuse_failed(runtime, program, outcome)
    ran = running.read(intent, outcome, f"{scene.folder}/out")
    return replace(asking.judged(job, intent, ran, before), engine=runtime)


def apptainer(intent: Intent, scene: Scene, program: str, *, environ: Mapping[str, str]) -> Command:
    """The command that asks an image of Apptainer. Pure.

    Nothing of the user's home comes in: packages in ``~/.local`` would stand in front of the
    image's. The home is a fresh folder that can be written to, where a simulator has its caches.

    Raises:
        InputError: a path cannot be mounted.
    """
    mounts = (*running.ours(scene.folder), *written(intent, scene.folder), *scene.mounts)
    argv = (
        program,
        "exec",
        "--contain",
        "--cleanenv",
        "--writable-tmpfs",
        "--home",
        f"{scene.folder}/home",
        *(("--nv",) if scene.gpus else ()),
        *(f"--mount={_mount(one)}" for one in mounts),
        scene.image,
        *_inside(intent),
    )
    inner = (("PYTHONNOUSERSITE", "1"), *scene.environment)
    handed = ((f"{kind}ENV_{name}", value) for name, value in inner for kind in _KINDS)
    variables = (*environ.items(), *handed)
    return Command(argv=argv, environment=variables, timeout=intent.seconds)


_KINDS = ("APPTAINER", "SINGULARITY")
"""What stands before variables for the inside; the second is read by its older name."""


def pyxis(intent: Intent, scene: Scene, program: str, *, environ: Mapping[str, str]) -> Command:
    """The command that asks an image by Slurm's plugin Pyxis, as one task of this job. Pure.

    Raises:
        InputError: a path cannot be mounted.
    """
    mounts = (*running.ours(scene.folder), *scene.mounts)
    names = ("PYTHONNOUSERSITE", *(name for name, _ in scene.environment))
    argv = (
        program,
        "--ntasks=1",
        f"--container-image={_enroot(scene.image)}",
        f"--container-mounts={','.join(_pyxis_mount(one) for one in mounts)}",
        f"--container-env={','.join(names)}",
        "--container-writable",
        "--no-container-mount-home",
        "--no-container-entrypoint",
        *_inside(intent),
    )
    variables = (*environ.items(), ("PYTHONNOUSERSITE", "1"), *scene.environment)
    return Command(argv=argv, environment=variables, timeout=intent.seconds)


def written(intent: Intent, folder: str) -> tuple[Mount, ...]:
    """The folders that an image of Apptainer must be able to write to, beside its home."""
    cores = intent.plan.static.cores[:1] if intent.plan.static.simulator else ()
    kits = [core.rpartition("/")[0] for core in cores]
    inner = [
        Mount(source=f"{folder}/kit/{name}", target=f"{kit}/{name}", writable=True)
        for kit in kits
        for name in _KIT
    ]
    return (Mount(source=f"{folder}/home", target=f"{folder}/home", writable=True), *inner)


def _inside(intent: Intent) -> tuple[str, ...]:
    probes = f"{INSIDE}/probes/supervise.py"
    return (intent.interpreter, probes, f"{INSIDE}/plan.json", f"{INSIDE}/out")


def _mount(one: Mount) -> str:
    _refuse_signs(one, ',"\n')
    access = "" if one.writable else ",ro"
    return f"type=bind,source={one.source},destination={one.target}{access}"


def _pyxis_mount(one: Mount) -> str:
    _refuse_signs(one, ",:\n")
    return f"{one.source}:{one.target}" if one.writable else f"{one.source}:{one.target}:ro"


def _refuse_signs(one: Mount, signs: str) -> None:
    for path in (one.source, one.target):
        if any(sign in path for sign in signs):
            raise InputError(f"{path!r} cannot be mounted into a container", hint="rename it")


def _enroot(reference: str) -> str:
    """``ghcr.io/a/b:c`` as Enroot has it: ``ghcr.io#a/b:c``; a file stays what it is."""
    host, slash, rest = reference.partition("/")
    is_host = slash and host and ("." in host or ":" in host)
    return f"{host}#{rest}" if is_host and not reference.startswith((".", "/")) else reference


def _labels(job: Job, program: str) -> dict[str, str]:
    image, tools = job.target.image, job.tools
    if not os.path.exists(image):
        raise InputError(f"there is no image {image}", hint="apptainer build makes it: docs/ci.md")
    argv = (program, "inspect", "--json", image)
    outcome = tools.runner(Command(argv=argv, environment=tuple(tools.environ.items())))
    if outcome.code:
        raise _failed("apptainer", program, outcome)
    return typed.decode(outcome.stdout, Inspected).data.attributes.labels or {}


def _known(one: CheckResult, runtime: Runtime, *, labelled: bool) -> CheckResult:
    """A check of the image's own words, where the runtime keeps these words."""
    if one.test != "image" or (one.name == "lock" and labelled):
        return one
    reason = f"{runtime} does not say what the image's {_WORDS[one.name]}"
    return CheckResult(test=one.test, name=one.name, verdict="not-run", reason=reason)


_WORDS = {"lock": "labels are", "entrypoint": "entrypoint was"}


def _refuse_failed(runtime: Runtime, program: str, outcome: Outcome) -> None:
    """Refuse a run that the probes have not even begun.

    Raises:
        ToolError: the runtime is missing, or could not start the image.
    """
    if outcome.missing or (outcome.code and running.MARK not in outcome.stdout):
        raise _failed(runtime, program, outcome)


def _failed(runtime: Runtime, program: str, outcome: Outcome) -> ToolError:
    what = "is not installed" if outcome.missing else "could not run the image"
    return ToolError(
        f"{runtime} {what}",
        hint=None if not outcome.missing else f"load its module, so that {program} is on PATH",
        command=outcome.command.text(),
        output=outcome.stderr or outcome.stdout,
    )
