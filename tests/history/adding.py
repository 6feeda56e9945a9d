"""A process that adds nights to a history until it is ended: ``adding.py PLACE ROOT FROM COUNT``.

Each has a log of its own and one that all share. The number of each night that was added is said.
"""

from __future__ import annotations

import os
import sys

from envbuild.history import blobs
from envbuild.history.opening import opened
from envbuild.tools import proc
from tests.support.nights import night, profile, stage, variant


def one(number: int):
    shared, own = b"the log of all\n" * 500, os.urandom(64).hex().encode() * 200
    stages = tuple(
        stage(name, "fail", "it broke", log=blobs.digest(data))
        for name, data in (("build", shared), ("smoke", own))
    )
    found = night(number, [profile(variants=(variant(*stages),))], machine=f"p{number % 7}")
    return found, {blobs.digest(data): data for data in (shared, own)}


def main(place: str, root: str, first: str, count: str) -> None:
    for number in range(int(first), int(first) + int(count)):
        opened(place, root, os.environ, proc.run).add(*one(number))
        print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
