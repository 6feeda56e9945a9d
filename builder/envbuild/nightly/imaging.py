"""The images of one profile in a night: each variant built and tested, beside the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from envbuild.history.model import Image, Stage
from envbuild.nightly import chain as chains
from envbuild.nightly import stages, verdicts
from envbuild.nightly.chain import Chain, Task
from envbuild.nightly.ledger import Name
from envbuild.nightly.model import Kept, Locked, Mode, Target

Place = tuple[Stage, str]
"""A stage and its variant (empty for a stage of the whole profile)."""

Results = dict[Place, Kept]

UNTESTED = verdicts.result(
    "smoke",
    "warn",
    "the profile has no smoke tests",
    hint="smoke: takes a list of tests, each with a name and imports",
)
"""Of an image that nobody has a question about: that it was built is all that is known."""


def each(
    chain: Chain, targets: Iterable[Target], *, locked: Locked, mode: Mode, blocked: str
) -> Results:
    """Build and test every variant; ``blocked``: why none is."""
    imaging = _Imaging(chain, locked, mode)
    found: list[Results] = []
    _at_once(targets, lambda target: found.append(imaging.image(target, blocked)))
    return {place: kept for one in found for place, kept in one.items()}


def standing(chain: Chain, target: Target) -> Image | None:
    """The image of a variant that the last night has made."""
    if chain.last is None:
        return None
    return chains.before(chain.last.profile, "build", target.variant)[1]


class _Imaging:
    def __init__(self, chain: Chain, locked: Locked, mode: Mode) -> None:
        self._chain = chain
        self._desk = chain.desk
        self._wishes = chain.desk.wishes
        self._profile = chain.subject.profile
        self._locked = locked
        self._mode: Mode = mode

    def image(self, target: Target, blocked: str) -> Results:
        """Build and test one variant; ``blocked``: why it is neither."""
        results: Results = {}
        image = standing(self._chain, target)
        why = target.left_out or blocked
        if "build" in self._wishes.stages:
            why = why or self._desk.room(self._profile, target.variant)
            built = self._no("build", target, why) if why else self._build(target)
            results["build", target.variant] = built
            image = built.image
            why = why or blocked_by((built,))
        if "smoke" in self._wishes.stages:
            why = why or ("" if image else "there is no image of an earlier night")
            tested = self._no("smoke", target, why) if why or image is None else None
            if tested is None and image is not None:
                tested = self._smoke(target, image)
            assert tested is not None  # one of both
            results["smoke", target.variant] = tested
        return results

    def _name(self, stage: Stage, target: Target) -> Name:
        return Name(profile=self._profile, stage=stage, variant=target.variant, mode=self._mode)

    def _no(self, stage: Stage, target: Target, why: str) -> Kept:
        return self._chain.left_out(stage, why, variant=target.variant)

    def _build(self, target: Target) -> Kept:
        wishes, variant = self._wishes, target.variant
        tag = wishes.tag.replace("{profile}", self._profile).replace("{variant}", variant)
        task = Task(
            name=self._name("build", target),
            key=self._chain.keys.build(self._locked, variant),
            words=stages.build_words(self._profile, variant, wishes, tag=tag),
        )
        return self._chain.stage(task)

    def _smoke(self, target: Target, image: Image) -> Kept:
        if not target.tested:
            return self._chain.told(self._name("smoke", target), UNTESTED)
        task = Task(
            name=self._name("smoke", target),
            key=self._chain.keys.smoke(image.identity, target.variant),
            words=stages.smoke_words(self._profile, target.variant, self._wishes, image=image),
            carry=True,
        )
        if self._desk.alone is None:
            return self._chain.stage(task)
        with self._desk.alone:
            return self._chain.stage(task)


def blocked_by(kept: Iterable[Kept]) -> str:
    """Why what follows is not run: the first stage that did not go well."""
    for one in kept:
        if one.result.status == "fail":
            return f"{one.result.stage} failed"
        if one.result.status == "not-run":
            return one.result.reason
    return ""


def _at_once(targets: Iterable[Target], act: Callable[[Target], None]) -> None:
    """Act on each at a time of its own; the first error that is a bug is raised at the end."""
    broken: list[BaseException] = []

    def one(target: Target) -> None:
        try:
            act(target)
        except BaseException as error:  # noqa: BLE001 (raised below, in the thread that waits)
            broken.append(error)

    threads = [threading.Thread(target=one, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
