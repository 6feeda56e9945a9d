"""Nights as they might have been: many profiles over a year, the same for the same numbers.

Pure; no figure of a real machine stands in it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from msgspec.structs import replace

from envbuild.history.judging import new_id
from envbuild.history.model import (
    OF_PROFILE,
    SCHEMA,
    Diagnosis,
    Image,
    Night,
    Part,
    ProfileNight,
    Stage,
    StageResult,
    VariantNight,
)
from envbuild.lock.moves import Move

DAY = 86_400
_LAST = 1_795_317_000.0
"""When the newest night began: 22 November 2026."""

VARIANTS = (("linux-amd64-cu128", "linux/amd64"), ("linux-arm64-cu130", "linux/arm64"))
_WORDS = ("isaac", "groot", "so101", "g1", "torchrl", "lerobot", "spot", "franka", "orin", "thor")
_KINDS = ("sim", "policy", "inference", "train", "streamer")
_SECONDS = {"check": 0.6, "lock": 14, "audit": 9, "render": 0.3, "build": 420, "smoke": 48}
_CHECKS = (
    "import torch", "import numpy", "import isaacsim", "import isaaclab", "cuda is seen",
    "torch allocates on the GPU", "entry point train", "entry point play", "usd opens a stage",
    "numpy and torch share memory", "protobuf round trip", "warp compiles a kernel",
    "no package is shadowed", "user is not root", "locale is UTF-8", "files are as locked",
    "libGL loads", "vulkan lists a device", "ffmpeg decodes", "opencv reads a frame",
)  # fmt: skip
_MOVES = (
    Move(risk="security", what="pillow", old="11.2.0", new="11.2.1", why="CVE-2026-1017 is mended"),
    Move(risk="abi", what="numpy", old="1.26.4", new="2.3.1",
         why="modules compiled for one major NumPy do not load under another"),
    Move(risk="abi", what="torch", old="2.7.1+cu128", new="2.8.0+cu128",
         why="extensions are compiled for one minor torch", variants=("linux-amd64-cu128",)),
    Move(risk="cuda", what="nvidia-cudnn-cu12", old="9.7.1.26", new="9.10.2.21",
         why="must fit torch and the driver"),
    Move(risk="major", what="gymnasium", old="0.29.1", new="1.2.0",
         why="another major: interfaces may be gone"),
    *(Move(risk="minor", what=f"part-{n}", old=f"1.{n}.0", new=f"1.{n + 1}.0") for n in range(9)),
    *(Move(risk="other", what=f"piece-{n}", old=f"3.1.{n}", new=f"3.1.{n + 1}") for n in range(14)),
    Move(risk="added", what="typing-inspection", new="0.4.1"),
    Move(risk="removed", what="six", old="1.17.0"),
)  # fmt: skip
_KNOWN = Diagnosis(
    id="numpy-abi-1-under-2",
    title="A module compiled for NumPy 1.x was imported under NumPy 2",
    fix="Pin numpy<2 in the profile, or take a release of the module that is built for NumPy 2.",
)


def names(count: int) -> tuple[str, ...]:
    """Names of profiles, all different."""
    found = [f"{a}-{b}" for a in _WORDS for b in _KINDS]
    return tuple((found + [f"{name}-{n}" for n in range(2, 99) for name in found])[:count])


def nights(profiles: int = 50, count: int = 365, *, seed: int = 7) -> Iterator[Night]:
    """The nights, the oldest first: most is well, a few profiles break and are mended."""
    dice = random.Random(seed)
    broken: dict[str, int] = {}
    wanted = names(profiles)
    for number in range(count):
        for name in wanted:
            left = broken.get(name, 0) - 1
            broken[name] = left if left > 0 else dice.choice((1, 2, 5)) * (dice.random() < 0.012)
        yield made(dice, count - 1 - number, [(name, broken[name] > 0) for name in wanted])


def made(dice: random.Random, ago: int, profiles: list[tuple[str, bool]]) -> Night:
    """The night so many days before the newest; of each profile its name and whether it broke."""
    began = _LAST - ago * DAY + dice.uniform(0, 600)
    found = tuple(made_profile(dice, name, broken=broken, ago=ago) for name, broken in profiles)
    busy = sum(
        s.seconds for p in found for s in (*p.stages, *(t for v in p.variants for t in v.stages))
    )
    return Night(
        schema=SCHEMA,
        id=_id(ago),
        name=f"night-{10_000 - ago}",
        machine="builder-a",
        began=began,
        ended=began + busy / 4 * 1.02,
        version="0.1.0",
        revision="74fcbaa5ef0c8e83f4a3d1a9",
        profiles=found,
        overhead=round(busy / 4 * 0.02, 1),
    )  # fmt: skip


def _id(ago: int) -> str:
    return new_id(_LAST - ago * DAY, "builder-a", bytes)


def made_profile(
    dice: random.Random, name: str, *, broken: bool = False, ago: int = 0
) -> ProfileNight:
    """One profile of such a night."""
    stages = tuple(_stage(dice, stage, _slow(name)) for stage in OF_PROFILE)
    moves = _MOVES if broken else _MOVES[5 : 5 + dice.randrange(9)]
    return ProfileNight(
        profile=name,
        stages=stages,
        variants=tuple(
            _variant(dice, name, number, broken=broken and number == 0, ago=ago)
            for number in range(len(VARIANTS))
        ),
        lock=f"sha256:{_digest(name + str(ago))}",
        committed=not moves,
        against=_id(ago + 1),
        moves=moves,
    )


def _variant(
    dice: random.Random, name: str, number: int, *, broken: bool, ago: int
) -> VariantNight:
    variant, platform = VARIANTS[number]
    slow = _slow(name)
    size = int((3.1e9 + 2.2e9 * slow) * (1 + (400 - ago) / 4000) * dice.uniform(0.998, 1.002))
    smoke = _stage(dice, "smoke", slow)
    smoke = _smoked(dice, smoke, broken=broken)
    return VariantNight(
        variant=variant,
        platform=platform,
        stages=(_stage(dice, "build", slow), smoke),
        image=Image(
            reference=f"localhost/envbuild/{name}:{variant}",
            identity=f"sha256:{_digest(name + variant + str(ago))}",
            engine="podman",
            size=size,
        ),
    )


def _smoked(dice: random.Random, smoke: StageResult, *, broken: bool) -> StageResult:
    parts = [
        Part(name=check, status="pass", seconds=round(dice.uniform(0.01, 3), 2))
        for check in _CHECKS
    ]
    parts[5] = Part(name=_CHECKS[5], status="not-run", reason="this machine has no GPU")
    parts[17] = Part(name=_CHECKS[17], status="not-run", reason="this machine has no GPU")
    if not broken:
        return replace(smoke, parts=tuple(parts), reason="18 passed, 2 not run")
    parts[2] = Part(
        name=_CHECKS[2],
        status="fail",
        seconds=4.1,
        reason="ImportError: numpy.core.multiarray failed to import",
        place="probes/imports.py:41",
    )
    parts[9] = Part(name=_CHECKS[9], status="warn", reason="a copy was made")
    return replace(
        smoke,
        status="fail",
        reason="import isaacsim: ImportError: numpy.core.multiarray failed to import",
        hint="envbuild why numpy says who brings it",
        parts=tuple(parts),
        diagnosis=(_KNOWN,),
        tail=tuple(_traceback()),
        log=f"sha256:{_digest('log')}",
        log_size=184_223,
    )


def _traceback() -> Iterator[str]:
    for n in range(30):
        yield f"[{n:4}.118s] [carb.plugin] loaded omni.physx.{n}.plugin from /isaac-sim/exts"
    yield "Traceback (most recent call last):"
    yield '  File "/opt/probes/imports.py", line 41, in <module>'
    yield "    import isaacsim"
    yield "RuntimeError: module compiled against ABI version 0x1000009, this numpy is 0x2000000"
    yield "ImportError: numpy.core.multiarray failed to import"


def _stage(dice: random.Random, stage: Stage, slow: float) -> StageResult:
    seconds = _SECONDS[stage] * slow * dice.uniform(0.85, 1.2)
    carried = stage == "check" and dice.random() < 0.2
    said = {"lock": "3 packages moved", "audit": "212 wheels looked at", "check": "9 rules hold"}
    return StageResult(
        stage=stage,
        status="pass",
        reason=said.get(stage, ""),
        began=_LAST,
        seconds=round(seconds, 2),
        carried=_id(3) if carried else "",
        key=f"sha256:{_digest(stage)}",
        log=f"sha256:{_digest(stage)}",
        log_size=20_101,
    )


def _slow(name: str) -> float:
    """How much longer a profile takes than the quickest one."""
    return 1.0 + int(_digest(name)[:2], 16) / 256 * 1.5


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
