"""The checks that are answered from stamps: fast, and never with another answer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envbuild import stamps
from tests.cli import samples
from tests.cli.running import environment
from tests.cli.samples import envbuild, locked, profile

CHECKS = (("check",), ("lock", "--check"), ("render", "--check"))
HEAVY = ("click", "msgspec", "yaml", "jinja2", "json", "re", "pathlib", "typing")
RULE = """\
schema: 1
rules:
  - id: always-a-name
    severity: error
    title: Ubuntu 24.04
    when: { image: ["ubuntu:*"] }
    message: stands on ubuntu
    why: the tests say so
    fix: [another base]
    evidence: { source: these tests, date: 2026-01-31, confidence: read }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two profiles, locked, rendered and checked."""
    root = tmp_path_factory.mktemp("made")
    locked(root, "one", "two")
    for check in CHECKS:
        assert envbuild(root, *check).exit == 0
    return root


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, stamped."""
    root = tmp_path / "work"
    shutil.copytree(made, root)
    for check in CHECKS:
        assert envbuild(root, *check).exit == 0
    yield root
    shutil.rmtree(root)


def imported(root: Path, *arguments: str) -> tuple[int, str, set[str]]:
    """Status, talk, and the modules that a command line imports."""
    done = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", "-c",
         "import sys; from envbuild.__main__ import script; sys.exit(script())", *arguments],
        cwd=root, env=environment(root), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    lines = done.stderr.splitlines()
    modules = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    said = [line for line in lines if not line.startswith("import time:")]
    return done.returncode, "\n".join(said), modules


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check",), "2 profiles: nothing found"),
        (("-q", "check", "one"), ""),
        (("lock", "--check"), "2 profiles, all locks fresh"),
        (("render", "--check"), "2 profiles, all Dockerfiles fresh"),
        (("lock", "--check", "one"), "1 profile, all locks fresh"),
        (("lock", "one", "two", "one", "--check"), "2 profiles, all locks fresh"),
        (("-q", "lock", "--check"), ""),
        (("--quiet", "render", "two", "--check"), ""),
    ],
)
def test_a_check_of_what_is_fresh_imports_nothing_heavy(
    workspace: Path, arguments: tuple[str, ...], says: str
) -> None:
    status, said, modules = imported(workspace, *arguments)
    assert (status, said) == (0, says)
    assert not modules & set(HEAVY)


@pytest.mark.parametrize("option", [("-C", "work"), ("--directory", "work")])
def test_a_check_in_another_folder(workspace: Path, option: tuple[str, str]) -> None:
    status, said, modules = imported(workspace.parent, *option, "lock", "--check")
    assert (status, said) == (0, "2 profiles, all locks fresh")
    assert "click" not in modules


def test_the_version_imports_nothing_heavy(tmp_path: Path) -> None:
    status, _, modules = imported(tmp_path, "--version")
    assert status == 0
    assert not modules & {*HEAVY, "hashlib", "envbuild.stamps"}


def test_the_fast_and_the_slow_way_say_the_same(workspace: Path) -> None:
    for check in CHECKS:
        fast = envbuild(workspace, *check)
        shutil.rmtree(workspace / ".envbuild")
        slow = envbuild(workspace, *check)
        assert fast == slow


@pytest.mark.parametrize("stage", ["lock", "render"])
@pytest.mark.parametrize("more", [("--json",), ("--offline",), ("nobody",), ("-v",)])
def test_any_other_command_line_goes_the_long_way(
    workspace: Path, stage: str, more: tuple[str, ...]
) -> None:
    assert "click" in imported(workspace, stage, "--check", *more)[2]


def test_an_edited_profile(workspace: Path) -> None:
    path = workspace / "envs/one.yaml"
    path.write_text(f"# a comment\n{path.read_text()}")
    assert envbuild(workspace, "lock", "--check").exit == 0
    path.write_text(path.read_text().replace("3.12", "3.13"))
    said = envbuild(workspace, "lock", "--check")
    assert (said.exit, "one: lock is stale" in said.stderr) == (1, True)
    assert envbuild(workspace, "lock", "--check", "two").exit == 0


def test_a_new_profile_is_part_of_the_question(workspace: Path) -> None:
    profile(workspace, "three", folder="envs/team")
    said = envbuild(workspace, "lock", "--check")
    assert (said.exit, "three: lock is missing" in said.stderr) == (1, True)
    assert envbuild(workspace, "lock", "--check", "one").exit == 0


def test_a_profile_that_is_gone_is_not(workspace: Path) -> None:
    (workspace / "envs/one.yaml").unlink()
    said = envbuild(workspace, "lock", "--check")
    assert (said.exit, said.stderr.splitlines()) == (
        0,
        [
            "1 profile, all locks fresh",
            "  hint: lockfiles/one belongs to no profile: it can be removed",
            "  hint: Dockerfiles/one belongs to no profile: it can be removed",
        ],
    )
    assert envbuild(workspace, "lock", "--check", "one").exit == 2


def test_two_files_of_one_name_are_refused(workspace: Path) -> None:
    profile(workspace, "one", folder="envs/team")
    assert envbuild(workspace, "lock", "--check").exit == 2


def test_a_changed_lock_file(workspace: Path) -> None:
    (workspace / "lockfiles/one/linux-amd64-cpu.txt").write_text("numpy==1.0\n")
    said = envbuild(workspace, "lock", "--check")
    assert (said.exit, "was changed since it was locked" in said.stderr) == (1, True)
    assert envbuild(workspace, "render", "--check").exit == 2


def test_a_changed_dockerfile_and_one_too_many(workspace: Path) -> None:
    old = workspace / "Dockerfiles/one/Dockerfile.linux-arm64-cpu"
    shutil.copy(workspace / "Dockerfiles/one/Dockerfile", old)
    assert envbuild(workspace, "render", "--check").exit == 1
    old.unlink()
    assert envbuild(workspace, "render", "--check").exit == 0
    (workspace / "Dockerfiles/two/Dockerfile").write_text("FROM scratch\n")
    assert envbuild(workspace, "render", "--check").exit == 1
    assert envbuild(workspace, "lock", "--check").exit == 0


def test_a_template_that_replaces_a_shipped_one(workspace: Path) -> None:
    (workspace / "templates").mkdir()
    (workspace / "templates/dockerignore.j2").write_text("# Rendered by envbuild\n*\n!x\n")
    assert envbuild(workspace, "render", "--check").exit != 0
    assert envbuild(workspace, "lock", "--check").exit == 0


def test_what_a_killed_process_left_is_completed(workspace: Path) -> None:
    folder = workspace / "lockfiles/one"
    (folder / ".envbuild-commit").mkdir()
    (folder / ".envbuild-commit/linux-amd64-cpu.txt").write_text("numpy==1.0\n")
    assert envbuild(workspace, "lock", "--check").exit == 1
    assert not (folder / ".envbuild-commit").exists()


def test_stamps_of_another_program_are_not_believed(workspace: Path) -> None:
    for path in (workspace / stamps.FOLDER).rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace("envbuild 0", "envbuild 9", 1))
    assert "click" in imported(workspace, "lock", "--check")[2]
    assert "click" not in imported(workspace, "lock", "--check")[2]


def test_a_workspace_without_stamps_that_cannot_be_written(workspace: Path) -> None:
    shutil.rmtree(workspace / ".envbuild")
    (workspace / ".envbuild").write_text("a file")
    for _ in range(2):
        assert envbuild(workspace, "lock", "--check").exit == 0


def test_a_rule_of_ones_own_is_asked_as_soon_as_it_is_written(workspace: Path) -> None:
    rules = workspace / "knowledge/rules"
    rules.mkdir(parents=True)
    (rules / "own.yaml").write_text(RULE)
    done = envbuild(workspace, "check")
    assert (done.exit, done.stdout.count("[always-a-name]")) == (1, 2)


def test_a_note_is_said_every_time(workspace: Path) -> None:
    rules = workspace / "knowledge/rules"
    rules.mkdir(parents=True)
    (rules / "own.yaml").write_text(RULE.replace("severity: error", "severity: note"))
    first, second = envbuild(workspace, "check"), envbuild(workspace, "check")
    assert first == second
    assert first.stdout.count("[always-a-name]") == 2


def test_a_peer_that_appears(workspace: Path) -> None:
    text = (workspace / "envs/one.yaml").read_text()
    contract = "{peer: late, role: client, transport: zmq, encoding: pickle, port: 5555}"
    (workspace / "envs/one.yaml").write_text(f"{text}contracts: [{contract}]\n")
    assert envbuild(workspace, "check", "one").exit == 0
    assert envbuild(workspace, "check", "one").exit == 0
    answer = "{peer: one, role: client, transport: http, encoding: json, port: 80}"
    (workspace / "envs/late.yaml").write_text(
        text.replace("name: one", "name: late") + f"contracts: [{answer}]\n"
    )
    assert "contract" in envbuild(workspace, "check", "one").stdout


def test_a_name_that_climbs_out_of_its_folder_is_no_profile(workspace: Path) -> None:
    for name in ("../render/one", "../lock/one", "./one"):
        done = envbuild(workspace, "lock", "--check", name)
        assert (done.exit, done.stderr.count(f"no profile is called {name!r}")) == (2, 1)


def test_what_locks_leave_open_is_said_in_both_ways(workspace: Path) -> None:
    for name in ("one", "two"):
        path = samples.profile(workspace, name)
        path.write_text(path.read_text().replace(f"  digest: {samples.DIGEST}\n", ""))
    assert envbuild(workspace, "lock", "--offline").exit == 0
    slow = envbuild(workspace, "check")
    status, said, modules = imported(workspace, "check")
    fast = envbuild(workspace, "check")
    assert (status, said) == (0, "2 profiles: 2 not wholly pinned")
    assert "one: warning: not pinned: ubuntu:24.04" in slow.stdout
    assert slow == fast
    assert not modules & set(HEAVY)
    assert envbuild(workspace, "check", "--strict").exit == 1
