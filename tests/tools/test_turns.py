"""Taking turns between processes, and what a killed one leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.tools import files
from envbuild.tools.turns import alone, exclusive

HOLDER = """\
import sys, time
from envbuild.tools.turns import alone, exclusive
held = exclusive(sys.argv[2], waiting=print) if sys.argv[1] == "exclusive" else alone(sys.argv[2])
with held:
    print("held", flush=True)
    time.sleep(60)
"""

WRITER = """\
import sys
from envbuild.tools import files
names = [f"file-{n}" for n in range(40)]
turn = 0
while True:
    turn += 1
    files.write_tree(sys.argv[1], {name: f"{turn}\\n".encode() * 2000 for name in names})
    print(turn, flush=True)
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_the_second_is_told_who_is_first_and_gives_up(tmp_path: Path) -> None:
    path = str(tmp_path / ".envbuild/lock")
    holder = start(HOLDER, "exclusive", path)
    told: list[str] = []
    try:
        with pytest.raises(ToolError) as caught, exclusive(path, waiting=told.append, timeout=0.2):
            pass
    finally:
        kill(holder)
    assert told == [str(holder.pid)]
    assert caught.value.message == (
        f"{path} has been held by process {holder.pid} for more than 0 s"
    )


def test_the_second_goes_on_when_the_first_is_killed(tmp_path: Path) -> None:
    path = str(tmp_path / ".envbuild/lock")
    holder = start(HOLDER, "exclusive", path)
    threading.Timer(0.3, holder.kill).start()
    with exclusive(path, waiting=lambda _: None, timeout=10):
        assert Path(path).read_text() == str(os.getpid())
    holder.communicate()


def test_the_private_folder_ignores_itself(tmp_path: Path) -> None:
    with exclusive(str(tmp_path / ".envbuild/lock"), waiting=lambda _: None):
        assert (tmp_path / ".envbuild/.gitignore").read_text() == "*\n"


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".envbuild").write_text("a file")
    path = str(tmp_path / ".envbuild/lock")
    with pytest.raises(ToolError, match="lock cannot be written"), exclusive(path, waiting=print):
        pass


def test_a_folder_that_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".envbuild-new").mkdir()
    (tmp_path / ".envbuild-new/a").write_text("half")
    holder = start(HOLDER, "alone", str(tmp_path))
    done = threading.Event()

    def recover() -> None:
        files.recover(str(tmp_path))
        done.set()

    thread = threading.Thread(target=recover)
    thread.start()
    time.sleep(0.3)
    try:
        assert not done.is_set()
        assert (tmp_path / ".envbuild-new/a").exists()
    finally:
        kill(holder)
    thread.join(timeout=10)
    assert done.is_set()
    assert list(tmp_path.iterdir()) == []


def test_alone_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), alone(str(tmp_path / "nothing")):
        pass


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 5, 8, 13, 21])
def test_kill_9_leaves_old_or_new_files_never_both(tmp_path: Path, milliseconds: int) -> None:
    writer = start(WRITER, str(tmp_path))
    time.sleep(milliseconds / 1000)
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    files.recover(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == sorted(f"file-{n}" for n in range(40))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
