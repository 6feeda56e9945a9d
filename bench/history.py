"""How long a history takes to be written, read, merged and pruned, and how large it is."""

from __future__ import annotations

import functools
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import nights
from bench.standing import cores
from envbuild.history.model import Night
from envbuild.history.opening import opened
from envbuild.history.store import History
from envbuild.tools import proc

PROFILES, NIGHTS = 50, 365


def timed(what: str, act: Callable[[], object]) -> str:
    begun = time.perf_counter()
    act()
    return f"  {time.perf_counter() - begun:8.2f} s  {what}"


def size(folder: Path, what: str) -> str:
    taken = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"  {taken / 1e6:8.1f} MB {what}"


def add(history: History, made: Iterable[Night]) -> None:
    for one in made:
        history.add(one, {})


def history() -> str:
    """Seconds and bytes of a year of many profiles, in a folder and in a git branch."""
    made = list(nights.nights(PROFILES, NIGHTS))
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        git = proc.Command(
            argv=("git", "init", "--quiet", scratch), environment=tuple(os.environ.items())
        )
        proc.run(git)
        folder = opened("history", scratch, os.environ, proc.run)
        branch = opened("git:nightly", scratch, os.environ, proc.run)
        lines = [
            f"a history of {NIGHTS} nights of {PROFILES} profiles, {cores()}",
            timed("added to a folder", functools.partial(add, folder, made)),
            timed("read from the folder", folder.nights),
            timed("merged into a branch", lambda: branch.merge(folder)),
            timed("read from the branch", branch.nights),
            size(root / "history", "as a folder"),
            size(root / ".git", "as a branch"),
            timed("all but 30 pruned", lambda: folder.prune(30)),
        ]
    return "\n".join(lines)
