"""``envbuild sbom``: the bill of materials of a lock, held against an image where one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.cli import attesting, common
from envbuild.cli.output import give

if TYPE_CHECKING:
    from envbuild.cli.main import Session


@click.command("sbom")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.option("--variant", metavar="NAME", help="This variant, not the first one.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["cyclonedx", "spdx"]),
    default="cyclonedx",
    show_default=True,
    help="CycloneDX 1.6 or SPDX 2.3, as JSON.",
)
@click.option("--image", metavar="REF", help="Held against this image; also oci:DIR or tar:FILE.")
@common.engine_option(help="Who has the image.")
@click.option("--licenses", is_flag=True, help="With the licences that packages declare.")
@click.option("--offline", is_flag=True, help="With --licenses: read what is cached alone.")
@click.option("-o", "--output", metavar="FILE", help="Write it there, not to stdout.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    profile: str,
    variant: str | None,
    form: str,
    image: str | None,
    **chosen: object,
) -> int:
    """Give the bill of materials of PROFILE: what its lock has, with hashes and who asked for it.

    With --image, what the image has beside the lock is added, and an image that lacks something of
    the lock is refused. The same lock and image give the same bytes. Exit status 1: the image lacks
    something.
    """
    from envbuild.attest import bill, cyclonedx, spdx

    subject = attesting.subject(session, profile, variant)
    made = bill.bill(subject)
    if image:
        made = attesting.held(session, made, image=image, engine=str(chosen["engine"]))
    if chosen["licenses"]:
        from envbuild.cli import licensing

        made = licensing.licensed(session, subject, made, offline=bool(chosen["offline"]))
    output = chosen["output"]
    text = {"cyclonedx": cyclonedx.text, "spdx": spdx.text}[form](made)
    give(session, text, str(output) if output else None)
    return 0
