"""``envbuild vulnerabilities``: what is known against the versions of a lock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

import envbuild
from envbuild.cli import attesting, common
from envbuild.lock.model import HEADER
from envbuild.report import sarif
from envbuild.report.plain import printable
from envbuild.speech import counted
from envbuild.tools import proc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.attest.model import Bill
    from envbuild.attest.vulnerabilities import Answer, Known
    from envbuild.cli.main import Session

_SHOWN = 160
"""Characters of a description that are shown."""

_WORDS = {"conda": "conda", "deb": "Debian", "git": "git", "image": "image", "pypi": "PyPI"}


@click.command("vulnerabilities")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.option("--variant", metavar="NAME", help="This variant, not the first one.")
@click.option(
    "--service",
    type=click.Choice(["osv", "pypi"]),
    default="osv",
    show_default=True,
    help="Which database pip-audit asks.",
)
@click.option("--osv-url", metavar="URL", default="", help="A place that speaks OSV's protocol.")
@click.option("--ignore", multiple=True, metavar="ID", help="Not this one (repeatable).")
@click.option("--sarif", "as_sarif", is_flag=True, help="A SARIF log on stdout.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON on stdout.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    profile: str,
    variant: str | None,
    ignore: tuple[str, ...],
    **chosen: object,
) -> int:
    """Say what is known against the versions in the lock of PROFILE.

    pip-audit asks a public database for every Python package. Packages of conda and Debian are not
    looked up, which is said. Exit status 1: something is known that is not ignored; 3: nobody could
    be asked, and nothing is known.
    """
    from envbuild.attest import bill, vulnerabilities

    if chosen["as_sarif"] and chosen["as_json"]:
        raise click.UsageError("--sarif does not go with --json")
    if chosen["osv_url"] and chosen["service"] != "osv":
        raise click.UsageError("--osv-url goes with --service osv")
    subject = attesting.subject(session, profile, variant)
    made = bill.bill(subject)
    versions, left = vulnerabilities.wanted(made, subject.locked)
    asked = vulnerabilities.Asked(service=str(chosen["service"]), url=str(chosen["osv_url"]))
    session.console.live(f"asking about {counted(len(versions), 'package')} ...")
    found, skipped = vulnerabilities.ask(versions, asked, environ=os.environ, runner=proc.run)
    marked, unused = vulnerabilities.judged(found, ignore)
    answer = vulnerabilities.Answer(found=marked, asked=len(versions), skipped=skipped, left=left)
    for name in unused:
        session.console.fail(f"--ignore {name}: nothing has that name", kind="warning")
    _give(session, made, answer, as_json=bool(chosen["as_json"]), log=bool(chosen["as_sarif"]))
    _summary(session, made, answer)
    return int(any(not one.ignored for one in marked) or bool(skipped))


def _give(session: Session, made: Bill, answer: Answer, *, as_json: bool, log: bool) -> None:
    from envbuild.attest import vulnerabilities

    if as_json:
        session.console.json({"profile": made.profile, "variant": made.variant, "answer": answer})
    elif log:
        header = f"lockfiles/{made.profile}/{HEADER}"
        told = vulnerabilities.told(answer.found, made.components, header)
        session.console.json(sarif.written(told, version=envbuild.__version__))
    else:
        for one in answer.found:
            for line in _lines(one):
                session.console.data(printable(line))


def _lines(one: Known) -> tuple[str, ...]:
    names = f" ({', '.join(one.aliases)})" if one.aliases else ""
    fixed = f"fixed in {', '.join(one.fixed)}" if one.fixed else "no fixed version is known"
    ignored = ": ignored" if one.ignored else ""
    text = one.text if len(one.text) <= _SHOWN else f"{one.text[:_SHOWN]} …"
    return (
        f"{one.package} {one.version}: {one.id}{names}, {fixed}{ignored}",
        *((f"  {text}",) if text else ()),
    )


def _summary(session: Session, made: Bill, answer: Answer) -> None:
    for one in answer.skipped:
        session.console.fail(f"not looked up: {one}")
    counting = [one for one in answer.found if not one.ignored]
    ignored = len(answer.found) - len(counting)
    said = f"{made.name}: {len(counting)} known against {counted(answer.asked, 'package')}"
    session.console.say(said + (f", {ignored} ignored" if ignored else ""))
    if answer.left:
        session.console.say(f"not looked up: {_left(answer.left)}")


def _left(left: Mapping[str, int]) -> str:
    return ", ".join(
        f"{counted(count, _WORDS[kind] + ' component')}" for kind, count in left.items()
    )
