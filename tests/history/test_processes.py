"""Several processes at one history, processes that are killed, and disks that are full."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.history import layout
from envbuild.history.opening import opened
from envbuild.history.store import History
from envbuild.tools import proc
from tests.history.histories import NOBODY, git, repository
from tests.support.nights import night, with_log

pytestmark = pytest.mark.git

ROOT = Path(__file__).parent.parent.parent
PLACES = {"folder": "history", "git": "git:nightly"}


@pytest.fixture(params=["folder", "git"])
def kind(request):
    return request.param


@pytest.fixture
def root(kind, tmp_path):
    return repository(tmp_path / "r")


def adding(kind: str, root: Path, first: int, count: int) -> subprocess.Popen[str]:
    argv = (sys.executable, "-m", "tests.history.adding", PLACES[kind], str(root))
    return subprocess.Popen(
        [*argv, str(first), str(count)],
        cwd=ROOT,
        env={**NOBODY, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def whole(history: History) -> list[str]:
    """The names of the nights, when nothing is broken and nothing is missing."""
    kept = history.nights()
    assert kept.broken == ()
    for one in kept.nights:
        for digest in layout.kinds(one):
            assert history.blob(digest) is not None
    return [one.name for one in kept.nights]


def here(kind: str, root: Path) -> History:
    return opened(PLACES[kind], str(root), NOBODY, proc.run)


def test_writers_do_not_lose_each_others_nights(kind, root):
    count = 8
    writers = [adding(kind, root, first * 100, count) for first in range(4)]
    said = [writer.communicate(timeout=120)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    expected = {f"night-{n}" for text in said for n in text.split()}
    assert len(expected) == 4 * count
    assert set(whole(here(kind, root))) == expected


def test_pruning_beside_a_writer_takes_nothing_that_is_named(kind, root):
    writer = adding(kind, root, 0, 25)
    history = here(kind, root)
    while writer.poll() is None:
        history.prune(2)
    writer.communicate()
    assert writer.returncode == 0
    history.prune(2)
    assert whole(history) == ["night-23", "night-24"]


def test_killed_at_any_moment_no_night_is_half_there(kind, root):
    """What was said to be added is there, what is there is whole, and the next one can be added."""
    dice = random.Random(11)
    added: set[str] = set()
    for turn in range(12):
        writer = adding(kind, root, turn * 1000, 500)
        assert writer.stdout is not None
        added.add(f"night-{int(writer.stdout.readline())}")
        time.sleep(dice.uniform(0.0, 0.15))
        os.killpg(writer.pid, signal.SIGKILL)
        added |= {f"night-{n}" for n in writer.communicate()[0].split("\n")[:-1]}
        assert added <= set(whole(here(kind, root)))
    found, logs = with_log("the last one", 99_999)
    here(kind, root).add(found, logs)
    assert whole(here(kind, root))[-1] == "night-99999"
    if kind == "git":
        assert not [line for line in git(root, "fsck").splitlines() if "dangling" not in line]
    else:
        assert not (root / "history/.new").exists()


def test_a_full_disk_is_told_and_the_history_stays_as_it_was(kind, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"not run: this user may mount nothing ({done.stderr.strip()})")
    try:
        history = here(kind, repository(disk / "r"))
        history.add(night(0), {})
        found, logs = with_log("".join(map(str, random.Random(3).sample(range(10**9), 200_000))), 1)
        with pytest.raises(ToolError) as raised:
            history.add(found, logs)
        assert str(raised.value.hint).startswith("free some space, then run it again")
        assert whole(history) == ["night-0"]
        if kind == "git":  # which leaves what it had begun, whoever calls it
            git(disk / "r", "prune", "--expire=now")
        history.add(night(2), {})
        assert whole(history) == ["night-0", "night-2"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
