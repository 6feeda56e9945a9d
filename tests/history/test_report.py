"""``envbuild report`` as a command: the folder, the forms, merging and pruning, and what is
refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from envbuild.cli import reporting
from envbuild.history import blobs
from tests.cli.running import Said, inside
from tests.cli.samples import profile as sample
from tests.history.histories import git, history, repository
from tests.support.nights import hostile, night, profile, stage, variant, with_log

FILES = (".envbuild-report", "index.html", "junit.xml", "report.json", "report.sarif", "summary.md")


@pytest.fixture
def root(tmp_path) -> Path:
    sample(tmp_path, "one")
    return tmp_path


@pytest.fixture
def report(root, monkeypatch):
    def run(*arguments: str, code: int = 0, at: Path = root) -> Said:
        said = inside(["report", *arguments], at, monkeypatch)
        assert said.exit == code, said.stderr
        return said

    return run


def fill(root: Path, *nights, name: str = ""):
    kept = history("folder", root, name)
    for one in nights or (night(0), night(1)):
        kept.add(one, {})
    return kept


def files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_without_a_history_it_is_said_what_makes_one(report):
    said = report(code=2)
    assert said.stderr == (
        "error: .envbuild/history holds no night that can be read\n"
        "  hint: envbuild nightly makes the first one\n"
    )


def test_the_folder_holds_all_forms_and_the_logs_of_what_failed(root, report):
    found, logs = with_log("<b>the log</b> of one", 1)
    kept = fill(root, night(0))
    kept.add(found, logs)
    said = report()
    assert said.stdout == ".envbuild/report/index.html\n"
    assert said.stderr.endswith("night night-1 of 2 nights\n")
    folder = root / ".envbuild/report"
    digits = next(iter(logs)).removeprefix("sha256:")
    assert files(folder) == sorted((*FILES, f"logs/{digits}.txt"))
    assert (folder / f"logs/{digits}.txt").read_text() == "<b>the log</b> of one"
    page = (folder / "index.html").read_text()
    assert f'href="logs/{digits}.txt"' in page
    assert "<b>the log" not in page
    assert json.loads((folder / "report.json").read_text())["night"]["name"] == "night-1"
    assert ET.parse(folder / "junit.xml").getroot().get("failures") == "1"
    (result,) = json.loads((folder / "report.sarif").read_text())["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "envs/one.yaml"
    assert (folder / "summary.md").read_text().startswith("# ❌ Night night-1")


def test_the_logs_of_what_passed_lie_beside_the_page_while_there_is_room(root, report, monkeypatch):
    texts = {name: name.encode() * size for name, size in (("small", 10), ("large", 900))}
    failed = b"it broke " * 500
    digests = {name: blobs.digest(data) for name, data in texts.items()}
    stages = [
        stage(status="pass", log=digests[name], log_size=len(data)) for name, data in texts.items()
    ]
    stages.append(stage("smoke", "fail", log=blobs.digest(failed), log_size=len(failed)))
    kept = {**{digests[name]: data for name, data in texts.items()}, blobs.digest(failed): failed}
    fill(root).add(night(2, [profile(variants=(variant(*stages),))]), kept)
    report()
    folder = root / ".envbuild/report/logs"
    assert {one.read_bytes() for one in folder.iterdir()} == {failed, *texts.values()}
    monkeypatch.setattr(reporting, "_ROOM", len(failed) + 100)
    report()
    assert {one.read_bytes() for one in folder.iterdir()} == {failed, texts["small"]}


def test_the_next_report_removes_the_logs_of_the_last_and_nothing_else(root, report):
    found, logs = with_log("the log", 1)
    fill(root, night(0)).add(found, logs)
    report("-o", "out")
    (root / "out/logs/mine.txt").write_text("")
    (root / "out/CNAME").write_text("example.org")
    other = root / f"out/logs/{'0' * 64}.txt"
    other.write_text("of nobody")
    report("-o", "out", "--night", "night-0")
    assert files(root / "out") == sorted((*FILES, "CNAME", "logs/mine.txt", f"logs/{'0' * 64}.txt"))


def test_files_that_no_report_has_written_are_not_replaced(root, report):
    fill(root)
    (root / "docs").mkdir()
    (root / "docs/index.html").write_text("mine")
    said = report("-o", "docs", code=2)
    assert "docs holds index.html, which no report has written" in said.stderr
    assert files(root / "docs") == ["index.html"]
    said = report("-o", "envs/one.yaml", code=2)
    assert "envs/one.yaml is not a folder" in said.stderr


def test_one_form_alone(root, report):
    fill(root)
    assert json.loads(report("--json").stdout)["night"]["name"] == "night-1"
    assert report("--markdown", "--night", "night-0").stdout.startswith("# ✅ Night night-0")
    assert report("--junit", "-").stdout.startswith('<?xml version="1.0" encoding="utf-8"?>\n')
    said = report("--junit", "j.xml", "--sarif", "s.sarif", "--json")
    assert said.stderr.splitlines()[-2:] == ["j.xml: written", "s.sarif: written"]
    assert json.loads((root / "s.sarif").read_text())["version"] == "2.1.0"
    assert not (root / ".envbuild/report").exists()


def test_a_night_is_named_by_its_name_or_an_id(root, report):
    fill(root, night(0, machine="a"), night(0, machine="b"), night(1))
    for name in ("night-0", night(0, machine="b").id):
        assert json.loads(report("--json", "--night", name).stdout)["night"]["machine"] == "a, b"
    said = report("--night", "nigth-1", code=2)
    assert said.stderr.endswith("hint: did you mean night-1?\n")
    assert report("--night", "zz", code=2).stderr.endswith("hint: the newest is night-1\n")


def test_broken_files_are_told_and_left_out(root, report):
    fill(root)
    path = root / f".envbuild/history/nights/{night(1).id}.json"
    path.write_bytes(path.read_bytes()[:99])
    said = report()
    assert f"nights/{night(1).id}.json: it is cut off; it is left out" in said.stderr
    assert "night night-0 of 1 night\n" in said.stderr
    broken = json.loads((root / ".envbuild/report/report.json").read_text())["broken"]
    assert broken == [f"nights/{night(1).id}.json: it is cut off"]
    (root / f".envbuild/history/nights/{night(0).id}.json").write_bytes(b"")
    assert "hint: nights/" in report(code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keep", "0"), "0 is not in the range"),
        (("--json", "--junit", "-"), "--json and --junit - both write on stdout"),
        (("--sarif", "-", "--junit", "-"), "--junit - and --sarif - both write on stdout"),
        (("--dry-run",), "--dry-run goes with --merge or --keep"),
        (("--history", "envs"), "envs is no history: it holds no nights"),
        (("--history", "git:"), "git: names no branch"),
        (("--history", "git:nightly"), "this is no git repository"),
        (("--merge", "envs"), "envs is no history: it holds no nights"),
        (("--junit", "no/where.xml"), "no is not a folder"),
    ],
)
def test_what_is_refused(root, report, arguments, said):
    fill(root)
    assert said in report(*arguments, code=2).stderr
    assert not (root / ".envbuild/report").exists()


# --- Merging and pruning -------------------------------------------------------------------------


@pytest.mark.git
def test_machines_come_together_and_the_oldest_go(root, report):
    repository(root)
    fill(root, night(0, machine="a"), night(1, machine="a", shard="1/2"))
    fill(root, night(1, machine="b", shard="2/2"), night(0, notes=("other",)), name="b")
    history("git", root, "c").add(night(2, [profile(status="fail")]), {})
    plan = report("--merge", "b", "--merge", "git:c", "--keep", "1", "-n")
    every = [night(0, machine="a"), night(0), night(1, machine="a"), night(1, machine="b")]
    assert [line.split()[:3] for line in plan.stdout.splitlines()] == [
        ["run", "merge", night(0).id],
        ["run", "merge", night(1, machine="b").id],
        ["run", "merge", night(2).id],
        *(["run", "prune", one.id] for one in every),
    ]
    assert len(history("folder", root, "").nights().nights) == 2
    said = report("--merge", "b", "--merge", "git:c", "--keep", "2")
    assert "b: 2 files of nights taken, 0 locks and logs\n" in said.stderr
    assert "git:c: 1 file of nights taken, 0 locks and logs\n" in said.stderr
    assert ".envbuild/history: 1 night removed, with 0 locks and logs" in said.stderr
    assert "night night-2 of 2 nights" in said.stderr
    again = report("--merge", "b", "--keep", "9")
    assert ".envbuild/history: nothing is older than 9 nights" in again.stderr


def test_a_conflict_is_told_and_ours_stays(root, report):
    fill(root, night(0))
    fill(root, night(0, notes=("theirs",)), name="b")
    said = report("--merge", "b")
    assert f"b has another night {night(0).id}: the one that is here stays" in said.stderr
    planned = report("--merge", "b", "-n").stdout
    assert planned.startswith(f"skip merge {night(0).id}")


def test_a_history_is_found_from_the_folder_that_one_stands_in(root, report):
    fill(root, name="deep/history")
    deep = root / "deep"
    said = report("--history", "history", at=deep)
    assert "night night-1 of 2 nights" in said.stderr
    assert (root / ".envbuild/report/index.html").exists()


@pytest.mark.git
def test_a_history_in_a_branch(root, report):
    repository(root)
    kept = history("git", root)
    found, logs = with_log("log")
    kept.add(found, logs)
    kept.add(night(1), {})
    report("--history", "git:nightly", "--keep", "1")
    assert len(git(root, "rev-list", "nightly").split()) == 3
    assert [one.name for one in kept.nights().nights] == ["night-1"]


# --- Hostile ---------------------------------------------------------------------------------------


def test_a_hostile_night_in_every_form(root, report):
    fill(root, hostile())
    for option in ("--json", "--markdown"):
        said = report(option)
        shown = said.stdout.replace("\u200b", "")
        assert all(line.isprintable() for line in shown.split("\n"))
    said = report("--night", hostile().name[:40], code=2)
    assert all(line.isprintable() for line in said.stderr.split("\n"))
    report()
    for name in FILES:
        text = (root / ".envbuild/report" / name).read_text().replace("\u200b", "")
        assert not any(c in text for c in "\x1b\x00\u202e"), name
    assert "<script>alert(1)" not in (root / ".envbuild/report/index.html").read_text()


def test_a_full_disk_leaves_the_old_report(root, report, monkeypatch):
    fill(root, night(0))
    report()
    before = (root / ".envbuild/report/index.html").read_bytes()
    fill(root, night(1))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        said = report(code=3)
    assert "cannot be written: no space left on device" in said.stderr
    assert (root / ".envbuild/report/index.html").read_bytes() == before
    assert files(root / ".envbuild/report") == sorted(FILES)
