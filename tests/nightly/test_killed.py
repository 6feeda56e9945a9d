"""Nights that are killed, ended, changed while they lie dead, or that nobody listens to."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from tests.nightly.nights import CHECK, STAGES, alive, entries, night, of, outside, well
from tests.support.workspace import Folder


def killed_after(folder: Folder, stage: str, *argv: str) -> dict:
    """Kill a night as soon as a stage of the first profile is done; what stood of it."""
    process = folder.start("nightly", "-j", "1", *argv)
    done = folder.root / f".envbuild/nightly/running/one/{stage}.json"
    deadline = time.monotonic() + 60
    while not done.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()
    process.communicate()
    return json.loads(done.read_bytes())["result"]


def test_a_profile_that_is_changed_while_its_night_lies_dead_is_done_anew(folder: Folder) -> None:
    before = killed_after(folder, "check", *STAGES)
    path = folder.root / "envs/one.yaml"
    path.write_text(path.read_text().replace("of the tests", "that was changed"))
    made, said, code = night(folder, *STAGES)
    assert code == 0, said
    assert "is taken up again" in said
    assert of(made, "one")["check"]["began"] > before["began"]
    assert well(made)


def test_another_envbuild_does_what_was_done_anew(folder: Folder, tmp_path: Path) -> None:
    before = killed_after(folder, "check", *STAGES)
    (tmp_path / "site-packages").mkdir()
    made, said, code = night(
        Folder(folder.root, **folder.environment, PYTHONPATH=str(tmp_path / "site-packages")),
        *STAGES,
    )
    assert code == 0, said
    assert of(made, "one")["check"]["began"] > before["began"]


# --- Ended and unheard ---------------------------------------------------------------------------


def test_sigterm_is_as_ctrl_c(folder: Folder) -> None:
    process = folder.start("nightly", *STAGES)
    running = folder.root / ".envbuild/nightly/running"
    while not list(running.glob("*/logs/*")) and process.poll() is None:
        time.sleep(0.005)
    process.terminate()
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert entries(folder) == []
    _, said, code = night(folder, *STAGES)
    assert (code, "is taken up again" in said) == (0, True), said


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_night_that_nobody_listens_to_is_run_and_kept(folder: Folder, closed: str) -> None:
    (folder.root / "envs/worse.yaml").write_text("schema: 1\nname: worse\nnobody: 1\n")
    process = folder.start("nightly", *CHECK)
    pipe = getattr(process, closed)
    pipe.close()
    setattr(process, closed, None)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(entries(folder)) == 1
    assert (folder.root / ".envbuild/report/index.html").exists()


# --- Killed --------------------------------------------------------------------------------------


def test_killed_at_five_moments_nothing_is_lost(folder: Folder) -> None:
    """The short form of ``python -m bench night-kills``."""
    first, _, _ = night(folder, *STAGES)
    before, chance = outside(folder), random.Random(11)
    ids = {first["id"]}
    temporary = folder.root.parent / "tmp"
    temporary.mkdir()
    folder.environment["TMPDIR"] = str(temporary)
    for _ in range(5):
        process = folder.start("nightly", "--force", *STAGES)
        time.sleep(chance.uniform(0.2, 1.8))
        process.kill()
        process.communicate()
        assert outside(folder) == before
        told = json.loads(folder.run("report", "--json").stdout)
        assert told["broken"] == []
        assert ids <= {path.stem for path in entries(folder)}
        ids = {path.stem for path in entries(folder)}
    made, said, code = night(folder, "--force", *STAGES)
    assert code == 0, said
    assert well(made)
    assert outside(folder) == before
    assert list(temporary.iterdir()) == []
    assert alive(str(folder.root / ".envbuild/nightly/work")) == []
    left = [path for path in folder.root.rglob("*") if ".envbuild-" in path.name]
    assert [path for path in left if path.name != ".envbuild-report"] == []
