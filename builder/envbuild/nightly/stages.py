"""One stage of one profile: the words that envbuild is called with, and what it then said."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.history import cleaning
from envbuild.history.model import Image, Stage
from envbuild.nightly import calling, image_verdicts, verdicts
from envbuild.nightly.calling import Asked, Called, Own
from envbuild.nightly.model import Wishes
from envbuild.nightly.scratch import Scratch
from envbuild.nightly.verdicts import Judged
from envbuild.tools import hearing
from envbuild.tools.ends import ends
from envbuild.tools.hearing import Hearer

HOURS = 3600.0

LONGEST: dict[Stage, float] = {
    "check": 0.5 * HOURS,
    "lock": 2 * HOURS,
    "audit": 4 * HOURS,
    "render": 0.5 * HOURS,
    "build": 12 * HOURS,
    "smoke": 12 * HOURS,
}
"""Seconds that a stage may take at most: beyond, something hangs that has no limit of its own."""


class Doors(Struct, frozen=True, kw_only=True):
    """How stages reach the world: this envbuild, how its calls are heard, and the clock of this
    machine (seconds since 1970)."""

    own: Own
    hear: Hearer = hearing.hear
    clock: Callable[[], float] = time.time


class Work(Struct, frozen=True, kw_only=True):
    """A stage to be done: where, of which variant, with which words, and where its log goes."""

    stage: Stage
    scratch: Scratch
    words: tuple[str, ...]
    log: str
    variant: str = ""


# --- What is said --------------------------------------------------------------------------------


def check_words(profile: str, wishes: Wishes) -> tuple[str, ...]:
    """The profile and the committed lock, as the user would have them checked."""
    return ("check", "--json", *(("--strict",) if wishes.strict else ()), profile)


def lock_words(profile: str, wishes: Wishes, moment: str) -> tuple[str, ...]:
    """Every version as of the night's moment; or whether the committed lock is fresh."""
    if not wishes.upgrade:
        return ("lock", "--check", "--json", profile)
    asked = ("--upgrade", "--exclude-newer", moment, "--json")
    return ("lock", *asked, *wishes.lock_words, profile)


def audit_words(profile: str, wishes: Wishes) -> tuple[str, ...]:
    """The wheels of the lock of the night."""
    return ("check", "--audit", "--json", *(("--strict",) if wishes.strict else ()), profile)


def render_words(profile: str) -> tuple[str, ...]:
    """The Dockerfiles of that lock."""
    return ("render", "--json", profile)


def build_words(profile: str, variant: str, wishes: Wishes, *, tag: str) -> tuple[str, ...]:
    """The image of a variant, under the names of the night."""
    asked = ("--json", "--variant", variant, "--engine", wishes.engine, "--tag", tag)
    push = ("--push",) if wishes.push else ()
    return ("build", *asked, *push, *wishes.build_words, profile)


def smoke_words(profile: str, variant: str, wishes: Wishes, *, image: Image) -> tuple[str, ...]:
    """The tests of an image, by the engine that has it."""
    engine = image.engine.partition(" ")[0]
    runs = {"podman": "podman", "buildah": "podman", "docker": "docker"}.get(engine, wishes.engine)
    asked = ("--json", "--variant", variant, "--image", image.reference, "--engine", runs)
    return ("smoke", *asked, *wishes.smoke_words, profile)


# --- Doing it ------------------------------------------------------------------------------------


def do(
    work: Work, doors: Doors, *, seconds: float, line: Callable[[str], None]
) -> tuple[Judged, Called]:
    """Do a stage: what it came to, without what its log says; and how its process ended.

    ``seconds`` is what is left of the night for it.

    Raises:
        ToolError: the log cannot be written.
    """
    most = LONGEST[work.stage]
    timeout = max(1.0, min(most, seconds))
    asked = Asked(root=work.scratch.root, words=work.words, log=work.log, timeout=timeout)
    called = calling.call(doors.own, asked, hear=doors.hear, line=line)
    early = verdicts.unfinished(work.stage, called, over=timeout < most)
    judged = Judged(result=early) if early else _judged(work, called)
    hearing.add(work.log, (*judged.lines, *_engine_log(work, called)))
    return _with_log(judged, work.log), called


def _judged(work: Work, called: Called) -> Judged:
    match work.stage:
        case "check" | "audit":
            return verdicts.rules(work.stage, called, strict="--strict" in work.words)
        case "lock" if "--check" in work.words:
            return verdicts.lock_check(called)
        case "lock":
            return verdicts.lock(called, work.scratch.profile)
        case "render":
            return verdicts.render(called)
        case "build":
            return image_verdicts.build(called, work.variant)
        case _:
            return image_verdicts.smoke(called)


def _with_log(judged: Judged, log: str) -> Judged:
    """A result with the last lines of its log."""
    try:
        head, tail, _ = ends(log, 0, 64 << 10)
    except InputError:
        return judged
    lines = [one for one in cleaning.lines(head or tail) if one.strip()]
    shown = tuple(lines[-verdicts.TAIL :])
    return msgspec.structs.replace(
        judged, result=msgspec.structs.replace(judged.result, tail=shown)
    )


_HEAD, _TAIL = 256 << 10, 2 << 20
"""Bytes of an engine's log that a stage's log holds: of its beginning, of its end."""


def _engine_log(work: Work, called: Called) -> tuple[str, ...]:
    """What the engine said of a build, from the log that it was written to."""
    rows = verdicts.rows_of(called.data) if work.stage == "build" else []
    name = next((str(one["log"]) for one in rows if one.get("log")), "")
    unchanged = any(one.get("status") == "unchanged" for one in rows)
    if not name or unchanged or name.startswith("/") or ".." in name.split("/"):
        return ()
    try:
        head, tail, size = ends(f"{work.scratch.root}/{name}", _HEAD, _TAIL)
    except InputError:
        return ()
    lines = [f"--- {name} ({size:,} bytes)", *cleaning.lines(head)]
    if tail:
        missing = size - len(head) - len(tail)
        lines += [f"[… {missing:,} bytes are left out here …]", *cleaning.lines(tail)]
    return tuple(lines)
