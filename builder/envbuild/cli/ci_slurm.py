"""The options of ``envbuild ci slurm`` as choices, and an image asked on a machine of a cluster."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

import envbuild
from envbuild.errors import InputError
from envbuild.forge import choices, slurm
from envbuild.forge.choices import SlurmChoices

if TYPE_CHECKING:
    from envbuild.cli.ci_writing import Make
    from envbuild.cli.main import Session
    from envbuild.forge.model import Written
    from envbuild.forge.slurm import Locked
    from envbuild.smoke.choosing import Target
    from envbuild.smoke.cluster import Runtime


def files_of(session: Session) -> Make:
    """What makes the files: it reads the locks of the workspace where it must."""

    def make(
        chosen: Mapping[str, object], templates: Mapping[str, str], words: tuple[str, ...]
    ) -> tuple[Written, ...]:
        wanted = _choices(chosen)
        locked = tuple(_locked(session)) if wanted.runtime == "apptainer" else ()
        return slurm.slurm(wanted, templates, words=words, locked=locked)

    return make


def _choices(chosen: Mapping[str, object]) -> SlurmChoices:
    shards, cpus = chosen["shards"], chosen["cpus"]
    return choices.checked_slurm(
        SlurmChoices(
            runtime=str(chosen["runtime"] or "apptainer"),
            images=str(chosen["images"] or "oci:images"),
            shards=shards if isinstance(shards, int) else 4,
            install=f"envbuild=={envbuild.__version__}",
            partition=str(chosen["partition"] or ""),
            account=str(chosen["account"] or ""),
            gres=str(chosen["gres"] or ""),
            time=str(chosen["time"] or "08:00:00"),
            cpus=cpus if isinstance(cpus, int) else 8,
            memory=str(chosen["memory"] or ""),
            work=str(chosen["work"] or ".envbuild/slurm"),
        )
    )


def _locked(session: Session) -> Iterator[Locked]:
    from envbuild.cli import common, locking
    from envbuild.lock import folder
    from envbuild.lock.folder import lock_digest
    from envbuild.smoke.planning import interpreter

    found = session.workspace.profiles()
    for profile in common.chosen(found, ()).values():
        header = folder.read(*locking.workspace_path(session.workspace, profile.name)).header
        for variant in profile.variants:
            if header is None or variant.name not in header.variants:
                raise InputError(
                    f"{profile.name} has no lock for {variant.name}",
                    hint=f"envbuild lock {profile.name}",
                )
            yield slurm.Locked(
                variant=variant,
                lock=lock_digest(header.variants[variant.name]),
                interpreter=interpreter(variant.environment.python),
            )


def smoke(session: Session, profile: str, chosen: Mapping[str, object]) -> int:
    """Ask an image by the runtime of a cluster.

    Raises:
        InputError: there is no such profile, variant or image.
        ToolError: the runtime is missing or fails.
    """
    from envbuild.cli import common, smoking
    from envbuild.report import plain
    from envbuild.smoke import asking, choosing, cluster, telling
    from envbuild.tools import files, proc

    runtime = cast("Runtime", chosen["runtime"])
    resolved = common.chosen(session.workspace.profiles(), (profile,))[profile]
    image = str(chosen["image"])
    if runtime == "apptainer":
        image = os.path.abspath(os.path.join(session.here, os.path.expanduser(image)))
    variant = str(chosen["variant"]) if chosen["variant"] else None
    target = choosing.target(session.workspace, resolved, variant=variant, image=image)
    tools = asking.tools(
        cluster.NO_ENGINE,
        runner=proc.run,
        environ=dict(os.environ),
        signatures=lambda: smoking.signatures(session),
    )
    place = _place(session, target, str(chosen["keep"] or ""))
    job = asking.Job(target=target, tools=tools, wishes=asking.Wishes(strict=True), place=place)
    report = cluster.ask(job, runtime, _program(runtime))
    smoking.tell(session.console, report)
    if chosen["output"]:
        path = os.path.abspath(os.path.join(session.here, str(chosen["output"])))
        data = plain.as_json({"reports": [telling.as_data(report)]}).encode()
        files.write_tree(os.path.dirname(path), {os.path.basename(path): data})
    return 0 if report.ok else 1


def _place(session: Session, target: Target, keep: str) -> str:
    """The folder of logs and verdicts.

    Raises:
        InputError: it holds something else.
    """
    from envbuild.smoke import choosing

    if not keep:
        return os.path.abspath(choosing.default_place(session.workspace.root, target))
    place = os.path.abspath(os.path.join(session.here, os.path.expanduser(keep)))
    if os.path.isdir(place) and os.listdir(place) and not os.path.exists(f"{place}/plan.json"):
        raise InputError(f"--keep {keep}: it holds other files", hint="name a new folder")
    return place


def _program(runtime: Runtime) -> str:
    """The program of a runtime; of Apptainer by its older name, where only that is there."""
    if runtime == "pyxis":
        return "srun"
    found = [name for name in ("apptainer", "singularity") if shutil.which(name)]
    return (*found, "apptainer")[0]
