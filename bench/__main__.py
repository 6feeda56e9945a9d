"""``python -m bench [startup|lock|conda|growth|explain|rebuild|reproduce|smoke|abi|abi-speed|
fuzz-elf|doctor|numpy-pairs|nightly|night-kills|shards|report|
history] [--runs N]``: promised figures."""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import (
    abi,
    abi_fuzz,
    abi_speed,
    build,
    conda,
    doctor,
    explain,
    generated,
    history,
    night_kills,
    nightly,
    numpy_pairs,
    report,
    smoke,
)
from bench.timing import medians, once, table
from envbuild.cli import locking, uvtool
from envbuild.lock import planning, uv
from envbuild.lock.conda.packages import Standing, installed
from envbuild.lock.model import SolverInput
from envbuild.profile.resolve import resolve
from envbuild.workspace import Workspace

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ENVBUILD = str(BIN / "envbuild")
PYTHON = sys.executable
FORCE = planning.Options(force=True)


def startup(runs: int) -> str:
    """Start-up and the two checks against a bare interpreter."""
    for check in (("check",), ("lock", "--check"), ("render", "--check")):
        once((ENVBUILD, *check), ROOT)
    seconds = medians(
        {
            "python -c pass": (PYTHON, "-c", "pass"),
            "envbuild --version": (ENVBUILD, "--version"),
            "envbuild check": (ENVBUILD, "check"),
            "envbuild lock --check": (ENVBUILD, "lock", "--check"),
            "envbuild render --check": (ENVBUILD, "render", "--check"),
            "envbuild list": (ENVBUILD, "list"),
        },
        ROOT,
        runs=runs,
    )
    limits = {
        "envbuild --version": 2,
        "envbuild check": 8,
        "envbuild lock --check": 3,
        "envbuild render --check": 10,
    }
    return table("start-up, medians", seconds, base="python -c pass", limits=limits)


def lock(runs: int, workers: int = 2) -> str:
    """``envbuild lock`` of everything, warm and offline, against the same uv calls by xargs."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        scripts = _raw_calls(folder)
        listed = folder / "scripts"
        listed.write_text("\0".join(scripts))
        once((ENVBUILD, "--quiet", "lock", "--force", "--jobs", str(workers)), ROOT)
        raw = f"xargs -0 -P {workers} -n 1 sh < {shlex.quote(str(listed))}"
        seconds = medians(
            {
                f"raw uv, xargs -P {workers}": ("sh", "-c", raw),
                f"envbuild lock -j {workers}": (
                    ENVBUILD,
                    "lock",
                    "--offline",
                    "--force",
                    "--jobs",
                    str(workers),
                ),
            },
            ROOT,
            runs=runs,
        )
    return table(
        f"lock of {len(scripts)} variants, warm, offline, medians",
        seconds,
        base=f"raw uv, xargs -P {workers}",
        limits={f"envbuild lock -j {workers}": 1.3},
    )


def _raw_calls(folder: Path) -> list[str]:
    """One shell script for each resolution that ``envbuild lock --force --offline`` makes: the
    same command line on the same files, in the environment of whoever calls it."""
    workspace = Workspace(root=str(ROOT))
    found = workspace.profiles()
    targets = [
        locking.target(workspace, found, resolve(name, found.sources), options=FORCE, now="")
        for name in found.default
    ]
    tool, _ = uvtool.prepare_tool(offline=True, refresh=False)
    scripts = []
    for number, job in enumerate(job for target in targets for job in target.jobs):
        place = folder / str(number)
        place.mkdir()
        question = job.question
        asked = _given(question.asked, question.conda)
        for name, text in uv.files(asked, tool, pins=question.pins).items():
            (place / name).write_text(text)
        call = uv.command(asked, tool, folder=str(place))
        own = {k: v for k, v in call.environment if k not in uv.MEMORY}
        variables = " ".join(f"{k}={shlex.quote(v)}" for k, v in own.items())
        script = place / "call.sh"
        script.write_text(
            f"cd {shlex.quote(str(place))}\nexec env {variables} {shlex.join(call.argv)}\n"
        )
        scripts.append(str(script))
    return scripts


def _given(asked: SolverInput, standing: Standing) -> SolverInput:
    """What uv is asked where a conda half stands below."""
    packages = standing.half.packages if standing.half else ()
    return msgspec.structs.replace(asked, installed=installed(packages))


def growth(runs: int) -> str:
    """Milliseconds a profile, for growing numbers of generated profiles."""
    lines = ["growth, median of whole commands"]
    for count in (125, 250, 500, 1000):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place) / "many"
            generated.make(root, count)
            once((ENVBUILD, "--quiet", "render"), root)
            for name in ("list", "check", "lock --check", "render --check"):
                argv = (ENVBUILD, *name.split())
                once(argv, root)
                seconds = statistics.median(once(argv, root) for _ in range(runs))
                each = seconds * 1000 / count
                aim = "" if count < 1000 else f"   aim <= 2 ms {'ok' if each <= 2 else 'MISSED'}"
                lines.append(
                    f"  {count:5} x {name:<15} {seconds * 1000:8.0f} ms {each:6.2f} ms each{aim}"
                )
    return "\n".join(lines)


def main() -> None:
    """Print the chosen figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="*", default=["startup", "lock", "growth"])
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--size", type=int, default=1000, help="MB of the log for explain")
    parser.add_argument("--channel", type=Path, help="a folder that stands for conda-forge")
    parser.add_argument("--conda", help="a genuine conda, to be timed too")
    parser.add_argument("--workspace", type=Path, help="of yours, for reproduce and smoke")
    parser.add_argument("--mirror", action="append", default=[], help="for reproduce there")
    parser.add_argument("--image", help="that was built there, for smoke")
    parser.add_argument("--write", action="store_true", help="the facts, for numpy-pairs")
    parser.add_argument("--cache", type=Path, help="where abi keeps wheels and what they did")
    parser.add_argument("--keep", type=Path, help="where nightly leaves its workspace")
    chosen = parser.parse_args()
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, {chosen.runs} runs")
    figures: dict[str, Callable[[int], str]] = {
        "startup": startup,
        "lock": lock,
        "conda": lambda runs: conda.conda(runs, chosen.channel, chosen.conda),
        "growth": growth,
        "explain": lambda _: explain.explain(chosen.size),
        "rebuild": lambda runs: build.rebuild(min(runs, 3)),
        "reproduce": lambda _: build.reproduce(
            chosen.workspace, [word for one in chosen.mirror for word in ("--mirror", one)]
        ),
        "smoke": lambda runs: smoke.smoke(runs, chosen.workspace, chosen.image),
        "abi": lambda _: abi.abi(chosen.cache),
        "abi-speed": lambda runs: abi_speed.speed(runs, chosen.cache),
        "doctor": lambda _: doctor.doctor(chosen.cache),
        "fuzz-elf": lambda _: abi_fuzz.fuzz(),
        "nightly": lambda _: nightly.night(chosen.keep),
        "night-kills": night_kills.night_kills,
        "shards": lambda runs: nightly.shards(min(runs, 3)),
        "report": report.report,
        "history": lambda _: history.history(),
        "numpy-pairs": lambda _: numpy_pairs.numpy_pairs(chosen.write),
    }
    for name in chosen.what:
        print(figures[name](chosen.runs), flush=True)


if __name__ == "__main__":
    main()
