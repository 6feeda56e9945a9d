"""``envbuild init``: a new workspace, or a new profile from a shipped one."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import click
import msgspec

from envbuild.cli import common, schema
from envbuild.errors import InputError
from envbuild.profile.resolve import resolve
from envbuild.profile.words import Name
from envbuild.tools import files, typed
from envbuild.workspace import SHIPPED, Workspace

if TYPE_CHECKING:
    from envbuild.cli.main import Session

_SCHEMA = "envs/profile.schema.json"
_HEAD = "# yaml-language-server: $schema=profile.schema.json\nschema: 1\nname: {name}\n"

_CHILD = """\
extends: {parent}
summary: {parent}, changed
# What is not said here is as {parent} says: envbuild show {name} --origin
# python:
#   requirements:
#     append:
#       - tqdm
"""

_FIRST = """\
summary: What this environment is for
base:
  image: ubuntu:24.04
  distribution: ubuntu-24.04
python:
  version: "3.12"
  source: uv
  prefix: /opt/{name}
  requirements:
    - numpy
variants:
  linux-amd64-cpu: {{}}
"""


@click.command("init")
@click.argument("directory", metavar="[DIR]", default=".")
@click.option(
    "--from",
    "parent",
    metavar="PROFILE",
    help="Begin from this profile.",
    shell_complete=common.complete_profiles,
)
@click.option("--name", metavar="NAME", help="The name of the new profile.")
@click.pass_obj
def command(session: Session, /, *, directory: str, parent: str | None, name: str | None) -> int:
    """Make a new profile, and the workspace around it where there is none. Nothing is replaced."""
    workspace = Workspace(root=os.path.normpath(os.path.join(session.here, directory)))
    if os.path.isfile(workspace.root):
        raise InputError(f"{directory} is a file", hint="name a folder, or a new one")
    chosen = name or _suggested(workspace, parent)
    _refuse(workspace, chosen, parent)
    text = (_CHILD if parent else _FIRST).format(name=chosen, parent=parent)
    profile = f"envs/{chosen}.yaml"
    written = {profile: (_HEAD.format(name=chosen) + text).encode()}
    if not os.path.exists(workspace.path(_SCHEMA)):
        written[_SCHEMA] = schema.text().encode()
    files.write_tree(workspace.root, written)
    for path in written:
        session.console.say(f"{os.path.normpath(os.path.join(directory, path))}: written")
    _next_steps(session, directory, chosen)
    return 0


def _suggested(workspace: Workspace, parent: str | None) -> str:
    """A name where none is given: after the parent, or after the folder."""
    if parent:
        return f"my-{parent}"
    folder = os.path.basename(os.path.abspath(workspace.root)).lower()
    return re.sub(r"[^a-z0-9]+", "-", folder).strip("-") or "my-environment"


def _refuse(workspace: Workspace, name: str, parent: str | None) -> None:
    try:
        typed.convert(name, Name)
    except msgspec.ValidationError:
        raise InputError(
            f"{name!r} is not a name for a profile",
            hint="small letters, digits, single dashes: --name my-robot",
        ) from None
    found = workspace.profiles()
    if parent:
        resolve(parent, found.sources)
    label = found.labels.get(name, SHIPPED)
    if name == parent or not label.startswith(SHIPPED):
        raise InputError(f"there is a profile {name!r} already", hint="choose another: --name")


def _next_steps(session: Session, directory: str, name: str) -> None:
    session.console.say("next:")
    if os.path.normpath(directory) != ".":
        session.console.say(f"  cd {shlex.quote(directory)}")
    for verb in ("show", "lock", "render"):
        session.console.say(f"  envbuild {verb} {name}")
