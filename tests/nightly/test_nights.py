"""Nights from the command line, without an engine: what is kept, what stands, what a kill leaves."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nightly.nights import STAGES, alive, entries, night, of, outside
from tests.support.index import PackageIndex, serving
from tests.support.workspace import Folder


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    world = PackageIndex().add("alpha", "1.0", requires=("beta>=2",)).add("gamma", "1.0")
    world.add("beta", "2.0").add("beta", "2.1", uploaded="2026-06-01T00:00:00Z").add("beta", "1.0")
    with serving(world) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, index: PackageIndex) -> Folder:
    made = Folder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url)
    made.profile("one", "alpha")
    made.profile("two", "gamma")
    done = made.run("lock")
    assert done.returncode == 0, done.stderr
    return made


def test_tomorrows_lock_is_seen_today_and_the_workspace_stays(folder):
    before = outside(folder)
    first, said, code = night(folder, *STAGES)
    assert code == 0, said
    assert of(first, "one")["lock"]["reason"] == "1 moved: beta 2.0 -> 2.1"
    assert of(first, "two")["lock"]["reason"] == "nothing moved"
    assert outside(folder) == before
    assert not (folder.root / ".envbuild/nightly/running").exists()
    page = (folder.root / ".envbuild/report/index.html").read_text()
    assert "beta" in page

    second, said, code = night(folder, *STAGES)
    assert code == 0, said
    assert of(second, "one")["render"]["reason"] == "as before"
    locks = [{one["profile"]: one["lock"] for one in each["profiles"]} for each in (first, second)]
    assert locks[0] == locks[1]
    assert len(entries(folder)) == 2


def test_a_profile_that_fails_is_none_of_another(folder, index):
    folder.profile("bad", "alpha", "beta<2")
    (folder.root / "envs/worse.yaml").write_text("schema: 1\nname: worse\nnobody: 1\n")
    done = folder.run("nightly", *STAGES)
    assert done.returncode == 1
    lines = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert "FAIL" in lines
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        "bad:",
        "one:",
        "two:",
        "worse:",
    ]
    kept = json.loads(entries(folder)[-1].read_bytes())["night"]
    assert of(kept, "bad")["lock"]["status"] == "fail"
    assert of(kept, "bad")["render"]["reason"] == "lock failed"
    assert of(kept, "worse")["check"]["reason"].startswith("envs/worse.yaml:")
    assert of(kept, "one")["render"]["status"] == "pass"


def test_the_registry_is_down(folder, index):
    folder.environment["UV_DEFAULT_INDEX"] = "http://127.0.0.1:9/simple"
    made, said, code = night(folder, *STAGES, "--keep-going")
    assert code == 1, said
    lock = of(made, "one")["lock"]
    assert lock["status"] == "fail"
    assert of(made, "one")["render"]["status"] == "pass"  # with the committed lock
    assert made["profiles"][0]["committed"] is True


def test_two_nights_at_once(folder):
    first = folder.start("nightly", *STAGES)
    held = folder.root / ".envbuild/nightly/lock"
    deadline = time.monotonic() + 30
    while not (held.exists() and held.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    second = folder.run("nightly", *STAGES)
    assert second.returncode == 3
    assert second.stderr == (
        f"error: a night runs here already (process {first.pid})\n"
        "  hint: wait until it has ended, or end it\n"
    )
    assert first.communicate(timeout=120)[1]
    assert first.returncode == 0


def test_what_was_done_before_a_kill_is_not_done_again(folder):
    process = folder.start("nightly", "-j", "1", *STAGES)
    done = folder.root / ".envbuild/nightly/running/one/lock.json"
    deadline = time.monotonic() + 60
    while not done.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = json.loads(done.read_bytes())["result"]["began"]
    made, said, code = night(folder, "-j", "1", *STAGES)
    assert code == 0, said
    assert "is taken up again" in said
    assert of(made, "one")["lock"]["began"] == before


def test_ctrl_c_leaves_a_night_that_goes_on(folder):
    process = folder.start("nightly", *STAGES)
    running = folder.root / ".envbuild/nightly/running"
    while not list(running.glob("*/logs/*")) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "the night stays as it is" in said
    assert alive(str(folder.root / ".envbuild/nightly/work")) == []
    assert entries(folder) == []
    _, said, code = night(folder, *STAGES)
    assert (code, "is taken up again" in said) == (0, True), said


def test_a_profile_that_is_removed_between_nights(folder):
    night(folder, *STAGES)
    (folder.root / "envs/two.yaml").unlink()
    made, said, code = night(folder, *STAGES)
    assert code == 0, said
    assert "not in this workspace any more: two" in made["notes"]
    assert [path.name for path in (folder.root / ".envbuild/nightly/work").iterdir()] == ["one"]


def test_the_parts_of_two_shards_are_one_night(folder):
    first, _, _ = night(folder, "--shard", "1/2", "--night", "n", *STAGES)
    second, _, _ = night(folder, "--shard", "2/2", "--night", "n", *STAGES)
    assert [one["profiles"][0]["profile"] for one in (first, second)] == ["one", "two"]
    report = json.loads(folder.run("report", "--json").stdout)
    assert report["night"]["name"] == "n"
    assert sorted(one["profile"] for one in report["night"]["profiles"]) == ["one", "two"]


def test_the_time_is_over_before_it_begins(folder):
    done = folder.run("nightly", "--time-budget", "0.001s", *STAGES)
    assert done.returncode == 1
    assert [line[:12] for line in done.stdout.splitlines()] == ["not run one:", "not run two:"]
    assert "2 not finished" in done.stderr


def test_from_a_stage_on(folder):
    refused = folder.run("nightly", "--from", "render")
    assert refused.returncode == 2
    assert "--from render: no earlier night" in refused.stderr
    first, _, _ = night(folder, *STAGES)
    done = folder.run("nightly", "-n", "--from", "render")
    assert f"skip lock one                    as in {first['id']}" in done.stdout
    assert "run  render one" in done.stdout


def test_what_would_be_done_is_printed_and_nothing_is_written(folder):
    done = folder.run("nightly", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "run  lock one                    every version may move" in done.stdout
    assert not (folder.root / ".envbuild/nightly").exists()
    assert not (folder.root / ".envbuild/history").exists()


def test_the_chain_takes_little_beside_what_it_calls(folder):
    made, _, _ = night(folder, *STAGES)
    assert 0 < made["overhead"] < made["ended"] - made["began"]


def test_a_full_disk_loses_nothing(folder, tmp_path):
    blocked = folder.root / ".envbuild/history"
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("a file where a folder must be")
    done = folder.run("nightly", *STAGES)
    assert done.returncode in (2, 3), done.stderr
    blocked.unlink()
    _made, said, code = night(folder, *STAGES)
    assert code == 0, said
    assert len(entries(folder)) == 1
