"""``envbuild licenses``: the licences of what a lock installs, where they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.cli import attesting, common
from envbuild.report.plain import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.attest.licences import Licence
    from envbuild.cli.main import Session

_WIDTH = 34
"""Characters of a package's name and version in a row."""


@click.command("licenses")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.option("--variant", metavar="NAME", help="This variant, not the first one.")
@click.option("--image", metavar="REF", help="Of this image; also oci:DIR or tar:FILE.")
@common.engine_option(help="Who has the image.")
@click.option("--deny", multiple=True, metavar="ID", help="Refuse this licence (repeatable).")
@click.option("--strict", is_flag=True, help="With --deny: refuse what is not known too.")
@click.option("--offline", is_flag=True, help="Read what is cached alone.")
@click.option("--json", "as_json", is_flag=True, help="The licences as JSON on stdout.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    profile: str,
    variant: str | None,
    deny: tuple[str, ...],
    **chosen: object,
) -> int:
    """List the licences of what the lock of PROFILE installs.

    Each is what the metadata of the very file says: a wheel's, a source distribution's, a conda
    package's. What nobody says is not known. Exit status 1: a denied one is among them.
    """
    from envbuild.attest import bill, licences
    from envbuild.cli import licensing

    if chosen["strict"] and not deny:
        raise click.UsageError("--strict goes with --deny")
    subject = attesting.subject(session, profile, variant)
    made = bill.bill(subject)
    if chosen["image"]:
        engine = str(chosen["engine"])
        made = attesting.held(session, made, image=str(chosen["image"]), engine=engine)
    found = licensing.read(session, subject, made, offline=bool(chosen["offline"]))
    if chosen["as_json"]:
        session.console.json([_row(one) for one in found])
    else:
        _table(session, found)
    refused = tuple(licences.denied(found, deny))
    for one in refused:
        session.console.fail(f"{one.component.shown}: {one.text} is denied")
    unknown = tuple(one for one in found if not one.text)
    if chosen["strict"]:
        for one in unknown:
            session.console.fail(f"{one.component.shown}: its licence is not known: {one.why}")
    return int(bool(refused or (chosen["strict"] and unknown)))


def _row(one: Licence) -> dict[str, str]:
    component = one.component
    return {
        "kind": component.kind,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
        "license": one.text,
        "source": one.source,
        "unknown": one.why,
    }


def _table(session: Session, found: Iterable[Licence]) -> None:
    from envbuild.attest import licences

    listed = tuple(found)
    for one in listed:
        said = printable(one.text) if one.text else f"not known: {printable(one.why)}"
        session.console.data(f"{printable(one.component.shown):<{_WIDTH}}  {said}")
    known = [one for one in listed if one.text]
    session.console.say(f"{len(known)} known, {len(listed) - len(known)} not known")
    for text, count in list(licences.tally(known, lambda one: one.text).items())[:8]:
        session.console.detail(f"  {count:>4}  {printable(text)}")
