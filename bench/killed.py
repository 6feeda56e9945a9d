"""A workspace whose nights are killed, and what is looked at in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from tests.replica import nights
from tests.support.engine import Engine
from tests.support.registry import Registry

from bench.standing import ENVBUILD
from envbuild.history import layout
from envbuild.history.opening import opened
from envbuild.tools import proc

PROFILES = 2

_STAGES = ("check", "lock", "audit", "render", "build", "smoke")

_PODMANS = re.compile(r"buildah-cache|(?:storage|buildah)?\d+")
"""What podman keeps for itself where temporary files are."""


class Killed:
    """A workspace whose nights are killed."""

    def __init__(self, home: Path, engine: Engine, registry: Registry) -> None:
        self.home = home
        self.engine = engine
        self.root = home / "workspace"
        self.temporary = home / "tmp"
        self.temporary.mkdir()
        self.private = self.root / ".envbuild"
        (self.root / "envs").mkdir(parents=True)
        self.names = nights.generated(self.root / "envs", PROFILES, broken=False, pinned=True)
        self.texts = {name: self._profile(name).read_text() for name in self.names}
        self.mirrors = registry.mirrors()
        self.environment = {
            **engine.environment,
            "XDG_CACHE_HOME": str(home / "cache"),
            "TMPDIR": str(self.temporary),
            "NO_COLOR": "1",
            "GIT_CEILING_DIRECTORIES": str(home),
        }
        self.broken: list[str] = []
        self._tags: dict[str, str] = {}
        self.said = home / "said"

    def _profile(self, name: str) -> Path:
        return self.root / f"envs/{name}.yaml"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of envbuild's, to its end."""
        return subprocess.run(
            (ENVBUILD, *words),
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def begin(self) -> subprocess.Popen[bytes]:
        """Begin a night in a session of its own."""
        with self.said.open("wb") as said:
            return subprocess.Popen(
                (ENVBUILD, "nightly", "--engine", "podman", *self.mirrors),
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def move(self, turn: int) -> None:
        """Let every image be another one than before."""
        for name, text in self.texts.items():
            moved = text.replace('"1"}', f'"1", TURN: "{turn}"}}')
            self._profile(name).write_text(moved)

    # --- What stands -----------------------------------------------------------------------------

    def users(self) -> dict[str, bytes]:
        """Every file of the workspace that is the user's."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and self.private not in path.parents
        }

    def tags(self) -> dict[str, str]:
        """The images that have a name, by it."""
        done = subprocess.run(
            ("podman", "images", "--format", "json"),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:  # podman itself leaves an image half written
            print(f"    podman images: {done.stderr[-200:]}", flush=True)
            return dict(self._tags)
        listed = json.loads(done.stdout or "[]")
        self._tags = {name: one["Id"] for one in listed for name in one.get("Names") or ()}
        return dict(self._tags)

    def whole_history(self, what: str) -> set[str]:
        """The ids of the nights; what is broken or missing is a fault."""
        history = opened("", str(self.root), self.environment, proc.run)
        kept = history.nights()
        self.check(not kept.broken, f"{what}: history: {kept.broken}")
        for night in kept.nights:
            for digest in layout.kinds(night):
                self.check(history.blob(digest) is not None, f"{what}: {night.id} lacks {digest}")
        return {night.id for night in kept.nights}

    def processes(self) -> dict[int, str]:
        """What still runs of a night: processes of its environment, and those of its containers."""
        ours = os.readlink("/proc/self/ns/mnt")
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            place = Path("/proc") / name
            try:
                if place.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    continue
                marked = (
                    f"TMPDIR={self.temporary}".encode() in place.joinpath("environ").read_bytes()
                )
                if not marked and os.readlink(place / "ns/mnt") != ours:
                    marked = str(self.home) in place.joinpath("mountinfo").read_text()
                if marked:
                    line = place.joinpath("cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(name)] = line.decode(errors="replace")[:200]
            except OSError:
                continue
        return found

    def containers(self) -> list[str]:
        """The containers, those of unfinished builds too."""
        return self.engine("ps", "--all", "--external", "--quiet").split()

    def leftovers(self) -> list[str]:
        """Temporary files: in the folder for them, and beside what they were to become."""
        found = [
            str(path) for path in self.temporary.iterdir() if not _PODMANS.fullmatch(path.name)
        ]
        found += [
            str(path)
            for path in self.root.rglob("*")
            if ".envbuild-" in path.name and path.name != ".envbuild-report"
        ]
        found += [str(path) for path in self.root.rglob(".new")]
        return [path.replace(str(self.home), "") for path in found]

    def check(self, holds: bool, fault: str) -> None:
        """Note a fault."""
        if not holds:
            self.broken.append(fault)
            print(f"    FAULT {fault}", flush=True)

    def images_work(self, what: str, before: dict[str, str]) -> None:
        """No name is lost, and each names an image that works and says which profile it is of."""
        now = self.tags()
        self.check(before.keys() <= now.keys(), f"{what}: lost {before.keys() - now.keys()}")
        for name in sorted(name for name in now if name.endswith("-nightly")):
            if now[name] == before.get(name):
                continue  # which was looked at when it was new
            profile = name.rpartition("/")[2].partition(":")[0]
            done = self.engine.run(
                "run", "--rm", "--network=none", "--entrypoint", "/opt/venv/bin/python", name,
                "-c", "import os; print(os.environ['TURN'])",
            )  # fmt: skip
            self.check(done.returncode == 0, f"{what}: {name} does not work: {done.stdout[-300:]}")
            said = self.command("-C", self.scratch(profile), "verify", name, "--engine", "podman")
            self.check(said.returncode in (0, 1), f"{what}: verify {name}: {said.stderr[-300:]}")

    def scratch(self, profile: str) -> str:
        """The scratch workspace of a profile."""
        return str(self.private / f"nightly/work/{profile}")

    def where(self) -> str:
        """The stage that a killed night was in: the furthest that has a log."""
        running = self.private / "nightly/running"
        if not running.exists():
            return "before or after"
        logs = {path.name.partition(".")[0] for path in running.glob("*/logs/*")}
        smoked = len(list(running.glob("*/smoke.*.json")))
        if smoked == PROFILES:
            return "history"
        return next((stage for stage in reversed(_STAGES) if stage in logs), "begin")
