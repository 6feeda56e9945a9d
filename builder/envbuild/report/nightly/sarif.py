"""What failed or was warned of in a night, as SARIF 2.1.0. Pure.

A finding of ``check`` stands where it was found; what has no place of its own stands at the file of
its profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envbuild.errors import Mark
from envbuild.history.model import Night, Part, ProfileNight, StageResult
from envbuild.report import sarif
from envbuild.report.plain import printable
from envbuild.report.sarif import Log, Told

MOST = 5000
"""Results of a log: GitHub shows no more of one run. The failures come first."""

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>[1-9]\d{0,6})(?::(?P<column>[1-9]\d{0,6}))?)?")
_NOT_RULE = re.compile(r"[^A-Za-z0-9._/-]+")
_ABOUT = {
    "check": "The profile does not hold against what is known.",
    "lock": "The profile could not be locked.",
    "audit": "The wheels of the lock do not fit together.",
    "render": "The files of the build could not be written.",
    "build": "The image could not be built, or its checks failed.",
    "smoke": "Something does not work inside the built image.",
}


def log(night: Night, files: Mapping[str, str], *, version: str) -> Log:
    """The log of a night; ``files`` are the files of profiles as messages call them, by name."""
    told = sorted(_all(night, files), key=lambda one: one.level != "error")
    return sarif.written(told[:MOST], version=version)


def _all(night: Night, files: Mapping[str, str]) -> Iterator[Told]:
    for profile in night.profiles:
        home = files.get(profile.profile) or f"envs/{profile.profile}.yaml"
        for variant, stage in _stages(profile):
            named = f"{profile.profile}/{variant}" if variant else profile.profile
            yield from _of_stage(named, stage, home)


def _stages(profile: ProfileNight) -> Iterator[tuple[str, StageResult]]:
    yield from (("", stage) for stage in profile.stages)
    yield from ((one.variant, stage) for one in profile.variants for stage in one.stages)


def _of_stage(named: str, stage: StageResult, home: str) -> Iterator[Told]:
    """The parts that failed; a stage itself where no part of it says why it failed."""
    parts = [part for part in stage.parts if part.status in ("fail", "warn")]
    for part in parts:
        yield _of_part(named, stage, part, home=home)
    if stage.status not in ("fail", "warn") or any(one.status == stage.status for one in parts):
        return
    known = stage.diagnosis[0] if stage.diagnosis else None
    title = known.title if known else _ABOUT[stage.stage]
    fix = (known.fix if known else "") or stage.hint
    yield Told(
        rule=_rule(known.id if known else f"nightly/{stage.stage}"),
        level="error" if stage.status == "fail" else "warning",
        title=printable(title),
        why=_ABOUT[stage.stage],
        help=printable(fix or "The log of the stage says more."),
        message=_message(named, stage, stage.reason, fix=fix),
        identity=f"nightly\n{named}\n{stage.stage}",
        places=(Mark(home, 1, 1),),
    )


def _of_part(named: str, stage: StageResult, part: Part, *, home: str) -> Told:
    fix = stage.diagnosis[0].fix if stage.diagnosis else stage.hint
    return Told(
        rule=_rule(f"nightly/{stage.stage}/{part.name}"),
        level="error" if part.status == "fail" else "warning",
        title=printable(f"{stage.stage}: {part.name}"),
        why=_ABOUT[stage.stage],
        help=printable(fix or "The log of the stage says more."),
        message=_message(named, stage, part.reason, part=part.name),
        identity=f"nightly\n{named}\n{stage.stage}\n{part.name}",
        places=(_place(part.place, home),),
    )


def _message(named: str, stage: StageResult, reason: str, *, part: str = "", fix: str = "") -> str:
    what = f"{stage.stage} {part}".rstrip()
    text = f"{named}: {what}: {reason or stage.status}"
    return printable(f"{text}. Fix: {fix}" if fix else text)


def _rule(text: str) -> str:
    return _NOT_RULE.sub("-", text).strip("-")[:255] or "nightly"


def _place(text: str, home: str) -> Mark | str:
    """A file with its line; the profile's file where nothing is said."""
    found = _PLACE.fullmatch(printable(text).strip())
    if found is None:
        return Mark(home, 1, 1)
    if found["file"].startswith("/"):
        return found["file"]
    return Mark(found["file"], int(found["line"] or 1), int(found["column"] or 1))
