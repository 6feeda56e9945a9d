"""Asking for the pins of what is no Python package, while the solvers are at work.

What cannot be asked is left unpinned, with the reason; a repository without a commit refuses the
variant, since nothing could be built from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.errors import Problem
from envbuild.lock.apt.asking import AptAnswer, AptQuestion
from envbuild.lock.model import GitPin, ImagePin, LockedPackage
from envbuild.lock.pin_world import PinWorld
from envbuild.lock.pins import (
    Pinned,
    Pins,
    narrowed,
    needed,
    offline,
    standing,
    versions,
    wanted_apt,
)
from envbuild.lock.questions import Question, Questions
from envbuild.lock.system import apt_names, stage_role
from envbuild.tools.gitremote import RemoteError
from envbuild.tools.net import NetError

if TYPE_CHECKING:
    from envbuild.lock.pin_world import Doors
    from envbuild.lock.planning import Job
    from envbuild.lock.system import NeededImage, Role
    from envbuild.profile.resolved import Variant


class Refused(Struct, frozen=True, kw_only=True):
    """Why a variant cannot be locked; ``kind`` is ``network`` where nobody could be asked."""

    kind: str
    problems: tuple[Problem, ...]


class Pinner:
    """Asks for the pins of all variants of a run; ``doors`` None: nobody is asked.

    ``anew`` asks for what is pinned too.
    """

    def __init__(self, doors: Callable[[], Doors] | None, *, anew: bool = False) -> None:
        self._questions = Questions()
        self._world = PinWorld(doors, self._questions) if doors else None
        self._anew = anew

    def begin(self, job: Job, uv: Callable[[], str]) -> Pinning:
        """Send off what can be asked before the Python packages are known. ``uv`` asks uv for its
        version."""
        return Pinning(job, uv, self._world, anew=self._anew)

    def stop(self) -> None:
        """Let everybody go that waits."""
        self._questions.stop()


class Pinning:
    """The pins of one variant, on their way."""

    def __init__(
        self, job: Job, uv: Callable[[], str], world: PinWorld | None, *, anew: bool
    ) -> None:
        self._variant = job.question.variant
        self._previous = job.previous
        self._as_of = job.question.asked.as_of
        self._uv = uv
        self._world = world
        self._anew = anew
        self._kept: list[str] = []
        self._details: list[str] = []
        self._early: tuple[AptQuestion, Question[AptAnswer]] | None = None
        if world is not None:
            self._send_off(world)

    def _send_off(self, world: PinWorld) -> None:
        """Everything that is sure to be asked; answers are taken up in :meth:`finished`."""
        packages = self._previous.packages if self._previous else _all_built(self._variant)
        now = standing(self._variant, self._previous, packages, as_of=self._as_of)
        architecture = self._variant.architecture
        here = {pin.role for pin in now.images}
        for one in needed(self._variant, self._previous, ""):
            if one.digest or (one.role in here and not self._anew):
                continue
            if one.role == "uv":
                world.uv_image(self._uv, architecture)
            else:
                world.manifest(one.reference, architecture)
        pinned = {pin.name for pin in now.git}
        for source in self._variant.environment.git:
            if not source.commit and (self._anew or source.name not in pinned):
                world.commit(source.url, source.ref or "")
        if now.apt_why or (now.apt and self._anew):
            question = self._question(packages)
            self._early = question, world.apt(question, *self._below(now))

    def finished(self, packages: tuple[LockedPackage, ...]) -> Pinned | Refused:
        """The pins of a variant whose Python packages are known now.

        Raises:
            StoppedError: the run was stopped.
            ToolError: uv does not say its version, which names its image.
        """
        uv = self._uv() if self._variant.environment.python.source == "uv" else ""
        now = standing(self._variant, self._previous, packages, uv=uv, as_of=self._as_of)
        git = self._git(now)
        if isinstance(git, Refused):
            return git
        if self._world is None:
            return Pinned(pins=msgspec.structs.replace(offline(now), git=git), asked=False)
        made = self._images(self._world, now, uv=uv)
        made = self._apt(self._world, now, made, packages=packages)
        return Pinned(
            pins=msgspec.structs.replace(made, git=git),
            kept=tuple(self._kept),
            details=tuple(dict.fromkeys(self._details)),
        )

    # --- Images ------------------------------------------------------------------------------

    def _images(self, world: PinWorld, now: Pins, *, uv: str) -> Pins:
        have = {pin.role: pin for pin in now.images}
        pins: list[ImagePin] = []
        why: dict[Role, str] = {}
        for one in needed(self._variant, self._previous, uv):
            pin = have.get(one.role)
            if pin and (one.digest or not self._anew):
                pins.append(pin)
                continue
            found = self._digest(world, one)
            if isinstance(found, ImagePin):
                pins.append(found)
            elif pin:
                self._kept.append(f"{one.reference} ({found})")
                pins.append(pin)
            else:
                why[one.role] = found
        return msgspec.structs.replace(now, images=tuple(pins), image_why=why)

    def _digest(self, world: PinWorld, one: NeededImage) -> ImagePin | str:
        """The pin of an image, or why there is none."""
        try:
            found = world.manifest(one.reference, self._variant.architecture).answer()
        except NetError as error:
            detail = f"{one.reference}: {error.detail or error.message}"
            self._details.append(f"{detail}; {error.hint}" if error.hint else detail)
            return error.message
        return ImagePin(role=one.role, reference=one.reference, digest=found.digest)

    # --- Repositories ------------------------------------------------------------------------

    def _git(self, now: Pins) -> tuple[GitPin, ...] | Refused:
        have = {pin.name: pin for pin in now.git}
        pins: list[GitPin] = []
        problems: list[Problem] = []
        kinds: set[str] = set()
        for index, source in enumerate(self._variant.environment.git):
            pin = have.get(source.name)
            if pin and (source.commit or not self._anew or self._world is None):
                pins.append(pin)
                continue
            ref = source.ref or ""
            try:
                commit = self._commit(source.url, ref)
            except RemoteError as error:
                if pin:
                    self._kept.append(f"git {source.name} ({error.message})")
                    pins.append(pin)
                    continue
                kinds.add(error.kind)
                mark = self._variant.marks.get(("git", index, "ref"))
                said = f"{source.name}: {error.message}"
                said += f" ({error.detail})" if error.detail else ""
                problems.append(Problem(message=said, mark=mark, hint=error.hint))
            else:
                pins.append(GitPin(name=source.name, commit=commit, url=source.url, ref=ref))
        if problems:
            kind = "network" if "network" in kinds else "refused"
            return Refused(kind=kind, problems=tuple(problems))
        return tuple(pins)

    def _commit(self, url: str, ref: str) -> str:
        if self._world is None:
            hint = "lock once without --offline, or give a commit"
            raise RemoteError("network", f"no commit is known for {ref}", hint=hint)
        return self._world.commit(url, ref).answer()

    # --- Debian packages ---------------------------------------------------------------------

    def _apt(
        self, world: PinWorld, before: Pins, now: Pins, *, packages: tuple[LockedPackage, ...]
    ) -> Pins:
        """The versions: those of before stand where they are of the same base and no new answer
        knows more of what is missing."""
        names = set(wanted_apt(self._variant.environment, packages))
        held = before.apt if _base(before) == _base(now) else None
        pinned = versions(held).keys()
        if names <= pinned and not self._anew:
            return msgspec.structs.replace(now, apt=held, apt_why={})
        answer = self._answer(world, before, packages)
        self._details += answer.details
        found = versions(narrowed(answer.pins, names)).keys()
        if not held or (pinned <= found and (self._anew or pinned < found)):
            why = {name: why for name, why in answer.why.items() if name in names}
            return msgspec.structs.replace(now, apt=narrowed(answer.pins, names), apt_why=why)
        usual = next(iter(answer.why.values()), "")
        if self._anew:
            self._kept.append(f"apt packages ({usual})")
        why = {name: answer.why.get(name, usual) for name in sorted(names - pinned)}
        return msgspec.structs.replace(now, apt=held, apt_why=why)

    def _answer(
        self, world: PinWorld, before: Pins, packages: tuple[LockedPackage, ...]
    ) -> AptAnswer:
        """What the archives say: as it was asked early, where that was for these packages too."""
        question = self._question(packages)
        if self._early and set(question.names) <= set(self._early[0].names):
            return self._early[1].answer()
        return world.apt(question, *self._below(before)).answer()

    def _question(self, packages: Iterable[LockedPackage]) -> AptQuestion:
        environment, known = self._variant.environment, tuple(packages)
        by_role: dict[str, set[str]] = {"base": set(), "build": set()}
        for stage, names in apt_names(environment, known).items():
            by_role[stage_role(environment, known, stage)].update(names)
        return AptQuestion(
            base=tuple(sorted(by_role["base"])),
            build=tuple(sorted(by_role["build"])),
            architecture=self._variant.architecture,
            moment=self._as_of,
        )

    def _below(self, before: Pins) -> tuple[str, str]:
        """The base image and the build image, by the digests that stand; else by their tags."""
        digests = {pin.role: pin.digest for pin in before.images}
        whole: dict[str, str] = {}
        for one in needed(self._variant, self._previous, ""):
            digest = one.digest or ("" if self._anew else digests.get(one.role, ""))
            whole[one.role] = f"{one.reference}@{digest}" if digest else one.reference
        return whole["base"], whole.get("build", whole["base"])


def _base(pins: Pins) -> ImagePin | None:
    return next((pin for pin in pins.images if pin.role == "base"), None)


def _all_built(variant: Variant) -> tuple[LockedPackage, ...]:
    """What would be built if all were built that may be."""
    return tuple(
        LockedPackage(
            name=build.package, version="", requested=(), integrity="source", system=build.apt
        )
        for build in variant.environment.python.build_from_source
    )
