"""``envbuild vendor``: every artifact of locks in one folder, by hash, to build without network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envbuild.cli import common
from envbuild.errors import EnvbuildError, InputError, ToolError
from envbuild.speech import counted

if TYPE_CHECKING:
    from envbuild.build.planning import Left
    from envbuild.cli.main import Session
    from envbuild.cli.vendoring import Outcome, Run, Wanted

_LINES = 20
"""Lines of a program's output that are shown where a variant failed."""


@click.command("vendor")
@common.profiles_argument
@click.argument("folder", metavar="DIR")
@click.option("--variant", multiple=True, metavar="NAME", help="This one (repeatable).")
@click.option(
    "--mirror", multiple=True, metavar="PREFIX=PLACE", help="Read such images from there."
)
@common.engine_option(help="Who runs the base image's apt.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 32),
    default=4,
    show_default=True,
    help="Parts of images that are fetched at a time.",
)
@click.option("--check", is_flag=True, help="Check the hash of everything in DIR; fetch nothing.")
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, with the reasons.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], folder: str, **chosen: object) -> int:
    """Collect everything that locks name into DIR, for builds without network.

    Without PROFILE: every profile of the workspace, in the variants that this machine can run.
    What is in DIR already is not fetched again. envbuild build --vendor DIR builds from it.
    """
    place = os.path.abspath(os.path.join(session.here, os.path.expanduser(folder)))
    if chosen["check"]:
        if chosen["dry_run"]:
            raise click.UsageError("--check fetches nothing: it does not go with --dry-run")
        return _check(session, place, profiles, chosen)
    return _vendor(session, place, profiles, chosen)


def _vendor(
    session: Session, place: str, profiles: tuple[str, ...], chosen: dict[str, object]
) -> int:
    from envbuild.cli import vendoring
    from envbuild.tools import references

    found = session.workspace.profiles()
    name = os.path.basename(place)
    if name in found.sources and not os.path.isdir(place):
        raise InputError(
            f"{name} is a profile: the folder is missing", hint=f"envbuild vendor {name} DIR"
        )
    if os.path.lexists(place) and not os.path.isdir(place):
        raise InputError(f"{place} is no folder")
    options = vendoring.Options(
        folder=place,
        variants=_words(chosen["variant"]),
        engine=str(chosen["engine"]),
        mirrors=references.mirrors(_words(chosen["mirror"]), os.environ),
        jobs=int(str(chosen["jobs"])),
    )
    run = vendoring.Run(session, options, os.environ)
    wanted, outcomes = _wanted(session, profiles, options.variants)
    if chosen["dry_run"]:
        return _plan(session, run, wanted, outcomes, as_json=bool(chosen["as_json"]))
    if wanted:
        with run.turn():
            for one in wanted:
                outcomes.append(_one(run, one))
                _say(session, outcomes[-1])
    if chosen["as_json"]:
        session.console.json(_data(run, place, outcomes))
    _sum_up(session, run, outcomes, place)
    return _status(outcomes)


def _wanted(
    session: Session, names: tuple[str, ...], variants: tuple[str, ...]
) -> tuple[list[Wanted], list[Outcome]]:
    """What is to be vendored, and what became of the rest.

    Raises:
        InputError: no profile can be used, or none has a variant that was named.
    """
    from envbuild.cli import build_targets, vendoring

    found = session.workspace.profiles()
    good = common.chosen(found, names)
    build_targets.refuse_unknown(good, variants)
    wanted: list[Wanted] = []
    outcomes: list[Outcome] = []
    for name, profile in good.items():
        left: tuple[Left, ...] = ()
        try:
            own, left = vendoring.wanted(session, found, profile, variants)
        except EnvbuildError as error:
            outcomes.append(
                vendoring.Outcome(profile=name, variant="", status="failed", error=error)
            )
            _say(session, outcomes[-1])
            continue
        wanted += own
        for one in left:
            outcomes.append(
                vendoring.Outcome(
                    profile=name, variant=one.variant, status="skipped", reason=one.reason
                )
            )
            _say(session, outcomes[-1])
    return wanted, outcomes


def _one(run: Run, one: Wanted) -> Outcome:
    """What became of a variant; an error ends only its own."""
    from envbuild.cli.vendoring import Outcome

    try:
        return run.vendor(one)
    except EnvbuildError as error:
        return Outcome(
            profile=one.bare.profile, variant=one.bare.variant, status="failed", error=error
        )


def _plan(
    session: Session,
    run: Run,
    wanted: list[Wanted],
    outcomes: list[Outcome],
    *,
    as_json: bool,
) -> int:
    from envbuild.build.vendor import planning

    steps = tuple(planning.step(one.bare.name, run.why(one)) for one in wanted)
    if as_json:
        session.console.json(steps)
    else:
        session.console.plan(steps)
    return _status(outcomes)


def _check(
    session: Session, place: str, profiles: tuple[str, ...], chosen: dict[str, object]
) -> int:
    """Whether everything that DIR says to hold is there and whole."""
    from envbuild.build.vendor import checking, manifest, planning

    vendored = manifest.read(place)
    missing: list[str] = []
    if profiles:
        wanted, failed = _wanted(session, profiles, _words(chosen["variant"]))
        if any(one.error for one in failed):
            return _status(failed)
        for one in wanted:
            why = planning.why(vendored, one.bare)
            missing += [f"{one.bare.name}: {why}"] if why else []
    faults = checking.faults(
        place, vendored.artifacts, jobs=os.cpu_count() or 1, live=session.console.live
    )
    size = sum(one.size for one in vendored.artifacts)
    gaps = [f"{one.name}: {gap.what}: {gap.why}" for one in vendored.targets for gap in one.gaps]
    if chosen["as_json"]:
        session.console.json(
            {
                "folder": place,
                "targets": [one.name for one in vendored.targets],
                "artifacts": len(vendored.artifacts),
                "bytes": size,
                "faults": [
                    {"file": one.artifact.file, "kind": one.kind, "name": one.artifact.name}
                    for one in faults
                ],
                "missing": missing,
                "not-vendored": gaps,
            }
        )
    else:
        for line in (*missing, *(one.text for one in faults), *gaps):
            session.console.data(line)
    wrong = len(faults) + len(missing) + len(gaps)
    said = f"{counted(wrong, 'fault')}" if wrong else "all of it is whole"
    many = counted(len(vendored.artifacts), "file")
    session.console.say(f"{place}: {many}, {size / 1e6:.1f} MB: {said}")
    return 1 if wrong else 0


def _say(session: Session, one: Outcome) -> None:
    name = f"{one.profile}/{one.variant}" if one.variant else one.profile
    if one.error is not None:
        session.console.fail(f"{name}: {one.error.message}")
        if isinstance(one.error, ToolError):
            from envbuild.tools.proc import masked

            for line in masked(one.error.output).splitlines()[-_LINES:]:
                session.console.say(f"  | {line}")
        session.console.hint(one.error.hint)
        return
    if one.status in ("skipped", "unchanged"):
        session.console.say(f"{name}: {one.status}: {one.reason}")
        return
    size = f"{counted(one.artifacts, 'file')}, {one.bytes / 1e6:.1f} MB"
    session.console.say(f"{name}: {size}", style="" if one.status == "incomplete" else "good")
    for gap in one.target.gaps if one.target else ():
        session.console.fail(f"{name}: not vendored: {gap.what}: {gap.why}")


def _data(run: Run, place: str, outcomes: list[Outcome]) -> dict[str, object]:
    rows = [
        {
            "profile": one.profile,
            "variant": one.variant,
            "status": one.status,
            "reason": one.error.message if one.error else one.reason,
            "artifacts": one.artifacts,
            "bytes": one.bytes,
            "fetched": one.fetched,
            "not-vendored": one.target.gaps if one.target else (),
        }
        for one in outcomes
    ]
    return {
        "folder": place,
        "targets": sorted(rows, key=lambda row: (str(row["profile"]), str(row["variant"]))),
        "artifacts": len(run.vendored.artifacts),
        "bytes": sum(one.size for one in run.vendored.artifacts),
    }


def _sum_up(session: Session, run: Run, outcomes: list[Outcome], place: str) -> None:
    order = ("vendored", "unchanged", "incomplete", "failed", "skipped")
    counts = {status: sum(one.status == status for one in outcomes) for status in order}
    parts = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    size = sum(one.size for one in run.vendored.artifacts)
    single = sum(len(one.locations) < 2 for one in run.vendored.artifacts)
    many = counted(len(run.vendored.artifacts), "file")
    said = f"{counted(len(outcomes), 'variant')}: {parts or 'none'}"
    session.console.say(f"{said}; {place}: {many}, {size / 1e6:.1f} MB")
    session.console.detail(f"  {counted(single, 'file')} with one known place or none beside it")


def _status(outcomes: list[Outcome]) -> int:
    """3 where something could not be fetched, 2 for wrong input, 1 where something cannot be
    vendored at all."""
    worst = max((one.error.exit_code for one in outcomes if one.error), default=0)
    return worst or (1 if any(one.status == "incomplete" for one in outcomes) else 0)


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()
