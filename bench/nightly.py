"""A night: what the chain costs above the stages that it calls, and what a second machine gains."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.replica import light, nights
from tests.support import registry as registries
from tests.support.engine import Engine, private_engine
from tests.support.registry import Registry

from bench.standing import ENVBUILD, cores

OVERHEAD = 0.03
"""The part of a night that may be the chain's own."""

SHARDS = 0.6
"""Two machines against one."""

_EIGHT = tuple(f"generated-{number:02}" for number in range(1, 9))


@dataclass(frozen=True)
class Machine:
    """A machine with one core: an engine, a cache and a workspace of its own."""

    workspace: Path
    environment: dict[str, str]
    core: int | None = None

    def command(self, *words: str) -> tuple[str, ...]:
        """A command of envbuild's on this machine."""
        pinned = () if self.core is None else ("taskset", "-c", str(self.core))
        return (*pinned, ENVBUILD, *words)

    def run(self, *words: str) -> tuple[float, subprocess.CompletedProcess[str]]:
        """Seconds of a command, and what it said."""
        started = time.perf_counter()
        done = subprocess.run(
            self.command(*words),
            cwd=self.workspace,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return time.perf_counter() - started, done

    def must(self, *words: str) -> None:
        """Run a command that must end well."""
        _, done = self.run(*words)
        if done.returncode:
            raise SystemExit(f"{words[0]} ended with {done.returncode}:\n{done.stderr[-3000:]}")


# --- One machine ---------------------------------------------------------------------------------


def night(keep: Path | None, count: int = 10) -> str:
    """Nights over the shipped profiles in their light form and ``count`` generated ones: with the
    committed locks, the same once more, with all that was published since, where one profile is
    broken on purpose; and the search for what broke it. What is left is put into ``keep``."""
    with everything() as (engine, registry, home):
        made = light.make(home / "workspace", engine, registry)
        names = nights.generated(made.root / "envs", count)
        machine = Machine(made.root, _environment(engine, home / "cache", made.root))
        for words in (("lock", *names, *registry.mirrors()), ("render", *names)):
            machine.must(*words)
        options = ("--engine", "podman", *registry.mirrors())
        every = (*light.PROFILES, *names, *options, "--json")
        lines = [f"nights of {len(light.PROFILES) + count} profiles, {cores()}"]
        for what, more in (
            ("as committed, a stage at a time", ("--no-upgrade", "--jobs", "1")),
            ("the same again", ("--no-upgrade", "--jobs", "1")),
            ("upgraded", ()),
        ):
            lines += _figures(*machine.run("nightly", *every, *more), what)
        took, done = machine.run("bisect", nights.BROKEN, "--test", "smoke", *options)
        lines += [f"  bisect: {took:.1f} s, exit {done.returncode}", *_indented(done.stdout)]
        if keep is not None:
            shutil.copytree(made.root, keep, dirs_exist_ok=True, symlinks=True)
    return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines()]


def _figures(took: float, done: subprocess.CompletedProcess[str], what: str) -> list[str]:
    if not done.stdout:
        raise SystemExit(done.stderr[-3000:])
    told = json.loads(done.stdout)
    spans = sorted((one["began"], one["began"] + one["seconds"]) for one in _stages(told))
    busy, until = 0.0, 0.0
    for begins, ends in spans:
        busy += max(0.0, ends - max(begins, until))
        until = max(until, ends)
    part = (took - busy) / took
    verdict = "ok" if part <= OVERHEAD else "MISSED"
    return [
        f"  {what}: {took:.1f} s, {len(spans)} stages {busy:.1f} s, exit {done.returncode}",
        f"    overhead {part:.1%} of the night   aim <= {OVERHEAD:.0%} {verdict}",
    ]


def _stages(told: object) -> Iterator[dict[str, float]]:
    """Everything in a document that has the form of a stage which ran in that night."""
    if isinstance(told, dict):
        if {"stage", "began", "seconds"} <= told.keys() and not told["carried"]:
            yield told
        for one in told.values():
            yield from _stages(one)
    elif isinstance(told, list):
        for one in told:
            yield from _stages(one)


# --- Two machines --------------------------------------------------------------------------------


def shards(runs: int) -> str:
    """Eight light profiles on one machine, and on two at the same time, each with one core."""
    seconds: dict[str, list[float]] = {"one": [], "two": []}
    for _ in range(runs):
        for name, count in (("one", 1), ("two", 2)):
            seconds[name].append(_together(count))
    one, two = (sorted(values)[len(values) // 2] for values in seconds.values())
    verdict = "ok" if two / one <= SHARDS else "MISSED"
    return "\n".join(
        [
            f"{len(_EIGHT)} light profiles, a core for each machine, medians of {runs}, {cores()}",
            f"  one machine   {one:7.1f} s",
            f"  two shards    {two:7.1f} s",
            f"  ratio {two / one:.2f}   aim <= {SHARDS} {verdict}",
        ]
    )


def _together(count: int) -> float:
    """Seconds until the last of ``count`` fresh machines has ended its part."""
    with everything() as (first, registry, home), tempfile.TemporaryDirectory() as other:
        machines = [_machine(first, home / "0", registry, 0)]
        with private_engine(Path(other)) as second:
            second.trust(registry.place)
            machines += [_machine(second, home / "1", registry, 1)] if count == 2 else []
            words = ("nightly", *_EIGHT, "--engine", "podman", "--jobs", "1", *registry.mirrors())
            started = time.perf_counter()
            with ThreadPoolExecutor(count) as pool:
                parts = [
                    pool.submit(one.run, *words, "--shard", f"{number}/{count}")
                    for number, one in enumerate(machines, 1)
                ]
                ended = [part.result()[1] for part in parts]
            took = time.perf_counter() - started
    for done in ended:
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
    return took


def _machine(engine: Engine, home: Path, registry: Registry, core: int) -> Machine:
    """A machine that has built none of the eight, and has had a night of another profile: it has
    the base images, and knows its engine."""
    envs = home / "workspace/envs"
    envs.mkdir(parents=True)
    names = nights.generated(envs, len(_EIGHT) + 1, broken=False)
    machine = Machine(envs.parent, _environment(engine, home / "cache", None), core)
    for words in (("lock", *names, *registry.mirrors()), ("render", *names)):
        machine.must(*words)
    machine.must("nightly", names[-1], "--engine", "podman", *registry.mirrors())
    return machine


def _environment(engine: Engine, cache: Path, root: Path | None) -> dict[str, str]:
    own = {**engine.environment, "XDG_CACHE_HOME": str(cache), "NO_COLOR": "1"}
    if root is not None:
        own |= {"CONDARC": str(root / "condarc"), "RATTLER_CACHE_DIR": str(root / "rattler")}
    return own


@contextmanager
def everything() -> Iterator[tuple[Engine, Registry, Path]]:
    """An engine, and a registry with what stands for the vendors' images; removed at the end."""
    with tempfile.TemporaryDirectory(
        prefix="envbuild-night-", dir=os.environ.get("TMPDIR")
    ) as place:
        home = Path(place)
        for name in ("engine", "registry", "programs"):
            (home / name).mkdir()
        with (
            private_engine(home / "engine") as engine,
            registries.serve(home / "registry") as registry,
        ):
            engine.trust(registry.place)
            light.fill(registry, engine, home / "programs")
            yield engine, registry, home
