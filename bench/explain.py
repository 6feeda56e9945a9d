"""How fast a log is explained, beside grep with the same literals and patterns on the same file."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from envbuild.diagnose.index import Index
from envbuild.knowledge.signaturebook import shipped

ENVBUILD = str(Path(sys.executable).parent / "envbuild")
_BLOCK = 8 << 20
_EXTENSIONS = (
    "omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311",
    "omni.syntheticdata-0.6.13+69cbf6ad.lx64.r.cp311",
    "omni.replicator.core-1.12.27+107.3.3.lx64.r.cp311",
    "isaacsim.sensors.camera-1.3.6",
    "isaacsim.core.api-4.8.0",
    "omni.physx-107.3.26+107.3.3.lx64.r.cp311.u353",
)
_USUAL = (
    "{t} [{ms}ms] [Info] [omni.ext.plugin] [ext: {e}] startup",
    "{t} [{ms}ms] [Info] [carb] Mounted plugin `/isaac-sim/extscache/{e}/bin/libplugin-{n}.so`",
    "{t} [{ms}ms] [Info] [omni.usd] opened /Isaac/Robots/Franka/panda_instanceable.usd in {n} ms",
    "{t} [{ms}ms] [Info] [rtx.postprocessing] texture pool {n} MiB of 8192 MiB used, 0 errors",
    "Learning iteration {n}/15000  mean reward: {f}  mean episode length: {f}  fps: {n}",
    "    Value function loss: {f}   Surrogate loss: {f}   Mean action noise std: {f}",
    "#24 {f}   Downloading numpy-1.26.0-cp311-cp311-manylinux_2_17_x86_64.whl (18.2 MB)",
    "tests/test_envs.py::test_reset[{n}] PASSED                              [ {n}%]",
)
_RARE = (
    "{t} [{ms}ms] [Warning] [omni.hydra] failed to find attribute {n} on prim, using the default",
    "{t} [{ms}ms] [Error] [omni.kit.app] extension {e} reported an error: value {n} out of range",
    "{t} [{ms}ms] [Warning] [carb] plugin {n} not found in the cache, loading it again",
)


def explain(megabytes: int) -> str:
    """The figures of one log of so many megabytes (10^6 bytes)."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        log = folder / "kit.log"
        write(log, megabytes * 10**6)
        size = log.stat().st_size / 1e6
        index = Index(shipped())
        (folder / "literals").write_text("\n".join(index.literals))
        (folder / "patterns").write_text("\n".join(map(_extended, index.patterns)))
        calls = {
            f"grep -F -i -c, {len(index.literals)} literals": (
                "grep",
                "-F",
                "-i",
                "-c",
                "-f",
                "literals",
            ),
            f"grep -E -c, {len(index.patterns)} patterns": ("grep", "-E", "-c", "-f", "patterns"),
            "envbuild explain": (ENVBUILD, "explain"),
        }
        lines = [f"explain, a log of {size:.0f} MB, once each after one reading"]
        for name, argv in calls.items():
            seconds, memory = _timed((*argv, str(log)), folder)
            aim = _aim(size / seconds, memory) if "explain" in name else ""
            lines.append(
                f"  {name:<34} {seconds:7.2f} s {size / seconds:7.0f} MB/s {memory:5.0f} MiB{aim}"
            )
    return "\n".join(lines)


def write(path: Path, size: int) -> None:
    """A log as a long training writes it: 1 line in 100 looks like an error, 1 in 50,000 is one."""
    chance = random.Random(1)
    blocks = ["".join(_lines(chance)) for _ in range(4)]
    with path.open("w") as file:
        written = 0
        while written < size:
            written += file.write(chance.choice(blocks))


def _lines(chance: random.Random) -> Iterator[str]:
    known = [one.samples[0] for one in shipped() if "\n" not in one.samples[0]]
    written = 0
    while written < _BLOCK:
        draw = chance.random()
        text = chance.choice(_RARE if draw < 0.01 else _USUAL)
        line = text.format(
            t="2026-01-03T19:47:02Z",
            ms=f"{written // 80:,}",
            e=chance.choice(_EXTENSIONS),
            n=chance.randrange(1, 9999),
            f=f"{chance.random() * 100:.2f}",
        )
        if chance.random() < 1 / 50_000:
            line = chance.choice(known)
        written += len(line) + 1
        yield f"{line}\n"


def _extended(pattern: str) -> str:
    """A pattern as grep -E reads it: near enough for a figure, not for an answer."""
    text = re.sub(r"\(\?(?:P<\w+>|:)", "(", pattern).replace("(?i)", "")
    text = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", lambda found: _class(found[0]), text)
    return text.replace(r"\d", "[0-9]")


def _class(text: str) -> str:
    if text[0] != "[":
        return text
    for ours, theirs in (
        (r"\w", "[:alnum:]_"),
        (r"\d", "0-9"),
        (r"\s", " "),
        (r"\n", ""),
        (r"\[", ""),
    ):
        text = text.replace(ours, theirs)
    return text.replace("\\", "") if text != "[^]" else "."


_MEASURED = """
import os, resource, subprocess, sys
with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE) as process:
    while os.read(process.stdout.fileno(), 1 << 20):  # to /dev/null, grep would stop at once
        pass
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(process.returncode > 1)
"""


def _timed(argv: tuple[str, ...], folder: Path) -> tuple[float, float]:
    """Seconds, and MiB of memory at most; the small process between keeps this one's out of it."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURED, *argv],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.monotonic() - started, float(done.stdout)


def _aim(speed: float, memory: float) -> str:
    met = speed >= 100 and memory < 100
    return f"   aim >= 100 MB/s and < 100 MiB {'ok' if met else 'MISSED'}"
