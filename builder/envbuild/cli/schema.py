"""``envbuild schema``: the JSON schema of a profile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from envbuild.cli.output import give
from envbuild.profile.reference import reference
from envbuild.profile.schema import profile_schema

if TYPE_CHECKING:
    from envbuild.cli.main import Session


@click.command("schema")
@click.option("-o", "--output", metavar="FILE", help="Write it there, not to stdout.")
@click.option("--markdown", is_flag=True, help="The reference page for people, not the schema.")
@click.pass_obj
def command(session: Session, /, *, output: str | None, markdown: bool) -> int:
    """Print the JSON schema of a profile, for editors that check YAML while you type.

    In a profile:  # yaml-language-server: $schema=path/to/profile.schema.json
    """
    made = reference() if markdown else text()
    give(session, made, output)
    return 0


def text() -> str:
    """The schema as it is written to files."""
    return json.dumps(profile_schema(), indent=2) + "\n"
