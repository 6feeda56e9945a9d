"""How long a history takes to be written, read, merged and pruned, and how large it is.

python -m bench.history [PROFILES [NIGHTS]]
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import nights
from envbuild.history.model import Night
from envbuild.history.opening import opened
from envbuild.history.store import History
from envbuild.tools import proc


def timed(what: str, act: Callable[[], object]) -> None:
    begun = time.perf_counter()
    act()
    print(f"{time.perf_counter() - begun:8.2f} s  {what}")


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def add(history: History, made: Iterable[Night]) -> None:
    for one in made:
        history.add(one, {})


def main(profiles: int = 50, count: int = 365) -> None:
    made = list(nights.nights(profiles, count))
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        git = proc.Command(
            argv=("git", "init", "--quiet", scratch), environment=tuple(os.environ.items())
        )
        proc.run(git)
        folder = opened("history", scratch, os.environ, proc.run)
        branch = opened("git:nightly", scratch, os.environ, proc.run)
        what = f"{count} nights of {profiles} profiles added"
        timed(what, functools.partial(add, folder, made))
        timed("read from the folder", folder.nights)
        timed("merged into a branch", lambda: branch.merge(folder))
        timed("read from the branch", branch.nights)
        print(f"{size(root / 'history') / 1e6:8.1f} MB as a folder")
        print(f"{size(root / '.git') / 1e6:8.1f} MB as a branch")
        timed("all but 30 pruned", lambda: folder.prune(30))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
