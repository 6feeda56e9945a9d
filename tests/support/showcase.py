"""A night with every kind of end that there is, after two months of others."""

from __future__ import annotations

import random

from bench.nights import made, made_profile, names, nights
from msgspec.structs import replace

from envbuild.history.model import Diagnosis, Night, Part, ProfileNight, Stage, StageResult

_SHORT = Diagnosis(
    id="disk-full",
    title="The disk is full",
    fix="Free the builder's cache: envbuild clean --cache",
)


def showcase(count: int = 60, *, well: bool = False) -> tuple[Night, ...]:
    """Few profiles, and in the last night every kind of end that there is; or all ``well``."""
    found = list(nights(9, count, seed=3))
    dice = random.Random(11)
    last = made(dice, 0, [(name, False) for name in names(9)])
    if well:
        return (*found[:-1], last)
    kept = list(last.profiles)
    kept[1] = made_profile(dice, kept[1].profile, broken=True)
    kept[2] = _without_check(kept[2])
    kept[3] = _warned(kept[3])
    kept[5] = _unbuilt(kept[5])
    del kept[7]
    whole = replace(last, profiles=tuple(kept), notes=("the clock of builder-a jumped by 37 s",))
    return (
        *found[:-1],
        replace(whole, id=f"{whole.id}1", machine="builder-a", shard="1/3",
                 profiles=whole.profiles[:4]),
        replace(whole, id=f"{whole.id}2", machine="builder-c", shard="3/3",
                 profiles=whole.profiles[4:], notes=()),
    )  # fmt: skip


def _without_check(profile: ProfileNight) -> ProfileNight:
    """The lock failed, and nothing after it was run."""
    check, lock, *_ = profile.stages
    lock = replace(
        lock,
        status="fail",
        reason="torch 2.8.0 asks for nvidia-nccl-cu12 2.27.3, the image brings 2.25.1",
        hint="envbuild lock isaac-streamer shows the whole conflict",
        parts=(
            Part(
                name="torch", status="fail", reason="2.8.0 does not fit", place="envs/a.yaml:14:3"
            ),
        ),
        tail=("error: no version of nvidia-nccl-cu12 fits",),
    )
    after = (_idle("audit", "lock failed"), _idle("render", "lock failed"))
    variants = tuple(
        replace(
            variant,
            image=None,
            stages=(_idle("build", "lock failed"), _idle("smoke", "lock failed")),
        )
        for variant in profile.variants
    )
    stages = (check, lock, *after)
    return replace(profile, stages=stages, variants=variants, moves=())


def _idle(stage: Stage, reason: str) -> StageResult:
    return StageResult(stage=stage, status="not-run", reason=reason)


def _warned(profile: ProfileNight) -> ProfileNight:
    check, lock, audit, render = profile.stages
    audit = replace(
        audit,
        status="warn",
        reason="2 wheels were built for another NumPy",
        hint="envbuild audit says which",
        parts=(
            Part(name="opencv-python 4.10.0", status="warn", reason="was built for NumPy 1.26"),
            Part(name="pyarrow 17.0", status="warn", reason="was built for NumPy 1.26"),
        ),
    )
    return replace(profile, stages=(check, lock, audit, render))


def _unbuilt(profile: ProfileNight) -> ProfileNight:
    """One variant's builder was lost, the other's disk was full."""
    first, second = profile.variants
    lost = _idle("build", "the time budget of 2 h was used up")
    full = StageResult(
        stage="build",
        status="fail",
        reason="no space left on device",
        hint="--disk 80G stops before that",
        seconds=311.0,
        diagnosis=(_SHORT,),
        tail=("STEP 14/22: RUN uv pip sync", "error: write /layers: no space left on device"),
        log="sha256:" + "f" * 64,
        log_size=92_000,
    )
    return replace(
        profile,
        variants=(
            replace(first, image=None, stages=(lost, _idle("smoke", "there is no image"))),
            replace(second, image=None, stages=(full, _idle("smoke", "build failed"))),
        ),
    )
