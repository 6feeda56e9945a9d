"""The whole run inside an image: the static stage, then each test in a child of its own.

What happens is told on standard output, one line of JSON an event behind :data:`MARK`, since that
way to the host stands even where no file can be written any more.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from . import processes, results, running, static

MARK = "@envbuild-smoke "


def main(path: str, out: str) -> int:
    """Run a plan; 0 when it was run to its end, whatever the tests said."""
    began = time.monotonic()
    with open(path, encoding="utf-8") as file:
        plan: dict[str, Any] = json.load(file)
    _usable(out)
    processes.adopt_orphans()
    _tell({"event": "start", "python": sys.version.split()[0], "executable": sys.executable})
    told = static.run(plan["static"])
    _tell({"event": "static", "results": told, "seconds": round(time.monotonic() - began, 3)})
    for number, test in enumerate(plan["tests"]):
        ended = running.run(path, out, number, test=test, seed=plan["seed"])
        _tell({"event": "test", "number": number, "ended": ended})
    _tell({"event": "end", "seconds": round(time.monotonic() - began, 3)})
    return 0


def _usable(out: str) -> None:
    """Say at once that nothing can be written where the verdicts go."""
    try:
        results.write_whole(os.path.join(out, "started.json"), {"pid": os.getpid()})
    except OSError as error:
        _tell({"event": "unusable", "reason": f"{out} cannot be written: {error.strerror}"})
        sys.exit(1)


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(event)}\n")
    sys.stdout.flush()
