"""``envbuild smoke``: what works inside a built image."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Literal, cast

import click

from envbuild.cli import common, smoking
from envbuild.errors import InputError
from envbuild.plan import shard
from envbuild.smoke import asking, choosing, sharding, telling
from envbuild.smoke.drafts import CLOSE, Options
from envbuild.tools import files, proc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envbuild.cli.main import Session
    from envbuild.plan import Shard
    from envbuild.smoke.asking import Job, Tools, Wishes
    from envbuild.smoke.choosing import Target
    from envbuild.smoke.model import SmokeReport


@click.command("smoke")
@common.profiles_argument
@click.option("--variant", metavar="NAME", help="This one; else the first for this machine.")
@click.option("--image", metavar="REF", help="This image; else the one that was built here.")
@common.engine_option(help="Who runs the container.")
@click.option("--test", "tests", multiple=True, metavar="NAME", help="This one (repeatable).")
@click.option("--cold", type=float, metavar="S", help="Seconds of a simulator's first start.")
@click.option("--warm", type=float, metavar="S", help="Seconds of its later starts.")
@click.option(
    "--close", type=float, metavar="S", default=CLOSE, show_default=True, help="Seconds to close."
)
@click.option(
    "--require",
    multiple=True,
    type=click.Choice(["gpu", "rt-cores"]),
    help="Not to have it is an error.",
)
@click.option("--strict", is_flag=True, help="An image of another lock has failed.")
@click.option("--network", type=click.Choice(["none", "host"]), default="none", show_default=True)
@click.option("--env", "env", multiple=True, metavar="K=V", help="A variable in the container.")
@click.option("--mount", multiple=True, metavar="SRC:DST[:rw]", help="A folder in the container.")
@click.option("--memory", metavar="SIZE", help="So much memory for the container (8g).")
@click.option("--serve", metavar="ARGS", help="What a server is told when it is started.")
@click.option("--keep", metavar="DIR", help="Keep logs and verdicts there.")
@click.option("--shell", is_flag=True, help="A shell in the image, as the probes see it.")
@click.option("--shard", metavar="I/N", help="Run this part: N machines share the tests.")
@click.option("--merge", is_flag=True, help="One report of what shards said: files of --json.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on stdout.")
@click.option("--junit", metavar="FILE", help="The report as JUnit's XML.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: object) -> int:
    """Say what works inside the built image of PROFILE, and what does not, with the reason.

    Each test runs in a fresh process of one container without network, started by the profile's
    own interpreter; a simulator in both orders, the app first and NumPy first. What this machine
    cannot run is not run, never passed.

    Several machines: `smoke --shard 2/3 --json > 2.json` on each, then `smoke --merge 1.json
    2.json 3.json`. A part without a result is not run, and the exit status says so.
    """
    if chosen["merge"]:
        from envbuild.cli import smoke_merge

        return smoke_merge.merge(session, profiles, chosen)
    part = _part(chosen)
    wishes = _wishes(session, chosen)
    found = session.workspace.profiles()
    resolved = common.chosen(found, profiles)
    _refuse_beside(len(resolved), chosen)
    targets = [
        choosing.target(
            session.workspace, one, variant=_text(chosen["variant"]), image=_text(chosen["image"])
        )
        for one in resolved.values()
    ]
    tools = _tools(session, targets, str(chosen["engine"]))
    jobs = [_job(session, one, tools, wishes, chosen=chosen) for one in targets]
    if part:
        jobs = sharding.divided(jobs, part)
    facts = [asking.image_facts(job) for job in jobs]  # before the first of many minutes
    if chosen["shell"]:
        from envbuild.cli import shelling

        return shelling.shell(session, jobs[0])
    reports = []
    for job, known in zip(jobs, facts, strict=True):
        reports.append(asking.ask(job, known))
        if not chosen["as_json"]:
            smoking.tell(session.console, reports[-1])
    return written(session, reports, chosen)


def written(session: Session, reports: Sequence[SmokeReport], chosen: Mapping[str, object]) -> int:
    """Give reports in the forms that were asked for; the exit status."""
    if chosen["as_json"]:
        session.console.json({"reports": [telling.as_data(report) for report in reports]})
    if chosen["junit"]:
        from envbuild.smoke.junit import junit

        path = os.path.abspath(os.path.join(session.here, str(chosen["junit"])))
        files.write_tree(os.path.dirname(path), {os.path.basename(path): junit(reports)})
    return 0 if all(report.ok for report in reports) else 1


def _wishes(session: Session, chosen: Mapping[str, object]) -> Wishes:
    for name in ("cold", "warm", "close"):
        if (seconds := _number(chosen[name])) is not None and not 0 < seconds <= 86400:
            raise InputError(f"--{name} {seconds:g} is no time", hint="seconds, up to a day")
    serve = _text(chosen["serve"])
    options = Options(
        tests=_words(chosen["tests"]),
        cold=_number(chosen["cold"]),
        warm=_number(chosen["warm"]),
        close=_number(chosen["close"]) or CLOSE,
        network=chosen["network"] == "host",
        serve=tuple(shlex.split(serve)) if serve is not None else None,
    )
    required = cast("tuple[Literal['gpu', 'rt-cores'], ...]", _words(chosen["require"]))
    return asking.Wishes(
        options=options,
        environment=smoking.variables(_words(chosen["env"]), os.environ),
        mounts=smoking.mounts(_words(chosen["mount"]), session.here),
        memory=_text(chosen["memory"]),
        required=required,
        strict=bool(chosen["strict"]),
    )


def _refuse_beside(count: int, chosen: Mapping[str, object]) -> None:
    """Refuse what holds for one profile alone.

    Raises:
        InputError: several profiles were named.
    """
    if chosen["shell"] and chosen["shard"]:
        raise InputError("--shell does not go with --shard")
    for name in ("variant", "image", "keep", "shell"):
        if count > 1 and chosen[name]:
            raise InputError(f"--{name} is for one profile, and these are {count}")


def _tools(session: Session, targets: list[Target], wanted: str) -> Tools:
    engine = choosing.engine(wanted, targets, runner=proc.run, environ=os.environ)
    return asking.tools(
        engine,
        runner=proc.run,
        environ=dict(os.environ),
        progress=session.console.live,
        signatures=lambda: smoking.signatures(session),
    )


def _job(
    session: Session, one: Target, tools: Tools, wishes: Wishes, *, chosen: Mapping[str, object]
) -> Job:
    keep, part = _text(chosen["keep"]), _part(chosen)
    if keep is None:
        place = choosing.default_place(session.workspace.root, one, shard=part)
    else:
        place = os.path.join(session.here, os.path.expanduser(keep))
        if os.path.isdir(place) and os.listdir(place) and not os.path.exists(f"{place}/plan.json"):
            raise InputError(f"--keep {keep}: it holds other files", hint="name a new folder")
    return asking.Job(target=one, tools=tools, wishes=wishes, place=place)


def _part(chosen: Mapping[str, object]) -> Shard | None:
    return shard(str(chosen["shard"])) if chosen["shard"] else None


def _text(value: object) -> str | None:
    return str(value) if value else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
