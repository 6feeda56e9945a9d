"""``envbuild lock`` on full disks, twice at once, and killed half way."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from tests.support.workspace import Folder


def mount(folder: Folder, *options: str) -> None:
    """Mount something at the lock folders, where this machine lets us."""
    done = subprocess.run(
        ["mount", *options, "lockfiles"],
        cwd=folder.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must be able to mount: {done.stderr}")
        pytest.skip(f"not run: mount is not allowed here ({done.stderr.strip()})")


def test_a_read_only_folder(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    before = folder.locked("one")
    folder.profile("one", "delta<1.1")
    mount(folder, "--bind", "lockfiles")
    try:
        mount(folder, "-o", "remount,ro,bind")
        done = folder.run("lock")
    finally:
        subprocess.run(["umount", "lockfiles"], cwd=folder.root, check=True)
    assert done.returncode == 3
    assert "lockfiles/one cannot be written: read-only file system" in done.stderr
    assert folder.locked("one") == before


def test_a_full_disk(folder: Folder) -> None:
    folder.profile("one", "delta")
    (folder.root / "lockfiles").mkdir()
    mount(folder, "-t", "tmpfs", "-o", "size=16k", "tmpfs")
    try:
        (folder.root / "lockfiles/filler").write_bytes(b"x" * 12288)
        done = folder.run("lock")
        left = folder.locked("one")
    finally:
        subprocess.run(["umount", "lockfiles"], cwd=folder.root, check=True)
    assert done.returncode == 3
    assert "lockfiles/one cannot be written: no space left on device" in done.stderr
    assert "free some space" in done.stderr
    assert left == {}


def test_two_at_once_wait_for_each_other(folder: Folder) -> None:
    for number in range(6):
        folder.profile(f"p{number}", "alpha", "delta")
    both = [folder.start("lock", "--force"), folder.start("lock", "--force")]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert any("waiting for another envbuild" in text for text in said), said
    assert folder.run("lock", "--check").returncode == 0


def test_ctrl_c_leaves_the_old_locks(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    before = folder.locked("one")
    slow = folder.fake_uv("exec sleep 60")
    process = folder.start("lock", "--force", ENVBUILD_UV=slow)
    time.sleep(1.0)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - started < 10
    assert "interrupted: nothing is half written" in err
    assert folder.locked("one") == before


def test_kill_9_in_the_middle_leaves_old_or_new(folder: Folder) -> None:
    folder.profile("one", "delta<1.1")
    folder.run("lock")
    old = folder.locked("one")
    folder.profile("one", "delta", "beta")
    folder.run("lock", "--upgrade")
    new = folder.locked("one")
    assert old != new
    for delay in (0.15, 0.25, 0.3, 0.35, 0.4, 0.5):
        folder.profile("one", "delta<1.1")
        assert folder.run("lock", "--upgrade").returncode == 0
        assert folder.locked("one") == old
        folder.profile("one", "delta", "beta")
        process = folder.start("lock", "--upgrade")
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        folder.run("lock", "--check")
        assert folder.locked("one") in (old, new)
