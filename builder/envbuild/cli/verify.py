"""``envbuild verify``: is an image what its lock says, and does it come out the same again?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from envbuild.cli import (
    build_options,
    build_targets,
    common,
    rebuilding,
    still,
    verify_report,
)
from envbuild.cli.building import Run
from envbuild.cli.verify_looking import Looking, is_image
from envbuild.cli.verify_report import Answer, Failure
from envbuild.errors import EnvbuildError, InputError

if TYPE_CHECKING:
    from envbuild.cli.build_options import Options
    from envbuild.cli.main import Session
    from envbuild.workspace import Profiles


@click.command("verify")
@click.argument(
    "named", nargs=-1, metavar="[PROFILE|IMAGE]...", shell_complete=common.complete_profiles
)
@click.option("--variant", multiple=True, metavar="NAME", help="This one (repeatable).")
@click.option("--image", metavar="REF", help="This image; also oci:DIR or tar:FILE.")
@common.engine_option(help="Who has the image, or builds; auto takes the one that built it.")
@click.option("--quick", is_flag=True, help="Labels alone: no layer is read.")
@click.option("--attestation", metavar="FILE", help="As this says it was built; also a folder.")
@click.option("--signature", is_flag=True, help="Verify the signature too, by cosign.")
@click.option("--key", metavar="FILE", default="", help="With --signature: this public key.")
@click.option("--no-log", is_flag=True, help="With --key: it stands in no transparency log.")
@click.option(
    "--certificate-identity", metavar="WHO", default="", help="With --signature: who signed."
)
@click.option(
    "--certificate-oidc-issuer", metavar="URL", default="", help="With --signature: who knows WHO."
)
@click.option("--rebuild", is_flag=True, help="Build twice without cache, and compare.")
@click.option("--online", is_flag=True, help="With --rebuild: steps use the network.")
@click.option("--offline", is_flag=True, help="With --rebuild: fetch nothing.")
@click.option(
    "--mirror", multiple=True, metavar="PREFIX=PLACE", help="Read such images from there."
)
@click.option("--ca-bundle", metavar="FILE", help="With --rebuild: certificates for steps.")
@click.option(
    "--secret", multiple=True, metavar="id=NAME,src=FILE", help="With --rebuild: a file for steps."
)
@click.option("--json", "as_json", is_flag=True, help="The verdicts as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, named: tuple[str, ...], **chosen: object) -> int:
    """Say whether an image is what its lock says, and still as it was built; with --rebuild,
    whether it comes out the same.

    Without an argument: what was built here. An image is held against the lock as it stands (its
    labels, the base that it stands on, the packages in it), and against the record of its build or
    an attestation. --rebuild builds every chosen variant twice and names the cause of each
    difference; older docker's images are compared behind envbuild's normaliser. Exit status 1: it
    is another, or it differs.
    """
    _refuse_beside(chosen)
    options = _options(chosen, session.here)
    found = session.workspace.profiles()
    profiles = tuple(text for text in named if not is_image(text, found))
    images = tuple(text for text in named if is_image(text, found))
    images += (str(chosen["image"]),) if chosen["image"] else ()
    answers: list[Answer] = []
    if chosen["rebuild"]:
        if images:
            raise click.UsageError("--rebuild builds a PROFILE: an image does not go with it")
        every = _rebuilt(Run(session, options, os.environ), found, profiles)
    else:
        evidence = still.evidence(session, chosen)
        look = Looking(session, options, found, read=not chosen["quick"], evidence=evidence)
        every = look.at_images(images, profiles) if images else look.at_built(profiles)
    for one in every:
        answers.append(one)
        verify_report.say(session.console, one)
    if options.as_json:
        session.console.json([verify_report.as_data(one) for one in answers])
    session.console.say(verify_report.summary(answers))
    return verify_report.exit_status(answers)


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    for name in ("online", "offline", "ca_bundle", "secret"):
        if chosen[name] and not chosen["rebuild"]:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --rebuild")
    for name in ("image", "quick", "attestation", "signature"):
        if chosen[name] and chosen["rebuild"]:
            raise click.UsageError(f"--{name} does not go with --rebuild")
    for name in ("key", "certificate_identity", "certificate_oidc_issuer"):
        if chosen[name] and not chosen["signature"]:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --signature")
    if chosen["no_log"] and not chosen["key"]:
        raise click.UsageError("--no-log goes with --key")
    if chosen["online"] and chosen["offline"]:
        raise click.UsageError("--offline does not go with --online")


def _options(chosen: Mapping[str, object], here: str) -> Options:
    """What was asked for, as a build understands it."""
    unused = {
        "tag": (),
        "cache_from": (),
        "cache_to": (),
        "platform": None,
        "network": None,
        "output": None,
        "push": False,
        "no_cache": True,
        "force": True,
        "keep_context": False,
        "builder": None,
        "dry_run": False,
    }
    return build_options.options(unused | dict(chosen), here)


def _rebuilt(run: Run, found: Profiles, names: tuple[str, ...]) -> Iterator[Answer]:
    """Every chosen variant that this machine can run, built twice; an error ends only its own."""
    profiles = dict(common.each(found, names))
    good = {name: one for name, one in profiles.items() if not isinstance(one, InputError)}
    build_targets.refuse_unknown(good, run.options.variants)
    targets = build_targets.Targets(run.session, found, run.options)
    for name, profile in profiles.items():
        if isinstance(profile, InputError):
            yield Failure(profile=name, error=profile)
            continue
        try:
            own, _ = targets.of(profile)
        except EnvbuildError as error:
            yield Failure(profile=name, error=error)
            continue
        for target in own:
            try:
                yield rebuilding.rebuilt(target, run)
            except EnvbuildError as error:
                yield Failure(profile=name, variant=target.variant.name, error=error)
