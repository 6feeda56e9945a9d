"""``envbuild ci``: the files of the user's forge and cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from envbuild.cli import common

if TYPE_CHECKING:
    from envbuild.cli.main import Session

_Command = Callable[..., int]


def _writing(command: _Command) -> _Command:
    """The options of every command that writes files."""
    options = (
        click.option("-o", "--output", metavar="DIR", help="Write below it, not in the workspace."),
        click.option("--check", is_flag=True, help="Only say whether the files are as written."),
        click.option("--stdout", "to_stdout", is_flag=True, help="Print the files, write nothing."),
        click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, and why."),
        click.option("--force", is_flag=True, help="Write over files of somebody else too."),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), command)


def _of_forge(command: _Command) -> _Command:
    """The options of GitHub and GitLab alike."""
    labels = "[ARCH=]LABEL,…"
    options = (
        click.option(
            "--runner", multiple=True, metavar=labels, help="Machines of an architecture."
        ),
        click.option("--gpu-runner", multiple=True, metavar=labels, help="Those that have a GPU."),
        click.option("--registry", metavar="REPO", help="Keep layers of builds below there."),
        click.option("--schedule", metavar="CRON", help="When a night begins (UTC)."),
        click.option("--relock", metavar="CRON", help="When locks are made anew (UTC)."),
        click.option("--shards", type=click.IntRange(1, 50), help="Parts of a night at a time."),
        click.option("--history", metavar="git:BRANCH", help="The branch that keeps the nights."),
        click.option("--install", metavar="WHAT", help="What pip is told; default this version."),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), command)


@click.group("ci")
def command() -> None:
    """Write the workflows of a forge, or the jobs of a cluster, for this workspace.

    Each file begins with the command that wrote it. An option that is not given again is taken
    from there: `envbuild ci github --check` needs none. A file of somebody else is left as it is.
    """


@command.command("github", short_help="Workflows of GitHub: night, pull request, relock.")
@_writing
@_of_forge
@click.option("--sarif/--no-sarif", default=None, help="Findings go to code scanning.")
@click.pass_obj
def github(session: Session, /, **chosen: object) -> int:
    """Write .github/workflows/envbuild-{nightly,pull-request,relock}.yml."""
    from envbuild.cli import ci_forges, ci_writing

    return ci_writing.run(session, "github", ci_forges.github, chosen)


@command.command("gitlab", short_help="The pipeline of GitLab: the same three.")
@_writing
@_of_forge
@click.pass_obj
def gitlab(session: Session, /, **chosen: object) -> int:
    """Write .gitlab-ci.yml. Machines are runners by their tags."""
    from envbuild.cli import ci_forges, ci_writing

    return ci_writing.run(session, "gitlab", ci_forges.gitlab, chosen)


@command.command("slurm", short_help="An array job of a cluster, by Apptainer, Pyxis or podman.")
@_writing
@click.option(
    "--runtime",
    type=click.Choice(["apptainer", "pyxis", "podman"]),
    help="Who starts an image there; default apptainer.",
)
@click.option("--images", metavar="PLACE", help="A registry's repository, or oci:DIR.")
@click.option("--shards", type=click.IntRange(1, 1000), help="Tasks of the array; default 4.")
@click.option("--partition", metavar="NAME", help="As sbatch takes it.")
@click.option("--account", metavar="NAME", help="As sbatch takes it.")
@click.option("--gres", metavar="WHAT", help="The GPU of a task: gpu:1.")
@click.option("--time", metavar="TIME", help="The longest that a task may take.")
@click.option("--cpus", type=click.IntRange(1, 1024), help="Cores of a task; default 8.")
@click.option("--memory", metavar="SIZE", help="Memory of a task: 32G.")
@click.option("--work", metavar="DIR", help="Images, results and logs; every node sees it.")
@click.pass_obj
def slurm(session: Session, /, **chosen: object) -> int:
    """Write slurm/: an array job, the job that merges it, definitions for Apptainer.

    `slurm/submit` begins a night. Images are those of `envbuild build --push --tag
    PLACE/{profile}:{variant}`, or with oci:DIR of `envbuild build --output
    oci:DIR/{profile}/{variant}`.
    """
    from envbuild.cli import ci_slurm, ci_writing

    return ci_writing.run(session, "slurm", ci_slurm.files_of(session), chosen)


@command.command("smoke", short_help="What works inside an image, by a cluster's own runtime.")
@click.argument("profile", metavar="PROFILE", shell_complete=common.complete_profiles)
@click.option("--variant", metavar="NAME", help="This one; else the first for this machine.")
@click.option("--runtime", type=click.Choice(["apptainer", "pyxis"]), required=True)
@click.option("--image", metavar="PLACE", required=True, help="A file.sif, or a reference.")
@click.option("--keep", metavar="DIR", help="Keep logs, verdicts and caches there.")
@click.option("-o", "--output", metavar="FILE", help="The report as JSON, for ci merge.")
@click.pass_obj
def smoke(session: Session, /, profile: str, **chosen: object) -> int:
    """Ask an image as `envbuild smoke` does, where no container engine may run.

    The same probes by `apptainer exec` or `srun --container-image`, in a job of the cluster. Its
    network stays on: to take it away wants rights that a user does not have there.
    """
    from envbuild.cli import ci_slurm

    return ci_slurm.smoke(session, profile, chosen)


@command.command("merge", short_help="One report of several images.")
@click.argument("named", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="The reports as JSON on stdout.")
@click.option("--junit", metavar="FILE", help="The reports as JUnit's XML.")
@click.pass_obj
def merge(session: Session, /, named: tuple[str, ...], **chosen: object) -> int:
    """Make one report of several images: files of `envbuild ci smoke` and `smoke --json`.

    For the parts of one image that machines shared, `envbuild smoke --merge` is there.
    """
    from envbuild.cli import ci_merging

    return ci_merging.merge(session, named, chosen)


@command.command(
    "targets", short_help="The variants that there are to build, or that have changed."
)
@click.option("--base", metavar="REV", help="Only what differs from there.")
@click.option("--runner", multiple=True, metavar="[ARCH=]LABEL,…", help="As for github.")
@click.option("--gpu-runner", multiple=True, metavar="[ARCH=]LABEL,…", help="As for github.")
@click.option("--machine", metavar="NAME", help="Only what runs there: amd64, amd64-gpu, …")
@click.option("--shard", metavar="I/N", help="Only this part.")
@click.option("--shards", type=click.IntRange(1, 50), help="With --matrix: parts, not variants.")
@click.option("--lines", "form", flag_value="lines", help="PROFILE VARIANT on each line.")
@click.option("--profiles", "form", flag_value="profiles", help="PROFILE on each line.")
@click.option("--matrix", "form", flag_value="matrix", help="A matrix of GitHub on one line.")
@click.option("--json", "form", flag_value="json", help="As JSON on stdout.")
@click.pass_obj
def targets(session: Session, /, form: str | None, **chosen: object) -> int:
    """List the variants that there are to build, and on which machine.

    With --base REV: those of the profiles that differ from that revision, with the reason. A
    profile depends on its files and those it extends and copies, its lock, its Dockerfiles, and
    the templates.
    """
    from envbuild.cli import ci_targets

    return ci_targets.run(session, form, chosen)
