"""``envbuild verify``: is an image what its lock says, and does it come out the same again?"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from envbuild.build import planning, records
from envbuild.cli import (
    build_options,
    build_targets,
    common,
    rebuilding,
    verify_report,
    verifying,
)
from envbuild.cli.building import Run
from envbuild.cli.verify_report import Answer, Failure
from envbuild.cli.verifying import Desk
from envbuild.engines import finding
from envbuild.errors import EnvbuildError, InputError
from envbuild.tools import proc, store

if TYPE_CHECKING:
    from envbuild.cli.build_options import Options
    from envbuild.cli.main import Session
    from envbuild.cli.verifying import Subject
    from envbuild.engines.model import Engine
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

_PROFILE = "io.envbuild.profile"
_VARIANT = "io.envbuild.variant"


@click.command("verify")
@common.profiles_argument
@click.option("--variant", multiple=True, metavar="NAME", help="This one (repeatable).")
@click.option("--image", metavar="REF", help="This image; also oci:DIR or tar:FILE.")
@common.engine_option(help="Who has the image, or builds; auto takes the one that built it.")
@click.option("--quick", is_flag=True, help="Labels alone: no layer is read.")
@click.option("--rebuild", is_flag=True, help="Build twice without cache, and compare.")
@click.option("--online", is_flag=True, help="With --rebuild: steps use the network.")
@click.option("--offline", is_flag=True, help="With --rebuild: fetch nothing.")
@click.option(
    "--mirror", multiple=True, metavar="PREFIX=PLACE", help="Read such images from there."
)
@click.option("--ca-bundle", metavar="FILE", help="With --rebuild: certificates for steps.")
@click.option(
    "--secret", multiple=True, metavar="id=NAME,src=FILE", help="With --rebuild: a file for steps."
)
@click.option("--json", "as_json", is_flag=True, help="The verdicts as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profiles: tuple[str, ...], **chosen: object) -> int:
    """Say whether an image is what its lock says; with --rebuild, whether it comes out the same.

    Without PROFILE: what was built here. An image is held against the lock as it stands: its
    labels, the base that it stands on, and the packages in it. --rebuild builds every chosen
    variant twice and names the cause of each difference; older docker's images are compared behind
    envbuild's normaliser. Exit status 1: it is another, or it differs.
    """
    _refuse_beside(chosen)
    options = _options(chosen, session.here)
    found = session.workspace.profiles()
    answers: list[Answer] = []
    if chosen["rebuild"]:
        every = _rebuilt(Run(session, options, os.environ), found, profiles)
    else:
        look = _Looking(session, options, found, read=not chosen["quick"])
        image = chosen["image"]
        every = look.at_image(str(image), profiles) if image else look.at_built(profiles)
    for one in every:
        answers.append(one)
        verify_report.say(session.console, one)
    if options.as_json:
        session.console.json([verify_report.as_data(one) for one in answers])
    session.console.say(verify_report.summary(answers))
    return verify_report.exit_status(answers)


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    for name in ("online", "offline", "ca_bundle", "secret"):
        if chosen[name] and not chosen["rebuild"]:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --rebuild")
    for name in ("image", "quick"):
        if chosen[name] and chosen["rebuild"]:
            raise click.UsageError(f"--{name} does not go with --rebuild")
    if chosen["online"] and chosen["offline"]:
        raise click.UsageError("--offline does not go with --online")


def _options(chosen: Mapping[str, object], here: str) -> Options:
    """What was asked for, as a build understands it."""
    unused = {
        "tag": (),
        "cache_from": (),
        "cache_to": (),
        "platform": None,
        "network": None,
        "output": None,
        "push": False,
        "no_cache": True,
        "force": True,
        "keep_context": False,
        "dry_run": False,
    }
    return build_options.options(unused | dict(chosen), here)


def _rebuilt(run: Run, found: Profiles, names: tuple[str, ...]) -> Iterator[Answer]:
    """Every chosen variant that this machine can run, built twice; an error ends only its own."""
    profiles = dict(common.each(found, names))
    good = {name: one for name, one in profiles.items() if not isinstance(one, InputError)}
    build_targets.refuse_unknown(good, run.options.variants)
    targets = build_targets.Targets(run.session, found, run.options)
    for name, profile in profiles.items():
        if isinstance(profile, InputError):
            yield Failure(profile=name, error=profile)
            continue
        try:
            own, _ = targets.of(profile)
        except EnvbuildError as error:
            yield Failure(profile=name, error=error)
            continue
        for target in own:
            try:
                yield rebuilding.rebuilt(target, run)
            except EnvbuildError as error:
                yield Failure(profile=name, variant=target.variant.name, error=error)


class _Looking:
    """Images held against locks; nothing is built."""

    def __init__(self, session: Session, options: Options, found: Profiles, *, read: bool) -> None:
        self._session = session
        self._options = options
        self._found = found
        self._read = read
        self._engines: dict[str, Engine] = {}

    def at_image(self, named: str, names: tuple[str, ...]) -> Iterator[Answer]:
        """One image: against the variant that its labels name, or that was chosen.

        Raises:
            InputError: there is no such image, or it says no profile and none was chosen.
        """
        desk = self._desk(named, self._options.engine)
        said = verifying.facts(named, desk)
        if said is None:
            where = desk.engine.name if desk.engine else "this machine"
            raise InputError(f"{where} has no image {named!r}", hint="build, load or pull it first")
        labels = dict(said.labels)
        profile, variant = labels.get(_PROFILE, ""), labels.get(_VARIANT, "")
        if len(names) > 1 or len(self._options.variants) > 1:
            raise InputError("--image is held against one variant of one PROFILE")
        if not names and profile not in self._found.sources:
            raise InputError(
                f"{named} names no profile of this workspace in its labels",
                hint=f"envbuild verify PROFILE --image {named}",
            )
        resolved = common.chosen(self._found, names or (profile,))
        (chosen,) = resolved.values()
        wanted = next(iter(self._options.variants), variant)
        wanted = common.variant(chosen, wanted or None).name
        yield self._verdict(chosen.name, self._subjects(chosen)[wanted], named, desk=desk)

    def at_built(self, names: tuple[str, ...]) -> Iterator[Answer]:
        """The images that were built here; of a named profile, whether they were.

        Raises:
            InputError: nothing was built here.
        """
        count = 0
        for name, profile in common.each(self._found, names):
            if isinstance(profile, InputError):
                count += 1
                yield Failure(profile=name, error=profile)
                continue
            for one in self._of(profile, named=bool(names)):
                count += 1
                yield one
        if not count:
            raise InputError("nothing was built here", hint="envbuild build")

    def _of(self, profile: ResolvedProfile, *, named: bool) -> Iterator[Answer]:
        root, options = self._session.root, self._options
        wanted, _ = planning.chosen(profile.variants, options.variants, platform.machine())
        built = {one.name: records.read(root, profile.name, one.name) for one in wanted}
        if not named:
            built = {name: record for name, record in built.items() if record}
        if not built:
            return
        try:
            subjects = self._subjects(profile)
        except EnvbuildError as error:
            yield Failure(profile=profile.name, error=error)
            return
        for name, record in built.items():
            if name not in subjects:
                why = InputError(f"{name} is not locked", hint=f"envbuild lock {profile.name}")
                yield Failure(profile=profile.name, variant=name, error=why)
                continue
            engine = record.engine if record and options.engine == "auto" else options.engine
            image = verifying.reference(root, subjects[name])
            yield self._verdict(profile.name, subjects[name], image, engine=engine)

    def _subjects(self, profile: ResolvedProfile) -> dict[str, Subject]:
        return verifying.subjects(self._session.workspace, self._found, profile)

    def _verdict(
        self,
        profile: str,
        subject: Subject,
        image: str,
        *,
        engine: str = "",
        desk: Desk | None = None,
    ) -> Answer:
        try:
            return verifying.verdict(subject, image, desk or self._desk(image, engine))
        except EnvbuildError as error:
            return Failure(profile=profile, variant=subject.variant.name, error=error)

    def _desk(self, image: str, engine: str) -> Desk:
        found = None
        if not verifying.saved(image):
            if engine not in self._engines:
                cache = f"{store.cache_folder(os.environ)}/engines"
                self._session.console.live("trying out the engine ...")
                self._engines[engine] = finding.find(engine, os.environ, proc.run, cache=cache)
            found = self._engines[engine]
        return Desk(engine=found, environ=os.environ, root=self._session.root, read=self._read)
