"""A world without processes: what envbuild says when a night calls it, and a desk to work at."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from envbuild.history.model import Image, ProfileNight, StageResult, VariantNight
from envbuild.lock import folder
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import HEADER, LOCK_FORMAT, FileDigest, Lock
from envbuild.nightly.calling import Own
from envbuild.nightly.chain import Chain, Desk, Last
from envbuild.nightly.flow import Flow, Went
from envbuild.nightly.ledger import Ledger, Name
from envbuild.nightly.model import Subject, Target, Wishes
from envbuild.nightly.scratch import Scratch, Snapshot
from envbuild.nightly.slots import Slots
from envbuild.nightly.stages import Doors
from envbuild.tools.hearing import Heard
from envbuild.tools.proc import Command, Outcome
from tests.support import locks

MOMENT = "2026-11-22T03:00:00Z"
VARIANT = "linux-amd64-cu128"
YAML = b"schema: 1\nname: one\nas-of: 2026-01-01T00:00:00Z # a release\npython: {}\n"


def lock(version: str, *, as_of: str = "2026-01-01T00:00:00Z") -> LockFolder:
    """A lock of one package."""
    text = f"numpy=={version} \\\n    --hash=sha256:{version[0] * 64}\n".encode()
    part = locks.variant(locks.package("numpy", version), as_of=as_of)
    file = FileDigest(path="x.txt", sha256=folder.sha256(text))
    part = msgspec.structs.replace(part, wheels=file)
    header = Lock(format=LOCK_FORMAT, profile="one", tools={}, variants={VARIANT: part})
    return LockFolder(label="lockfiles/one", header=header, texts={"x.txt": text})


def files_of(found: LockFolder) -> dict[str, bytes]:
    assert found.header is not None
    return {HEADER: folder.encode(found.header), **found.texts}


def snapshot(committed: LockFolder | None = None, yaml: bytes = YAML) -> Snapshot:
    from envbuild.errors import Mark

    held = files_of(committed) if committed else {}
    return Snapshot(
        profile="one",
        texts={"envs/one.yaml": yaml},
        locks={f"lockfiles/one/{name}": data for name, data in held.items()},
        moments=(Mark("envs/one.yaml", 3, 1),),
    )


Answer = tuple[int, Any, str]
"""Exit status, JSON on stdout, talk on stderr."""


class World:
    """What envbuild answers, by stage; ``calls`` are the words of each call. ``makes`` is the lock
    that ``lock`` writes."""

    def __init__(self, root: Path, *, makes: LockFolder | None = None) -> None:
        self.root = root
        self.makes = makes
        self.calls: list[tuple[str, ...]] = []
        self.answers: dict[str, Callable[[tuple[str, ...]], Answer]] = {}
        self.on_call: Callable[[str], None] = lambda _: None
        self.told: list[str] = []
        self.turn = threading.Lock()

    def hear(self, command: Command, log: str, line: Callable[[str], None]) -> Heard:
        words = command.argv[command.argv.index("-C") + 2 :]
        stage = "audit" if "--audit" in words else words[0]
        with self.turn:
            self.calls.append(words)
        self.on_call(stage)
        code, data, talk = self.answers.get(stage, self.well(stage))(words)
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        Path(log).write_text(f"$ {stage}\n{talk}")
        for text in talk.splitlines():
            line(text)
        outcome = Outcome(command=command, code=code, stdout="", stderr="", seconds=0.5)
        return Heard(
            outcome=outcome,
            answer=json.dumps(data).encode() if data is not None else b"",
            last=tuple(talk.splitlines()),
            size=len(talk),
        )

    def well(self, stage: str) -> Callable[[tuple[str, ...]], Answer]:
        return {
            "check": lambda _: (0, {"findings": [], "unpinned": {}}, ""),
            "audit": lambda _: (0, {"findings": [], "unpinned": {}}, ""),
            "lock": self._lock,
            "render": lambda _: (0, [{"profile": "one", "status": "written"}], ""),
            "build": self._build,
            "smoke": lambda _: (0, {"reports": [{"ok": True, "checks": [CHECK]}]}, ""),
        }[stage]

    def _lock(self, _words: tuple[str, ...]) -> Answer:
        if self.makes is not None:
            place = self.root / "work/one/lockfiles/one"
            place.mkdir(parents=True, exist_ok=True)
            for name, data in files_of(self.makes).items():
                (place / name).write_bytes(data)
        return 0, [{"profile": "one", "status": "written", "variants": []}], ""

    def _build(self, words: tuple[str, ...]) -> Answer:
        identity = folder.sha256((self.root / "work/one/lockfiles/one" / HEADER).read_bytes())
        variant = words[words.index("--variant") + 1]
        row = {"variant": variant, "status": "built", "reason": "new", "engine": "podman 4"}
        row |= {"reference": f"one:{variant}", "identity": identity, "size": 1000}
        return 0, [row], ""

    def stages(self) -> list[str]:
        """The stages that were called, in their order."""
        return ["audit" if "--audit" in one else one[0] for one in self.calls]

    # A follower too

    def begins(self, name: Name) -> None:
        pass

    def line(self, name: Name, text: str) -> None:
        pass

    def ended(self, name: Name, result: StageResult, *, resumed: bool) -> None:
        with self.turn:
            self.told.append(f"{name.stem}: {result.status}" + (" again" if resumed else ""))

    def trouble(self, name: Name, text: str) -> None:
        self.told.append(f"trouble: {text}")


CHECK = {"test": "static", "name": "packages", "id": "static/packages", "verdict": "pass"}


def desk(world: World, wishes: Wishes | None = None, **more: Any) -> Desk:
    given: dict[str, Any] = {
        "wishes": wishes or Wishes(),
        "moment": MOMENT,
        "force": False,
        "doors": Doors(own=Own(python="python", environment=()), hear=world.hear),
        "ledger": Ledger(str(world.root / "running")),
        "slots": Slots(2),
        "follower": world,
        "room": lambda _profile, _variant: "",
        "program": "p",
        "machine": "m",
    }
    return Desk(**given | more)


def night(
    desk: Desk,
    world: World,
    taken: Snapshot,
    *,
    last: Last | None = None,
    targets: tuple[Target, ...] = (Target(variant=VARIANT, platform="linux/amd64"),),
) -> Went:
    subject = Subject(profile="one", snapshot=taken, targets=targets)
    scratch = Scratch(root=str(world.root / "work/one"), snapshot=taken)
    return Flow(Chain(desk, subject, scratch, number=0, last=last)).run()


def statuses(went: Went) -> dict[str, str]:
    of = went.night
    every = (*of.stages, *(stage for one in of.variants for stage in one.stages))
    return {one.stage: one.status for one in every}


def last_of(went: Went, night: str = "n1") -> Last:
    from envbuild.nightly.flow import last_lock

    data = went.blobs.get(went.night.lock)
    return Last(night=night, profile=went.night, lock=last_lock(data, "one"))


def profile(**stages: str) -> ProfileNight:
    """A profile in a night, with states by stage."""
    of = [StageResult(stage=name, status=status) for name, status in stages.items()]
    image = Image(reference="one:x", identity="sha256:1", engine="podman", size=5)
    return ProfileNight(
        profile="one",
        stages=tuple(one for one in of if one.stage not in ("build", "smoke")),
        variants=(
            VariantNight(
                variant=VARIANT,
                platform="linux/amd64",
                stages=tuple(one for one in of if one.stage in ("build", "smoke")),
                image=image,
            ),
        ),
    )
