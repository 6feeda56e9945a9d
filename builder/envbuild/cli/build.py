"""``envbuild build``: images from locks and Dockerfiles, checked before they get a name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envbuild.build import planning, secrets
from envbuild.cli import build_options, build_report, build_targets, checking, common
from envbuild.cli.building import Outcome, Run
from envbuild.errors import EnvbuildError, InputError

if TYPE_CHECKING:
    from envbuild.cli.build_targets import Target
    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles


@click.command("build")
@common.profiles_argument
@click.option("--variant", multiple=True, metavar="NAME", help="This one (repeatable).")
@common.engine_option(help="Who builds; auto takes the first that works.")
@click.option("--builder", metavar="NAME", help="A builder of buildx builds, on other machines.")
@click.option(
    "-t", "--tag", multiple=True, metavar="REF", help="The image's name; default PROFILE:VARIANT."
)
@click.option("--push", is_flag=True, help="Push the names that have a registry in them.")
@click.option("--platform", metavar="OS/ARCH", help="Refuse variants that are for another one.")
@click.option("--online", is_flag=True, help="Steps use the network and your own package index.")
@click.option("--network", type=click.Choice(["none", "host"]), help="host is --online.")
@click.option(
    "--mirror", multiple=True, metavar="PREFIX=PLACE", help="Read such images from there."
)
@click.option("--ca-bundle", metavar="FILE", help="Certificates that steps trust, in no layer.")
@click.option(
    "--secret", multiple=True, metavar="id=NAME,src=FILE", help="A file for steps, in no layer."
)
@click.option("--cache-from", multiple=True, metavar="REPO", help="Take layers from there.")
@click.option("--cache-to", multiple=True, metavar="REPO", help="Keep layers there.")
@click.option("--no-cache", is_flag=True, help="Run every step anew.")
@click.option("--force", is_flag=True, help="Build what is unchanged too.")
@click.option("--offline", is_flag=True, help="Fetch nothing: use what is cached alone.")
@click.option("--vendor", metavar="DIR", help="Take everything from that folder alone.")
@click.option("-o", "--output", metavar="oci:DIR", help="Write the image as an OCI layout too.")
@click.option("--keep-context", is_flag=True, help="Keep the folder that the engine was given.")
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, with the reasons.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: object) -> int:
    """Build images from locks and Dockerfiles.

    Without PROFILE: every profile of the workspace, in the variants that this machine can run.
    Everything is fetched and checked by its hash beforehand, and the build has no network; with
    --online its steps fetch by themselves. An image gets its name when it has passed its checks.
    """
    options = build_options.options(chosen, session.here)
    for name in secrets.too_short(options.secrets):
        what = f"the secret {name} is too short to be looked for in the image"
        session.console.fail(what, kind="warning")
    found = session.workspace.profiles()
    run = Run(session, options, os.environ)
    targets, outcomes = _targets(run, found, profiles)
    if run.vendor:
        targets, lacking = run.vendor.checked(targets)
        outcomes += lacking
    for one in outcomes:
        build_report.say(session.console, one, session.workspace)
    if options.dry_run:
        return _plan(run, targets, outcomes)
    if targets:
        run.bench  # noqa: B018 (without an engine nothing is begun)
    for target in targets:
        outcomes.append(_built(run, target))
        build_report.say(session.console, outcomes[-1], session.workspace)
    if options.as_json:
        rows = (build_report.as_data(one, session.workspace) for one in outcomes)
        session.console.json(sorted(rows, key=lambda row: (row["profile"], row["variant"])))
    session.console.say(build_report.summary(outcomes))
    return build_report.exit_status(outcomes)


def _targets(
    run: Run, found: Profiles, names: tuple[str, ...]
) -> tuple[list[Target], list[Outcome]]:
    """What is to be built, and what became of the rest.

    Raises:
        InputError: no profile can be used, or an option fits none of them.
    """
    each = dict(common.each(found, names))
    good = {name: one for name, one in each.items() if not isinstance(one, InputError)}
    bad: dict[str, EnvbuildError] = {
        name: one for name, one in each.items() if isinstance(one, InputError)
    }
    build_targets.refuse_unknown(good, run.options.variants)
    bad |= checking.refused(run.session, found, good, locked=True)
    all_of = build_targets.Targets(run.session, found, run.options, builder=run.platforms)
    targets: list[Target] = []
    outcomes: list[Outcome] = []
    for name, profile in good.items():
        if name not in bad:
            try:
                own, left = all_of.of(profile)
            except EnvbuildError as error:
                bad[name] = error
                continue
            targets += own
            outcomes += (_skipped(profile, one) for one in left)
    planning.refuse_shared(run.options.names, len(targets), option="--tag")
    planning.refuse_shared(filter(None, (run.options.output,)), len(targets), option="--output")
    failed = (
        Outcome(profile=name, variant="", status="failed", error=error)
        for name, error in bad.items()
    )
    return targets, [*failed, *outcomes]


def _skipped(profile: ResolvedProfile, left: planning.Left) -> Outcome:
    return Outcome(profile=profile.name, variant=left.variant, status="skipped", reason=left.reason)


def _plan(run: Run, targets: list[Target], outcomes: list[Outcome]) -> int:
    """What would be done, on stdout."""
    left = (
        step
        for one in outcomes
        if one.status == "skipped"
        for step in planning.left_steps(
            one.profile, (planning.Left(variant=one.variant, reason=one.reason),)
        )
    )
    steps = (*(step for target in targets for step in run.steps(target)), *left)
    if run.options.as_json:
        run.session.console.json(steps)
    else:
        run.session.console.plan(steps)
    return build_report.exit_status(outcomes)


def _built(run: Run, target: Target) -> Outcome:
    """What became of a variant; an error ends only its own."""
    try:
        return run.build(target)
    except EnvbuildError as error:
        return run.failed(target, error)
