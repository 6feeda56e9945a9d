"""The archive of a bug report: shown first, masked, and written whole or not at all."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from tests.cli.running import Said, inside
from tests.support import environments
from tests.support.workspace import Folder

SECRET = "plain-looking-words"  # what no pattern knows: it is hidden because a variable has it
LOG = f"""\
GET https://jane:letmein@wheels.corp.lan/simple/numpy/
token {SECRET} was refused for janedoe on rig-seven
/home/janedoe/work/env/lib
"""


@pytest.fixture
def support(tmp_path, monkeypatch):
    """The command in a workspace with a profile, a log and an environment of two NumPys."""
    Folder(tmp_path).profile("small", "numpy==1.26.0")
    (tmp_path / ".envbuild/logs").mkdir(parents=True)
    (tmp_path / ".envbuild/logs/build-small.log").write_text(LOG)
    (tmp_path / ".envbuild/stamps").mkdir()
    (tmp_path / ".envbuild/stamps/small.txt").write_text("not for a report")
    environments.place("two-numpys", tmp_path / "lab")

    def run(*arguments: str) -> Said:
        more = {"HF_TOKEN": SECRET, "USER": "janedoe", "HOSTNAME": "rig-seven"}
        return inside(["support", *arguments], tmp_path, monkeypatch, more)

    return run


def pieces(path: Path) -> dict[str, str]:
    with tarfile.open(path) as tar:
        return {
            one.name.removeprefix("envbuild-support/"): tar.extractfile(one).read().decode()
            for one in tar.getmembers()
        }


def test_the_archive_holds_what_a_report_needs_and_nothing_of_whom(support, tmp_path):
    said = support("lab", "--profile", "small", "--yes")
    assert said.exit == 0, said.stderr
    found = pieces(tmp_path / "envbuild-support.tar.gz")
    assert sorted(found) == [
        "doctor.json",
        "doctor.md",
        "kept/logs/build-small.log",
        "profiles/small.yaml",
        "versions.txt",
    ]
    doctor = json.loads(found["doctor.json"])
    assert [one["id"] for one in doctor["findings"]] == ["numpy-two-winners"]
    assert "envbuild " in found["versions.txt"]
    assert found["kept/logs/build-small.log"] == (
        "GET https://***@host-1/simple/numpy/\n"
        "token *** was refused for user-1 on host-2\n"
        "/home/user-1/work/env/lib\n"
    )
    whole = "".join(found.values())
    for told in (SECRET, "letmein", "jane", "rig-seven", "corp.lan"):
        assert told not in whole
    listed = [line.split()[1] for line in said.stdout.splitlines()]
    assert listed == sorted(found)
    assert "6 masked" in next(line for line in said.stdout.splitlines() if "build-small" in line)


def test_nothing_is_written_before_somebody_has_agreed(support, tmp_path):
    said = support("lab")
    assert (said.exit, "doctor.json" in said.stdout) == (2, True)
    assert said.stderr.endswith(
        "error: nobody is there to agree\n  hint: --yes writes it without asking\n"
    )
    assert not (tmp_path / "envbuild-support.tar.gz").exists()


def test_a_piece_is_shown_masked_and_nothing_is_written(support, tmp_path):
    said = support("lab", "--show", "kept/logs/build-small.log")
    assert said.exit == 0
    assert said.stdout.startswith("GET https://***@host-1/")
    assert not (tmp_path / "envbuild-support.tar.gz").exists()


def test_a_log_of_the_user_s_own_is_taken_by_its_end(support, tmp_path):
    (tmp_path / "kit.log").write_bytes(b"x" * 5_000_000 + b"\nthe end\n")
    assert support("lab", "--log", "kit.log", "-o", "out/x.tar.gz", "--yes").exit == 0
    text = pieces(tmp_path / "out/x.tar.gz")["logs/kit.log"]
    assert text == "[the beginning is left out]\nthe end\n"


def test_an_archive_that_cannot_be_written_leaves_the_old_one(support, tmp_path):
    (tmp_path / "there").write_text("a file")
    said = support("lab", "-o", "there/x.tar.gz", "--yes")
    assert said.exit == 3
    assert (tmp_path / "there").read_text() == "a file"
    assert [name for name in os.listdir(tmp_path) if "envbuild-" in name] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gone",), "gone is not there"),
        (("lab", "--profile", "smal"), "there is no profile 'smal'"),
        (("lab", "--log", "gone.log"), "gone.log does not exist"),
        (("lab", "--show", "doctor.jsn"), "did you mean doctor.json?"),
        (("lab", "--tar", "x.tar"), "one environment is examined, not --tar and PREFIX"),
    ],
)
def test_wrong_input_is_said(support, tmp_path, arguments, message):
    said = support(*arguments, "--yes")
    assert said.exit == 2
    assert message in said.stderr
    assert not (tmp_path / "envbuild-support.tar.gz").exists()
