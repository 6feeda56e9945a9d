"""Nights in trouble, without an engine: full disks, hostile output, clocks, a damaged history."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.nightly.nights import CHECK, STAGES, entries, night, of, outside, well
from tests.support.workspace import Folder


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[None]:
    """A disk of so many kB in the place of a folder, which is gone at the end."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"not run: this user may mount nothing ({done.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)
    shutil.rmtree(place)


DISKS = (
    ("nightly", 4),
    ("nightly", 48),
    ("nightly", 96),
    ("history", 8),
    ("report", 16),
    ("tmp", 4),
)
"""A folder and its kB. On the first one a night stands: its scratch, its logs, what is done."""


@pytest.mark.parametrize(("place", "size"), DISKS)
def test_a_full_disk_is_told_and_the_next_night_is_whole(
    folder: Folder, place: str, size: int
) -> None:
    before = outside(folder)
    disk = folder.root / ".envbuild" / place
    own = {"TMPDIR": str(disk)} if place == "tmp" else {}
    with small_disk(disk, size):
        done = folder.run("nightly", *STAGES, **own)
        said = done.stdout + done.stderr
        assert done.returncode in (1, 3), said
        assert "no space left" in said.lower()
        assert "Traceback" not in said
        assert "unexpectedly" not in said
        assert outside(folder) == before
    made, said, code = night(folder, *STAGES)
    assert code == 0, said
    assert well(made)
    assert (folder.root / ".envbuild/report/index.html").exists()
    assert outside(folder) == before


def test_a_workspace_that_cannot_be_written(folder: Folder, tmp_path: Path) -> None:
    root = str(folder.root)
    bind = ["mount", "--bind", "-o", "ro", root, root]
    done = subprocess.run(bind, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"not run: this user may mount nothing ({done.stderr.strip()})")
    try:
        refused = folder.run("nightly", *CHECK)
    finally:
        subprocess.run(["umount", root], check=True)
    assert refused.returncode == 3
    assert "read-only file system" in refused.stderr.lower()


# --- Output of others ----------------------------------------------------------------------------

HOSTILE = (
    r"<script>alert(1)</script>\033[31m\033[2J\033]8;;http://evil.example/\a]]>"
    r"\033]0;title\a\302\233 \342\200\256 \000 --> &lt; \| [a](javascript:b) \r\b"
)


def bare(text: str) -> bool:
    """Whether nothing of a text moves a cursor, names a link or turns the direction."""
    return not set(text) & set("\x1b\x07\x08\x00\x9b\x9d\u202e\u2066\ufeff")


def test_a_hostile_flood_is_kept_small_and_harmless(folder: Folder) -> None:
    flood = f"""printf '{HOSTILE}\\n' >&2
yes "$(printf '{HOSTILE}' | tr -d '\\000')" | head -c 3000000 >&2
printf 'error: {HOSTILE}\\n' >&2; exit 2"""
    made, said, code = night(folder, *STAGES, "one", ENVBUILD_UV=folder.fake_uv(flood))
    assert code == 1, said
    assert of(made, "one")["lock"]["status"] == "fail"
    assert bare(said)
    assert sum(path.stat().st_size for path in folder.root.rglob("*.log")) < 10e6
    report = folder.root / ".envbuild/report"
    page = (report / "index.html").read_text()
    assert len(page.encode()) <= 2 << 20
    assert "<script>alert" not in page
    assert bare(page)
    summary = (report / "summary.md").read_text()
    fenced = summary.split("```")
    assert len(fenced) % 2 == 1
    assert "<script>" not in "".join(fenced[::2])
    assert bare(summary)
    ET.parse(report / "junit.xml")
    assert bare((report / "junit.xml").read_text())
    json.loads((report / "report.sarif").read_bytes())


# --- Clocks --------------------------------------------------------------------------------------

_CLOCK = """\
import os, time
_time = time.time
def moved():
    with open(os.environ["CLOCK"]) as file:
        return _time() + float(file.read() or 0)
time.time = moved
"""


def test_a_clock_that_jumps(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/sitecustomize.py").write_text(_CLOCK)
    clock = tmp_path / "clock"
    folder.environment |= {"PYTHONPATH": str(tmp_path / "own"), "CLOCK": str(clock)}
    ids = []
    for moved in (0, -3 * 86_400, 400 * 86_400, 0):
        clock.write_text(str(moved))
        made, said, code = night(folder, *CHECK)
        assert code == 0, said
        assert made["ended"] - made["began"] < 120
        ids.append(made["id"])
    assert sorted(ids) == ids
    assert [path.stem for path in entries(folder)] == ids
    clock.write_text("0")
    process = folder.start("nightly", *CHECK, "--force")
    while not list((folder.root / ".envbuild/nightly/running").glob("*/logs/*")):
        time.sleep(0.002)
    clock.write_text("86400000")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    kept = json.loads(entries(folder)[-1].read_bytes())["night"]
    assert any("the clock was moved by +86,400,000 s" in one for one in kept["notes"])
    assert 0 <= kept["ended"] - kept["began"] < 120
    assert all(0 <= one["seconds"] < 60 for of in kept["profiles"] for one in of["stages"])


# --- What is there from before -------------------------------------------------------------------


def test_nights_that_cannot_be_read_are_said_and_left(folder: Folder) -> None:
    for _ in range(3):
        night(folder, *CHECK)
    first, second, third = entries(folder)
    first.write_bytes(first.read_bytes()[:700])
    second.write_bytes(second.read_bytes().replace(b'"one"', b'"own"', 1))
    told = json.loads(third.read_bytes())
    told["night"]["schema"] = 99
    third.write_text(json.dumps(told))
    before = [path.read_bytes() for path in (first, second, third)]
    made, said, code = night(folder, *CHECK)
    assert code == 0, said
    assert len([one for one in made["notes"] if "nights/" in one]) == 3
    assert [path.read_bytes() for path in (first, second, third)] == before
    assert len(entries(folder)) == 4


# --- Asked for what is not there -----------------------------------------------------------------


def test_what_is_not_there_is_said_before_anything_is_begun(folder: Folder) -> None:
    for argv, text in (
        (("nobody",), "nobody"),
        (("--from", "build"), "--from build: no earlier night"),
        (("--only", "smoke"), "no earlier night"),
        (("--variant", "linux-riscv"), "no profile has a variant 'linux-riscv'"),
    ):
        done = folder.run("nightly", *argv)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert text in done.stderr
    assert not (folder.root / ".envbuild/nightly/running").exists()
    assert entries(folder) == []


def test_without_an_engine_everything_before_is_done(folder: Folder, tmp_path: Path) -> None:
    bare_path = tmp_path / "bin"
    bare_path.mkdir()
    for name in ("uv", "git", "sh"):
        if found := shutil.which(name):
            (bare_path / name).symlink_to(found)
    folder.environment["PATH"] = str(bare_path)
    made, said, code = night(folder, "--no-upgrade", "one")
    assert code == 1, said
    (one,) = made["profiles"]
    stages = {stage["stage"]: stage for stage in (*one["stages"], *one["variants"][0]["stages"])}
    assert stages["render"]["status"] == "pass"
    assert stages["build"]["status"] == "fail"
    assert "podman" in stages["build"]["reason"]
    assert stages["smoke"]["reason"] == "build failed"
