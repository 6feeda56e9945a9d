"""A process that used py-rattler ends as it should, every time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.conda_workspace import CondaFolder

RUNS = 200
"""Without care 5 of so many end by a signal, after all work is done."""


def test_no_run_of_many_ends_badly(tmp_path: Path, folder: CondaFolder) -> None:
    folder.conda_profile("one", "app")
    assert folder.run("lock").returncode == 0
    workers = min(4, 2 * (os.cpu_count() or 1))
    places = []
    for number in range(workers):
        place = CondaFolder(tmp_path / f"ws{number}")
        place.settings = folder.settings
        place.setting("remote_backoff_factor", 0.02)
        place.conda_profile("one", "app")
        places.append(place)

    def lock(number: int) -> tuple[int, str]:
        done = places[number].run("lock", "--force", "--refresh")
        return done.returncode, done.stderr

    def turns(number: int) -> list[tuple[int, str]]:
        return [lock(number) for _ in range(RUNS // workers)]

    with ThreadPoolExecutor(workers) as pool:
        ends = [end for found in pool.map(turns, range(workers)) for end in found]
    assert len(ends) == RUNS
    assert [end for end in ends if end[0] != 0] == []
