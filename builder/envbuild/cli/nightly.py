"""``envbuild nightly``: the whole chain for many profiles, to a history and a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.cli import common, night_options
from envbuild.history.model import STAGES

if TYPE_CHECKING:
    from envbuild.cli.main import Session

_STAGE = click.Choice(list(STAGES))


@click.command("nightly")
@common.profiles_argument
@click.option("--only", multiple=True, type=_STAGE, help="This stage (repeatable); no other.")
@click.option("--from", "from_", type=_STAGE, help="This stage and those behind it.")
@click.option("--no-upgrade", is_flag=True, help="Test the committed locks as they are.")
@click.option(
    "--keep-going", is_flag=True, help="Where the new lock fails, try the committed one too."
)
@click.option("--strict", is_flag=True, help="Warnings of check and audit count as errors.")
@click.option("--force", is_flag=True, help="Run what has not changed since the last night too.")
@click.option("--restart", is_flag=True, help="Begin anew, not where a killed night stopped.")
@click.option("--variant", multiple=True, metavar="NAME", help="This one (repeatable).")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Stages at a time.")
@click.option("--time-budget", metavar="TIME", help="No stage begins after it: 4h, 90m.")
@click.option("--disk-budget", metavar="SIZE", help="What images may take: 60GB.")
@click.option("--shard", metavar="I/N", help="Only this part of the profiles: 2/3.")
@click.option("--night", metavar="NAME", help="The name that the parts of one night share.")
@click.option("--history", metavar="PLACE", help="A folder, or git:BRANCH.")
@click.option("--report", metavar="DIR", help="Where the page goes; default .envbuild/report.")
@common.engine_option(help="Who builds and tests.")
@click.option(
    "-t", "--tag", metavar="REF", help="Names of images; default {profile}:{variant}-nightly."
)
@click.option("--push", is_flag=True, help="Push them.")
@click.option(
    "--mirror", multiple=True, metavar="PREFIX=PLACE", help="Read such images from there."
)
@click.option("--online", is_flag=True, help="Steps of builds use the network.")
@click.option("--network", type=click.Choice(["none", "host"]), help="host is --online.")
@click.option("--cache-from", multiple=True, metavar="REPO", help="Take layers from there.")
@click.option("--cache-to", multiple=True, metavar="REPO", help="Keep layers there.")
@click.option("--offline", is_flag=True, help="Fetch nothing: use what is cached alone.")
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, with the reasons.")
@click.option("--json", "as_json", is_flag=True, help="The night as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: object) -> int:
    """Run check, lock, audit, render, build and smoke for every profile, and write a report.

    The locks are upgraded in copies, so that what will break is seen while the committed locks
    stay: nothing of the workspace is written but .envbuild. A failure ends the stages of its own
    profile alone. A night that was killed is completed by the same command. The exit status is 1
    where something failed or was not finished.
    """
    options = night_options.options(chosen)
    from envbuild.cli import night_run  # with the rest of the chain, where it is needed

    return night_run.run(session, profiles, options)
