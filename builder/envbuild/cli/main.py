"""The command group: its options, and its commands that are imported one by one."""

from __future__ import annotations

import functools
import importlib
import os
from typing import TYPE_CHECKING

import click

import envbuild
from envbuild.cli import boundary
from envbuild.cli.console import Console
from envbuild.errors import InputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from envbuild.workspace import Workspace

COMMANDS = {
    "list": "Profiles, their variants, and whether locks and Dockerfiles are up to date.",
    "show": "A profile with everything applied, and where each value came from.",
    "check": "Hold profiles against what is known.",
    "lock": "Resolve profiles to pinned, hashed locks.",
    "render": "Write the Dockerfiles from the locks.",
    "vendor": "Everything that locks name, by hash in one folder, to build without network.",
    "build": "Images from the locks, each checked before it gets its name.",
    "smoke": "What works inside a built image, and what does not.",
    "run": "A command in a built image, by the right launcher.",
    "verify": "Whether an image is what its lock says.",
    "sbom": "The bill of materials of a lock, or of an image of it.",
    "licenses": "The licences of what a lock installs, where they are known.",
    "vulnerabilities": "What is known against the versions of a lock.",
    "attest": "Provenance and bills of an image that was built, to be signed.",
    "export": "A lock in the format of another tool, and what it cannot carry.",
    "install": "A conda environment on this machine, from the lock.",
    "doctor": "What is wrong with an environment that exists, without starting it.",
    "support": "Pack what a bug report needs, masked, into one archive.",
    "explain": "What a log says of a failure, and the way out.",
    "why": "Who pulls a package into an environment, and who limits it.",
    "diff": "What moved between two locks or two images, risk first.",
    "bisect": "The package move that broke an environment, between two locks.",
    "knowledge": "What is known, with its sources: facts, rules, signatures, checked claims.",
    "nightly": "The whole chain for every profile, to a history and a page.",
    "report": "A night as a page, and for other programs; its history.",
    "ci": "The workflows of a forge, or the jobs of a cluster, for this workspace.",
    "schema": "The JSON schema of a profile, for editors.",
    "init": "A new workspace, or a new profile from a shipped one.",
    "completion": "The completion script of a shell.",
}
"""Each command with its line of help: the module of a command is imported when it is run."""


_LOUDNESS = ("-q", "--quiet", "-v", "--verbose")


class Session:
    """What every command is given: the console and the workspace.

    ``here`` is the folder that paths of the command line are relative to, ``root`` the one of the
    workspace, once that was asked for.
    """

    def __init__(self) -> None:
        self.console = Console(os.environ)
        self.here = self.root = os.curdir
        self.searching = False

    @functools.cached_property
    def workspace(self) -> Workspace:
        """The workspace: that of ``-C``, else this folder or the one above that has profiles."""
        from envbuild.workspace import Workspace  # 33 ms that --help and completion do not need

        if self.searching:
            from envbuild.cli import finding

            self.root = finding.way_up(os.path.expanduser("~"))
            if self.root != self.here:
                self.console.say(f"workspace: {self.root}")
        return Workspace(root=self.root)


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"envbuild.cli.{cmd_name}")
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin with what was typed."""
        from click.shell_completion import CompletionItem

        named = [name for name in COMMANDS if name.startswith(incomplete)]
        options = super(click.Group, self).shell_complete(ctx, incomplete)
        return [*(CompletionItem(name, help=COMMANDS[name]) for name in named), *options]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; how loud to be may be said behind the command too."""
        end = args.index("--") if "--" in args else len(args)
        loud = [word for word in args[:end] if word in _LOUDNESS]
        rest = [word for word in args[:end] if word not in _LOUDNESS]
        return super().parse_args(ctx, [*loud, *rest, *args[end:]])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that is none is answered with the names that are near."""
        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"commands: {', '.join(COMMANDS)}"
        raise InputError(f"no such command: {name}", hint=hint)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "--directory", metavar="DIR", help="Work in this folder.")
@click.option("-q", "--quiet", is_flag=True, help="Only errors and data.")
@click.option("-v", "--verbose", is_flag=True, help="More about what is done.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="NO_COLOR and FORCE_COLOR are followed too.",
)
@click.version_option(envbuild.__version__, message="envbuild %(version)s")
@click.pass_obj
def cli(
    session: Session, /, *, directory: str | None, quiet: bool, verbose: bool, color: str
) -> None:
    """Reproducible environments for NVIDIA robotics: profiles to locks to Dockerfiles."""
    session.console = Console(os.environ, volume=verbose - quiet, color=color)
    session.searching = directory is None
    if directory is not None:
        if not os.path.isdir(directory):
            raise InputError(f"{directory} is not a folder", hint="-C names the workspace")
        session.here = session.root = directory
    session.console.source = lambda label: boundary.source_lines(session.workspace, label)


def run(arguments: list[str]) -> int:
    """Run a command line; its exit status."""
    boundary.open_streams()
    return boundary.guarded(cli, arguments, Session())
