"""What a night would do, and why, before anything is done. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from envbuild.history.model import OF_PROFILE, Stage
from envbuild.nightly import chain as chains
from envbuild.nightly.chain import Last
from envbuild.nightly.keys import Keys
from envbuild.nightly.model import Subject, Wishes
from envbuild.plan import Plan, Step

_WHY: dict[Stage, str] = {
    "check": "",
    "lock": "every version may move",
    "audit": "where the lock moved",
    "render": "from the lock of the night",
    "build": "where something moved",
    "smoke": "where the image or this machine moved",
}


def plan(subject: Subject, wishes: Wishes, last: Last | None, *, keys: Keys, force: bool) -> Plan:
    """The steps of one profile."""
    return tuple(_steps(subject, wishes, last, keys=keys, force=force))


def _steps(
    subject: Subject, wishes: Wishes, last: Last | None, *, keys: Keys, force: bool
) -> Iterator[Step]:
    for stage in OF_PROFILE:
        if stage in wishes.stages:
            reason, runs = _of_profile(stage, wishes, last, keys=keys, force=force)
            action: Literal["run", "skip"] = "run" if runs else "skip"
            yield Step(kind=stage, target=subject.profile, action=action, reason=reason)
        elif wishes.carry_from and last:
            yield Step(
                kind=stage, target=subject.profile, action="skip", reason=f"as in {last.night}"
            )
    for target in subject.targets:
        name = f"{subject.profile}/{target.variant}"
        for stage in wishes.stages:
            if stage in OF_PROFILE:
                continue
            if target.left_out:
                yield Step(kind=stage, target=name, action="skip", reason=target.left_out)
            else:
                why = "--force" if force else _WHY[stage]
                yield Step(kind=stage, target=name, action="run", reason=why)


def _of_profile(
    stage: Stage, wishes: Wishes, last: Last | None, *, keys: Keys, force: bool
) -> tuple[str, bool]:
    if force:
        return "--force", True
    if stage == "lock" and not wishes.upgrade:
        return "whether the committed lock is fresh", True
    if stage != "check":
        return _WHY[stage], True
    before = chains.before(last.profile, "check", "")[0] if last else None
    if before is None:
        return "no earlier night has it", True
    if before.status not in ("pass", "warn"):
        return f"it was {before.status} in {last.night if last else ''}", True
    if before.key != keys.check():
        return "something that it depends on has moved", True
    return f"as in {before.carried or (last.night if last else '')}", False
