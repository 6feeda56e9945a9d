"""``envbuild bisect``: the package move that broke an environment, between two locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import Struct

from envbuild.cli import common
from envbuild.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.main import Session


class Options(Struct, frozen=True, kw_only=True):
    """What was asked. ``build_options`` go to ``envbuild build``; ``timeout`` in seconds."""

    good: str | None
    bad: str | None
    test: str
    variant: str
    build: bool
    repeat: int
    trust: bool
    alone: bool
    history: str
    timeout: float
    engine: str
    build_options: tuple[str, ...]
    offline: bool
    restart: bool
    dry_run: bool
    form: str


@click.command("bisect")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.option("--test", metavar="CMD|smoke", help="What tells good from bad.", required=True)
@click.option("--good", metavar="SIDE", help="A lock that works; default: the last good night's.")
@click.option("--bad", metavar="SIDE", help="One that does not; default: the first bad night's.")
@click.option("--variant", metavar="NAME", help="Look at what moved in this one alone.")
@click.option("--build", is_flag=True, help="Build an image for CMD; {image} in it says so too.")
@click.option(
    "--repeat", type=click.IntRange(1, 100), default=1, metavar="N", help="Run each test N times."
)
@click.option("--trust", is_flag=True, help="Do not test the two sides themselves.")
@click.option(
    "--alone", is_flag=True, help="Also ask if it breaks alone, and what it needs if not."
)
@click.option("--history", default="", metavar="PLACE", help="A folder, or git:BRANCH.")
@click.option(
    "--timeout", type=float, default=3600.0, show_default=True, metavar="S", help="For one program."
)
@common.engine_option(help="Who builds and runs images.")
@click.option("--online", is_flag=True, help="Steps of a build use the network.")
@click.option(
    "--mirror", multiple=True, metavar="PREFIX=PLACE", help="Read such images from there."
)
@click.option("--offline", is_flag=True, help="Ask nobody: use what is cached alone.")
@click.option("--restart", is_flag=True, help="Forget what an earlier search has heard.")
@click.option("-n", "--dry-run", is_flag=True, help="Print the moves in their order, and stop.")
@click.option("--json", "form", flag_value="json", help="As JSON on stdout.")
@click.option("--markdown", "form", flag_value="markdown", help="As Markdown on stdout.")
@click.pass_obj
def command(session: Session, /, profile: str, **chosen: object) -> int:
    """Find the package move that broke PROFILE, between a good and a bad lock.

    Each lock between is a real one, of the resolver, over conda and PyPI together. --test smoke
    builds its image and runs the smoke test; CMD is run without a shell, with ENVBUILD_LOCK and
    ENVBUILD_WORKSPACE: exit status 0 is good, 125 says that it cannot judge, all else is bad. A
    search that was ended goes on where it was.

    A SIDE is a lock folder, a git revision, REVISION:PROFILE, or a night. Exit status 1: no move
    was found.
    """
    options = _options(chosen)
    from envbuild.cli import bisecting  # solvers and engines, which wrong usage need not wait for

    return bisecting.run(session, profile, options)


def _options(chosen: Mapping[str, object]) -> Options:
    if chosen["offline"] and chosen["online"]:
        raise click.UsageError("--offline does not go with --online")
    timeout = chosen["timeout"]
    assert isinstance(timeout, float)
    if not 0 < timeout <= 7 * 86400:
        raise InputError(f"--timeout {timeout:g} is no time", hint="seconds, up to a week")
    repeat = chosen["repeat"]
    assert isinstance(repeat, int)
    mirrors = chosen["mirror"]
    words = ["--online"] if chosen["online"] else []
    words += ["--offline"] if chosen["offline"] else []
    for mirror in mirrors if isinstance(mirrors, tuple) else ():
        words += ["--mirror", str(mirror)]
    return Options(
        good=str(chosen["good"]) if chosen["good"] else None,
        bad=str(chosen["bad"]) if chosen["bad"] else None,
        test=str(chosen["test"]),
        variant=str(chosen["variant"] or ""),
        build=bool(chosen["build"]),
        repeat=repeat,
        trust=bool(chosen["trust"]),
        alone=bool(chosen["alone"]),
        history=str(chosen["history"]),
        timeout=timeout,
        engine=str(chosen["engine"]),
        build_options=tuple(words),
        offline=bool(chosen["offline"]),
        restart=bool(chosen["restart"]),
        dry_run=bool(chosen["dry_run"]),
        form=str(chosen["form"] or ""),
    )
