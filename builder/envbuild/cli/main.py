"""The command group, and the one place that catches errors and gives the exit status."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import shlex
import sys
import traceback

import click

import envbuild
from envbuild.cli.console import Console, wants_color
from envbuild.errors import EnvbuildError, InputError, ToolError
from envbuild.tools import proc
from envbuild.workspace import Workspace

COMMANDS = {
    "list": "Profiles, their variants, and whether locks and Dockerfiles are up to date.",
    "show": "A profile with everything applied, and where each value came from.",
    "lock": "Resolve profiles to pinned, hashed locks.",
    "render": "Write the Dockerfiles from the locks.",
    "schema": "The JSON schema of a profile, for editors.",
    "init": "A new workspace, or a new profile from a shipped one.",
    "completion": "The completion script of a shell.",
}
"""Each command with its line of help: the module of a command is imported when it is run."""

_LAST_LINES = 40


class Session:
    """What every command is given: the console and the workspace."""

    def __init__(self, console: Console, workspace: Workspace) -> None:
        self.console = console
        self.workspace = workspace


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the names that are near."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if near:
                message = f"no such command {args[0]!r}; did you mean {near[0]}?"
                raise click.UsageError(message, ctx=error.ctx) from None
            raise


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "--directory", default=".", metavar="DIR", help="Work in this folder.")
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
@click.pass_context
def cli(ctx: click.Context, directory: str, quiet: bool, verbose: bool, color: str) -> None:
    """Reproducible environments for NVIDIA robotics: profiles to locks to Dockerfiles."""
    if not os.path.isdir(directory):
        raise InputError(f"{directory} is not a folder", hint="-C names the workspace")
    colored = wants_color(color, dict(os.environ))
    console = Console(volume=verbose - quiet, color=colored)
    ctx.obj = Session(console, Workspace(root=directory))


def run(arguments: list[str]) -> int:
    """Run a command line; its exit status."""
    console = Console(volume=0, color=wants_color("auto", dict(os.environ)))
    try:
        status = cli.main(args=arguments, prog_name="envbuild", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        proc.stop_all()
        console.fail("interrupted: nothing is half written")
        return 130
    except click.UsageError as error:
        return _usage(error, console)
    except EnvbuildError as error:
        return _expected(error, console)
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # noqa: BLE001 (the boundary: whatever is left is a bug of ours)
        return _unexpected(arguments, console)


def _usage(error: click.UsageError, console: Console) -> int:
    console.fail(error.format_message()[:1].lower() + error.format_message()[1:])
    if error.ctx:
        console.hint(f"{error.ctx.command_path} --help")
    return 2


def _expected(error: EnvbuildError, console: Console) -> int:
    problems = error.problems if isinstance(error, InputError) else ()
    for problem in problems:
        console.problem(problem)
    if isinstance(error, ToolError) and error.command:
        console.fail(f"{error.message}\n  command: {error.command}")
        for line in error.output.splitlines()[-_LAST_LINES:]:
            console.say(f"  | {line}")
    else:
        console.fail(error.message)
    console.hint(error.hint)
    return error.exit_code


def _unexpected(arguments: list[str], console: Console) -> int:
    machine = f"{platform.system()} {platform.machine()}"
    report = "\n".join(
        (
            f"envbuild {envbuild.__version__}, Python {platform.python_version()}, {machine}",
            f"envbuild {proc.masked(shlex.join(arguments))}",
            "",
            proc.masked(traceback.format_exc()),
        )
    )
    path = os.path.join(".envbuild", "report.txt")
    try:
        os.makedirs(".envbuild", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(report)
    except OSError:
        console.say(report)
        path = "the lines above"
    console.fail(f"this is a bug in envbuild: {traceback.format_exc().splitlines()[-1]}")
    console.hint(f"please report it with {path}")
    return 4
