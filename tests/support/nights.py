"""Nights in small, as a test wants them."""

from __future__ import annotations

from collections.abc import Iterable

from envbuild.history import blobs
from envbuild.history.model import (
    Diagnosis,
    Image,
    Night,
    Part,
    ProfileNight,
    Stage,
    StageResult,
    Status,
    VariantNight,
)
from envbuild.lock.moves import Move

BEGAN = 1_795_000_000.0
"""18 November 2026, in the morning."""

DAY = 86_400.0
VARIANT = "linux-amd64-cpu"

HOSTILE = (
    "<script>alert(1)</script> | `x` [a](https://evil.example) @everyone #1 "
    "\x1b[31mred\x1b[0m \x00 \u202edesrever ]]> & ```"
)
"""What a log may hold."""


def stage(
    name: Stage = "build", status: Status = "pass", reason: str = "", **more: object
) -> StageResult:
    """One stage."""
    value: dict[str, object] = {"began": BEGAN, "seconds": 2.0, **more}
    return StageResult(stage=name, status=status, reason=reason, **value)  # type: ignore[arg-type]


def variant(*stages: StageResult, name: str = VARIANT, image: Image | None = None) -> VariantNight:
    """One variant."""
    platform = "linux/arm64" if "arm64" in name else "linux/amd64"
    return VariantNight(variant=name, platform=platform, stages=stages, image=image)


def profile(
    name: str = "one",
    status: Status = "pass",
    *,
    stages: tuple[StageResult, ...] | None = None,
    variants: tuple[VariantNight, ...] | None = None,
    lock: str = "",
    moves: tuple[Move, ...] = (),
) -> ProfileNight:
    """A profile whose build came to ``status``."""
    reason = "it broke" if status == "fail" else ""
    return ProfileNight(
        profile=name,
        stages=(stage("check"), stage("lock")) if stages is None else stages,
        variants=(variant(stage("build", status, reason)),) if variants is None else variants,
        lock=lock,
        moves=moves,
    )


def night(
    day: int = 0,
    profiles: Iterable[ProfileNight] | None = None,
    *,
    machine: str = "host",
    name: str = "",
    **more: object,
) -> Night:
    """The night of a day; each machine has an id of its own."""
    began = BEGAN + day * DAY
    value: dict[str, object] = {
        "schema": 1,
        "id": f"20261118T{day:06}Z-{machine}",
        "name": name or f"night-{day}",
        "machine": machine,
        "began": began,
        "ended": began + 60,
        "version": "0.1.0",
        "profiles": (profile(),) if profiles is None else tuple(profiles),
        **more,
    }
    return Night(**value)  # type: ignore[arg-type]


def with_log(text: str, day: int = 0, **more: object) -> tuple[Night, dict[str, bytes]]:
    """A night whose build failed, and its log."""
    data = text.encode()
    digest = blobs.digest(data)
    failed = stage("build", "fail", "it broke", log=digest, log_size=len(data), tail=(text,))
    found = night(day, [profile(variants=(variant(failed),))], **more)  # type: ignore[arg-type]
    return found, {digest: data}


def hostile() -> Night:
    """A night in which every text is hostile."""
    broken = stage(
        "smoke",
        "fail",
        HOSTILE,
        hint=HOSTILE,
        tail=(HOSTILE, "```", "@everyone"),
        parts=(Part(name=HOSTILE, status="fail", reason=HOSTILE, place=HOSTILE),),
        diagnosis=(Diagnosis(id=HOSTILE, title=HOSTILE, fix=HOSTILE),),
    )
    idle = stage("build", "not-run", HOSTILE)
    move = Move(risk="abi", what=HOSTILE, old=HOSTILE, new=HOSTILE, why=HOSTILE)
    one = ProfileNight(
        profile=HOSTILE,
        stages=(stage("check", "warn", HOSTILE),),
        variants=(VariantNight(variant=HOSTILE, platform=HOSTILE, stages=(idle, broken)),),
        moves=(move,),
    )
    return night(0, [one], machine="host", name=HOSTILE, notes=(HOSTILE,))
