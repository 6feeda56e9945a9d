"""How a build goes on, step by step: from the lines of the builder to one line for a reader."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from envbuild.tools.proc import masked

if TYPE_CHECKING:
    from envbuild.cli.console import Console

_PODMAN = re.compile(
    r"^(?:\[(?P<stage>\d+)/(?P<stages>\d+)\] )?STEP (?P<step>\d+)/(?P<steps>\d+): (?P<what>.+)$"
)
_BUILDKIT = re.compile(
    r"^#\d+ \[(?:(?P<platform>linux/\S+) )?(?:(?P<stage>\S+) +)?(?P<step>\d+)/(?P<steps>\d+)\]"
    r" (?P<what>.+)$"
)
_OPTIONS = re.compile(r"^([A-Z]+)(?: +--\S+)+")
"""The options of an instruction: mounts mostly, and as long as a line."""

_INPUT = re.compile(
    r'\becho "[^/"]+/(?P<input>[^"]+)/[^/"]+ is not what this Dockerfile was rendered'
)
"""Names the input folder of a step: it says the same to whoever has edited the list in it."""

_WIDTH = 100
"""Characters of a step that are shown where the width of the terminal is not known."""


def step(line: str) -> str | None:
    """The step that a line of a builder begins, in its own words; None for another line.

    podman and buildah write ``[1/2] STEP 4/19: RUN …``, BuildKit ``#12 [final 3/9] RUN …``.
    A step that reads an input folder is called by that: the commands of such steps begin alike.
    """
    found = _PODMAN.match(line)
    if found:
        stage = f"stage {found['stage']}/{found['stages']}, " if found["stage"] else ""
    else:
        found = _BUILDKIT.match(line)
        if found is None:
            return None
        stage = f"stage {found['stage']}, " if found["stage"] else ""
    read = _INPUT.search(found["what"])
    what = read["input"] if read else _OPTIONS.sub(r"\1", found["what"]).replace("set -eu; ", "")
    return f"{stage}step {found['step']}/{found['steps']}: {what}"


def live(console: Console, environ: Mapping[str, str]) -> Callable[[str], None]:
    """Where the passing of time is told: one line of a terminal, else line by line."""
    terminal = sys.stderr.isatty() and environ.get("TERM") != "dumb" and console.volume == 0
    return console.live if terminal else console.say


def progress(console: Console, target: str, environ: Mapping[str, str]) -> Callable[[str], None]:
    """What hears the lines of a builder: tells each new step once, with ``--verbose`` each line."""
    tell = live(console, environ)
    width = _columns() if tell == console.live else _WIDTH
    seen: set[str] = set()

    def hear(line: str) -> None:
        console.detail(f"  | {line}")
        said = step(line)
        if said and said not in seen:
            seen.add(said)
            text = " ".join(masked(f"{target}: {said}").split())
            tell(text if len(text) <= width else f"{text[: width - 1]}…")

    return hear


def _columns() -> int:
    """Characters that fit into a line of the terminal; some terminals say none."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns - 1 if columns > 1 else _WIDTH
