"""Images held against locks, and against what is known of their builds; nothing is built."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envbuild.build import planning, records
from envbuild.cli import common, still, verifying
from envbuild.cli.verify_report import Answer, Failure
from envbuild.cli.verifying import Desk
from envbuild.engines import finding
from envbuild.errors import EnvbuildError, InputError
from envbuild.tools import proc, store

if TYPE_CHECKING:
    from envbuild.cli.build_options import Options
    from envbuild.cli.main import Session
    from envbuild.cli.still import Evidence
    from envbuild.cli.verifying import Subject
    from envbuild.engines.model import Engine
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

_PROFILE = "io.envbuild.profile"
_VARIANT = "io.envbuild.variant"

_IDENTITY = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")
"""How an engine calls an image that has no name, whole or short."""


def is_image(text: str, found: Profiles) -> bool:
    """Whether an argument is a reference of an image and no name of a profile: it is saved, has a
    tag, a digest or a folder in it, or is an engine's own name for it."""
    if text in found.sources:
        return False
    return any(sign in text for sign in ":/@") or _IDENTITY.fullmatch(text) is not None


class Looking:
    """Images held against locks; nothing is built."""

    def __init__(
        self,
        session: Session,
        options: Options,
        found: Profiles,
        *,
        read: bool,
        evidence: Evidence,
    ) -> None:
        self._session = session
        self._options = options
        self._found = found
        self._read = read
        self._evidence = evidence
        self._engines: dict[str, Engine] = {}

    def at_images(self, images: tuple[str, ...], names: tuple[str, ...]) -> Iterator[Answer]:
        """Some images, one after the other.

        Raises:
            InputError: as :meth:`at_image`.
        """
        for one in images:
            yield from self.at_image(one, names)

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
            what = f"names no profile of this workspace in its labels, but {profile!r}"
            if not profile:
                what = f"is no image that envbuild has built: it has no label {_PROFILE}"
            raise InputError(f"{named} {what}", hint=f"envbuild verify PROFILE --image {named}")
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
            at = desk or self._desk(image, engine)
            found = verifying.verdict(subject, image, at)
            return still.judged(found, subject, at, self._evidence)
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
