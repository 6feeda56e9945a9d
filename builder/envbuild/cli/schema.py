"""``envbuild schema``: the JSON schema of a profile."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

import click

from envbuild.errors import InputError
from envbuild.profile.reference import reference
from envbuild.profile.schema import profile_schema
from envbuild.tools import files

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
    if output is None:
        session.console.data(made.rstrip("\n"))
        return 0
    path = os.path.normpath(os.path.join(session.here, output))
    if os.path.isdir(path) or output.endswith("/"):
        raise InputError(f"{output} is a folder", hint="name a file in it")
    folder, name = os.path.split(path)
    if not os.path.isdir(folder or "."):
        raise InputError(
            f"{os.path.dirname(output)} is not a folder",
            hint=f"make it first: mkdir -p {shlex.quote(folder)}",
        )
    changed = files.write_tree(folder or ".", {name: made.encode()})
    session.console.say(f"{output}: {'written' if changed else 'unchanged'}")
    return 0


def text() -> str:
    """The schema as it is written to files."""
    return json.dumps(profile_schema(), indent=2) + "\n"
