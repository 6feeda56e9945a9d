"""Nights that are killed at random moments: what stands, and whether the next run mends it.

Each turn moves the profiles, begins a night with a real engine, ends it by SIGKILL, looks at all
that is left, and runs the same command once more, which must complete the night.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from bench.killed import PROFILES, Killed
from bench.nightly import everything
from bench.standing import cores

_ENDING = 60.0
"""Seconds that what a killed night had started may take to end."""

MODES = ("process", "group", "tree")
"""The process of the night alone; its process group; it and all that it has started."""

# --- Killing -------------------------------------------------------------------------------------


def _tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(name))
    found = [root]
    for one in found:
        found += children.get(one, [])
    return found


def kill(night: subprocess.Popen[bytes], mode: str) -> None:
    """End a night without a chance to tidy up."""
    if night.poll() is not None:
        return
    if mode == "group":
        os.killpg(night.pid, signal.SIGKILL)
    elif mode == "tree":
        numbers = _tree(night.pid)
        for number in numbers:  # so that none starts another one meanwhile
            _send(number, signal.SIGSTOP)
        for number in {*numbers, *_tree(night.pid)}:
            _send(number, signal.SIGKILL)
    else:
        night.kill()
    night.wait()


def _send(number: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, sign)


Moment = tuple[str, float]
"""A stage that is waited for, and the seconds after its beginning."""

_LONG = {
    "": 0.8,
    "check": 0.5,
    "lock": 1.5,
    "audit": 0.8,
    "render": 0.5,
    "build": 6.0,
    "smoke": 4.0,
    "history": 0.6,
}
"""Seconds over which moments of a stage are spread; the first is before any stage, the last after
all of them: what is kept of the night is written, then the page."""

_SHARES = (
    ("",) + ("check",) + ("lock",) * 2 + ("audit",) + ("render",)
    + ("build",) * 3 + ("smoke",) * 2 + ("history",) * 3
)  # fmt: skip
"""How often each is killed in."""


def _moments(runs: int, dice: random.Random) -> list[Moment]:
    """When to kill."""
    found = [_SHARES[n % len(_SHARES)] for n in range(runs)]
    dice.shuffle(found)
    return [(stage, dice.uniform(0.0, _LONG[stage])) for stage in found]


def _wait(world: Killed, night: subprocess.Popen[bytes], moment: Moment) -> None:
    """Wait for a moment, or for the end of the night where it comes before."""
    stage, seconds = moment
    running = world.private / "nightly/running"
    while night.poll() is None:
        if stage == "history":
            begun = len(list(running.glob("*/smoke.*.json"))) == PROFILES
        else:
            begun = not stage or any(running.glob(f"*/logs/{stage}*"))
        if begun:
            break
        time.sleep(0.002)
    end = time.monotonic() + seconds
    while night.poll() is None and time.monotonic() < end:
        time.sleep(0.002)


# --- The figures ---------------------------------------------------------------------------------


def night_kills(runs: int, seed: int = 7) -> str:
    """Kill ``runs`` nights and complete each; what stood, and what did not."""
    dice = random.Random(seed)
    places: Counter[str] = Counter()
    with everything() as (engine, registry, home):
        world = Killed(home, engine, registry)
        took = _first(world)
        print(f"  a night takes {took:.1f} s", flush=True)
        lasted: list[float] = []
        for turn, moment in enumerate(_moments(runs, dice), 1):
            mode = MODES[turn % len(MODES)]
            place, ended, again = _turn(world, turn, mode=mode, moment=moment)
            places[place] += 1
            lasted.append(ended)
            times = f"ended {ended:5.1f} s, completed {again:5.1f} s"
            print(f"  {turn:3} {mode:<8} in {place:<16} {times}", flush=True)
        left = len(world.tags()), len(world.engine("images", "--all", "--quiet").split())
    spread = ", ".join(f"{name} {count}" for name, count in sorted(places.items()))
    return "\n".join(
        [
            f"{runs} nights killed, each completed by the next run, {cores()}",
            f"  killed in: {spread}",
            f"  what they had started ended after {max(lasted):.1f} s at most",
            f"  images at the end: {left[0]} names, {left[1]} in all",
            f"  faults: {len(world.broken)}   aim 0 {'MISSED' if world.broken else 'ok'}",
            *(f"    {one}" for one in world.broken),
        ]
    )


def _first(world: Killed) -> float:
    done = world.command("lock", *world.mirrors)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    for turn in (-1, 0):  # the first fetches what a machine has afterwards
        world.move(turn)
        started = time.monotonic()
        done = world.command("nightly", "--engine", "podman", *world.mirrors)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
    return time.monotonic() - started


def _turn(world: Killed, turn: int, *, mode: str, moment: Moment) -> tuple[str, float, float]:
    """Kill one night and complete it: where it was, and the seconds of its end and of the next."""
    what = f"turn {turn} ({mode})"
    world.move(turn)
    users, tags, nights_before = world.users(), world.tags(), world.whole_history(what)
    night = world.begin()
    _wait(world, night, moment)
    place = world.where() if night.poll() is None else "the end"
    kill(night, mode)
    world.check(world.users() == users, f"{what}: the workspace is another one")
    world.check(nights_before <= world.whole_history(what), f"{what}: a night is lost")
    ended = _ended(world, what)
    world.check(world.users() == users, f"{what}: the workspace is another one at the end")
    world.images_work(what, tags)
    _ledger(world, what)
    started = time.monotonic()
    _complete(world, what, nights_before)
    took = time.monotonic() - started
    world.check(world.users() == users, f"{what}: the workspace is another one after the next run")
    return place, ended, took


def _ended(world: Killed, what: str) -> float:
    started = time.monotonic()
    while (left := world.processes()) and time.monotonic() - started < _ENDING:
        time.sleep(0.1)
    world.check(not left, f"{what}: still there: {left}")
    for number in left:
        _send(number, signal.SIGKILL)
    return time.monotonic() - started


def _ledger(world: Killed, what: str) -> None:
    for path in (world.private / "nightly/running").rglob("*.json"):
        if ".envbuild-new" in str(path):
            continue  # which the next run drops
        try:
            json.loads(path.read_bytes())
        except ValueError:
            world.check(False, f"{what}: {path.name} is half written")


def _complete(world: Killed, what: str, before: set[str]) -> None:
    done = world.command("nightly", "--engine", "podman", "--json", *world.mirrors)
    world.check(done.returncode == 0, f"{what}: the next run: {done.stderr[-1500:]}")
    if not done.stdout:
        return
    told = json.loads(done.stdout)
    stages = [
        (one["profile"], stage["stage"], stage["status"])
        for one in told["profiles"]
        for stage in (*one["stages"], *one["variants"][0]["stages"])
    ]
    bad = [one for one in stages if one[2] not in ("pass", "warn")]
    world.check(len(stages) == 6 * PROFILES and not bad, f"{what}: the night is {bad or stages}")
    tags = world.tags()
    for one in told["profiles"]:
        image = one["variants"][0]["image"]
        same = tags.get(_full(image["reference"]), "") == image["identity"].removeprefix("sha256:")
        world.check(same, f"{what}: {image['reference']} is not the image of the night")
    now = world.whole_history(what)
    world.check(before < now and told["id"] in now, f"{what}: the history is {now}")
    world.check(not (world.private / "nightly/running").exists(), f"{what}: it still runs")
    world.check(not (left := world.leftovers()), f"{what}: left: {left[:5]} ({len(left)})")
    world.check(not (held := world.containers()), f"{what}: containers: {held}")
    end = time.monotonic() + 5  # of the engine's own, which end after it
    while (still := world.processes()) and time.monotonic() < end:
        time.sleep(0.1)
    world.check(not still, f"{what}: processes: {still}")


def _full(reference: str) -> str:
    return reference if reference.startswith("localhost/") else f"localhost/{reference}"
