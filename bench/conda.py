"""The conda half: against conda-lock with a conda command line, on the same channel."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml
from tests.support import conda_cli

from bench.timing import medians, once, table

PYTHON = sys.executable
ENVBUILD = str(Path(PYTHON).parent / "envbuild")
ROOT = Path(__file__).parents[1]
ENTRIES = 3000

_READ = """\
import sys, time
from envbuild.tools import condalock, rattler
data = open(sys.argv[1], "rb").read()
rattler.library()
started = time.perf_counter()
found = condalock.records(data, label="conda-lock.yml")
print(time.perf_counter() - started, sum(map(len, found.values())), flush=True)
rattler.let_go()
import os
os._exit(0)
"""


def conda(runs: int, channel: Path | None, genuine: str | None) -> str:
    """Locking the conda packages of ``isaaclab`` for two platforms; ``channel`` is a folder that
    stands for conda-forge, ``genuine`` a conda of the user's to be timed too."""
    parts = [_unchanged(runs), _reading(runs)]
    if channel is None:
        return "\n".join(("conda: --channel FOLDER names a copy of conda-forge", *parts))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        condarc = folder / "condarc"
        (folder / "channels").mkdir()
        (folder / "channels/conda-forge").symlink_to(channel.absolute())
        base = (folder / "channels").as_uri()
        condarc.write_text(f"solver: classic\ncustom_channels: {{conda-forge: '{base}'}}\n")
        workspace = _workspace(folder / "workspace")
        shim = conda_cli.install(folder)
        settings = f"CONDARC={condarc}"
        relock = (f"{workspace}/lockfiles/isaaclab",)
        ours = _fresh(settings, relock, f"{ENVBUILD} -C {workspace} lock isaaclab")
        once(ours, folder)
        source = workspace / "lockfiles/isaaclab"
        commands = {"envbuild lock": ours}
        solvers = {"conda-lock, double of conda": str(shim)}
        solvers |= {"conda-lock, genuine conda": genuine} if genuine else {}
        for name, program in solvers.items():
            lock = folder / f"{name.replace(' ', '-')}.yml"
            call = f"{PYTHON} -m conda_lock lock --conda {program} -f {source}/environment.yml"
            call += f" --virtual-package-spec {source}/virtual-packages.yml --lockfile {lock}"
            commands[name] = _fresh(settings, (str(lock),), call, keep=source)
        seconds = medians(commands, folder, runs=runs)
    ratios = [
        f"  {name}: {seconds[name] / seconds['envbuild lock']:.1f} times as long"
        for name in solvers
    ]
    title = "conda packages of isaaclab, two platforms, no lock before, medians"
    return "\n".join((table(title, seconds, base="envbuild lock", limits={}), *ratios, *parts))


def _fresh(
    settings: str, gone: tuple[str, ...], call: str, *, keep: Path | None = None
) -> tuple[str, ...]:
    """A command that is run without what it makes; ``keep`` must be there."""
    there = f"test -d {keep} && " if keep else ""
    return ("sh", "-c", f"{there}rm -rf {' '.join(gone)} && {settings} {call}")


def _workspace(root: Path) -> Path:
    """A workspace whose ``isaaclab`` has the conda packages of the shipped one, and no others."""
    profile = yaml.safe_load((ROOT / "envs/isaaclab.yaml").read_text())
    for key in ("requirements", "exclude", "build-from-source", "build-constraints", "indexes"):
        profile["python"].pop(key, None)
    profile["as-of"] = "2026-08-01T00:00:00Z"
    profile["python"]["version"] = "3.11"
    (root / "envs").mkdir(parents=True)
    (root / "envs/isaaclab.yaml").write_text(yaml.safe_dump(profile))
    return root


def _unchanged(runs: int) -> str:
    """``lock --check`` of a profile with a conda half and of one without."""
    names = {"lock --check isaac-g1": "isaac-g1", "lock --check isaaclab": "isaaclab"}
    for name in names.values():
        once((ENVBUILD, "lock", "--check", name), ROOT)
    commands = {title: (ENVBUILD, "lock", "--check", name) for title, name in names.items()}
    seconds = medians(commands, ROOT, runs=runs)
    title = "a fresh lock with a conda half, against one without"
    limits = {"lock --check isaaclab": 1.1}
    return table(title, seconds, base="lock --check isaac-g1", limits=limits)


def _reading(runs: int) -> str:
    """Reading a large ``conda-lock.yml``."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "conda-lock.yml"
        path.write_text(_large())
        argv = (PYTHON, "-c", _READ, str(path))
        took = [_seconds(argv) for _ in range(runs)]
    seconds = statistics.median(took)
    verdict = "ok" if seconds <= 0.3 else "MISSED"
    return f"reading {ENTRIES} entries: {seconds * 1000:.0f} ms   aim <= 300 ms {verdict}"


def _seconds(argv: tuple[str, ...]) -> float:
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    seconds, count = done.stdout.split()
    assert int(count) == ENTRIES
    return float(seconds)


def _large() -> str:
    """The shipped lock, its entries over and over under other names."""
    lock = yaml.load(
        (ROOT / "lockfiles/isaaclab/conda-lock.yml").read_text(), Loader=yaml.CSafeLoader
    )
    entries = lock["package"]
    lock["package"] = [_renamed(entries[i % len(entries)], i) for i in range(ENTRIES)]
    return str(yaml.dump(lock, Dumper=yaml.CSafeDumper, sort_keys=False))


def _renamed(entry: Mapping[str, str], number: int) -> dict[str, str]:
    name = f"{entry['name']}{number}"
    return {**entry, "name": name, "url": entry["url"].replace(f"/{entry['name']}-", f"/{name}-")}
