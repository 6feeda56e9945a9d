"""The scripts of workflows, run: in a repository of the test, by bash, with the real envbuild."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.samples import envbuild
from tests.forge.conftest import Write, commit, git

BIN = Path(sys.executable).parent


def step(text: str, job: str, name: str) -> dict[str, Any]:
    steps = yaml.safe_load(text)["jobs"][job]["steps"]
    found: dict[str, Any] = next(one for one in steps if one.get("name") == name)
    return found


def run(
    root: Path, script: str, tmp_path: Path, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A script as GitHub and GitLab run it: bash with -e and pipefail."""
    temp = tmp_path / "temp"
    temp.mkdir(exist_ok=True)
    variables = {
        "PATH": f"{tmp_path}/bin:{BIN}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(temp),
        "GITHUB_OUTPUT": str(temp / "output"),
        "GITHUB_STEP_SUMMARY": str(temp / "summary"),
        "UV_CACHE_DIR": str(root / ".cache"),
        "UV_OFFLINE": "1",
        **(more or {}),
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=root,
        env=variables,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def program(tmp_path: Path, name: str, text: str) -> None:
    """A program in front of the real ones."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    path = tmp_path / "bin" / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def output(tmp_path: Path, name: str) -> str:
    lines = (tmp_path / "temp/output").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith(f"{name}="))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- GitHub --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("nothing", []),
        ("envs/alone.yaml", ["alone"]),
        ("envs/parent.yaml", ["child", "parent"]),
        ("lockfiles/child/linux-amd64-cpu.txt", ["child"]),
        ("Dockerfiles/parent/Dockerfile", ["parent"]),
        ("README.md", []),
    ],
)
def test_a_request_builds_what_it_changes(
    write: Write, tmp_path: Path, change: str, expected: list[str]
) -> None:
    root = write.root
    text = write("github", "--gpu-runner=gpu")[".github/workflows/envbuild-pull-request.yml"]
    commit(root, "workflows")
    git(root, "checkout", "--quiet", "-b", "topic")
    if change != "nothing":
        with (root / change).open("a") as file:
            file.write("# more\n")
    commit(root, "topic")
    git(root, "checkout", "--quiet", "main")
    (root / "other.txt").write_text("main has moved on\n")
    commit(root, "main")
    git(root, "merge", "--quiet", "--no-edit", "--no-ff", "topic")  # what GitHub checks out
    script = step(text, "changed", "the variants that this request changes")["run"]
    done = run(root, script, tmp_path, {"OWN": "true"})
    assert done.returncode == 0, done.stderr
    rows = json.loads(output(tmp_path, "matrix"))["include"]
    assert [row["profile"] for row in rows] == expected
    assert all(row["variant"] == "linux-amd64-cpu" for row in rows)


def test_a_forks_request_comes_on_no_gpu(write: Write, tmp_path: Path) -> None:
    root = write.root
    edit(root / "envs/alone.yaml", "linux-amd64-cpu", "linux-amd64-cu128")
    text = write("github", "--gpu-runner=gpu")[".github/workflows/envbuild-pull-request.yml"]
    commit(root, "changed")
    script = step(text, "changed", "the variants that this request changes")["run"]
    for own, runner in (("true", ["gpu"]), ("false", ["ubuntu-24.04"])):
        (tmp_path / "temp/output").unlink(missing_ok=True)
        assert run(root, script, tmp_path, {"OWN": own}).returncode == 0
        rows = json.loads(output(tmp_path, "matrix"))["include"]
        assert [row["runner"] for row in rows] == [runner]


@pytest.mark.parametrize(("more", "found"), [("", True), ("bad: [\n", False)])
def test_findings_become_annotations_where_there_are_some(
    write: Write, tmp_path: Path, more: str, *, found: bool
) -> None:
    text = write("github")[".github/workflows/envbuild-pull-request.yml"]
    with (write.root / "envs/alone.yaml").open("a") as file:
        file.write(more)
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp/output").touch()
    done = run(write.root, step(text, "check", "findings as SARIF")["run"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert ((tmp_path / "temp/output").read_text() == "found=true\n") is found


def test_a_night_has_every_profile_in_one_row(write: Write, tmp_path: Path) -> None:
    text = write("github", "--shards=2")[".github/workflows/envbuild-nightly.yml"]
    script = step(text, "plan", "the profiles of each machine, in shards")["run"]
    done = run(write.root, script, tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(output(tmp_path, "matrix"))["include"]
    assert [(row["shard"], row["profiles"]) for row in rows] == [
        ("1/2", ["alone", "child", "parent"]),
        ("2/2", ["alone", "child", "parent"]),
    ]


def test_the_part_of_a_night_gets_its_words(write: Write, tmp_path: Path) -> None:
    text = write("github", "--registry=ghcr.io/o/r")[".github/workflows/envbuild-nightly.yml"]
    program(tmp_path, "envbuild", 'printf "%s\\n" "$*" >> "$HOME/called"')
    script = step(text, "night", "night")["run"]
    words = {"PROFILES": "a b", "SHARD": "1/2", "NIGHT": "77", "HISTORY": "/h"}
    done = run(write.root, script, tmp_path, {**words, "BEFORE": "git:envbuild-history"})
    assert done.returncode == 0, done.stderr
    cache = "--cache-from ghcr.io/o/r/cache --cache-to ghcr.io/o/r/cache"
    assert (tmp_path / "called").read_text() == (
        f"nightly a b --shard 1/2 --night 77 --history /h {cache}\n"
    )
    options = envbuild(write.root, "nightly", "--help").stdout
    assert all(f"{one} " in options for one in ("--shard", "--night", "--history", "--cache-to"))


def test_the_nights_before_are_fetched_or_are_none_yet(write: Write, tmp_path: Path) -> None:
    root, origin = write.root, tmp_path / "origin"
    text = write("github")[".github/workflows/envbuild-nightly.yml"]
    script = step(text, "report", "the nights before")["run"]
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    git(root, "remote", "add", "origin", str(origin))
    words = {"BRANCH": "envbuild-history", "TOKEN": "x"}
    first = run(root, script, tmp_path, words)
    assert (first.returncode, "first night" in first.stdout) == (0, True), first.stderr
    git(root, "push", "--quiet", "origin", "HEAD:refs/heads/envbuild-history")
    assert run(root, script, tmp_path, words).returncode == 0
    assert git(root, "rev-parse", "envbuild-history") == git(root, "rev-parse", "HEAD")
    push = step(text, "report", "keep the history")["run"]
    assert run(root, push, tmp_path, words).returncode == 0
    git(root, "remote", "set-url", "origin", str(tmp_path / "gone"))
    assert run(root, script, tmp_path, words).returncode > 2


@pytest.mark.parametrize("result", ["success", "failure", "cancelled", "skipped"])
def test_the_last_job_says_whether_all_is_well(write: Write, tmp_path: Path, result: str) -> None:
    text = write("github")[".github/workflows/envbuild-pull-request.yml"]
    script = step(text, "envbuild", "every job has passed, or had nothing to do")["run"]
    done = run(write.root, script, tmp_path, {"RESULTS": f"success {result} success"})
    assert (done.returncode == 0) == (result in ("success", "skipped"))


# --- Relock, for both ----------------------------------------------------------------------------

RELOCK = """\
if [ "$1 $2" = "lock --upgrade" ]; then
  sed -i s/linux/Linux/ lockfiles/alone/envbuild.lock.json
  mkdir -p lockfiles/new && echo {} > lockfiles/new/envbuild.lock.json
  exit "${LOCKED:-0}"
elif [ "$1" = render ]; then exit 0
fi
echo "| moved of $5 | by $*"
"""
"""Stands for an envbuild that finds something new."""


@pytest.mark.parametrize("locked", ["0", "1"])
def test_relock_proposes_what_moved(write: Write, tmp_path: Path, locked: str) -> None:
    text = write("github")[".github/workflows/envbuild-relock.yml"]
    root = write.root
    base = commit(root, "workflows")
    program(tmp_path, "envbuild", RELOCK)
    for name in ("lock and render", "what moved"):
        script = step(text, "lock", name)["run"]
        done = run(root, script, tmp_path, {"LOCKED": locked})
        assert done.returncode == 0, done.stderr
    assert output(tmp_path, "moved") == "true"
    told = (tmp_path / "temp/relock/text.md").read_text()
    assert "### alone\n\n| moved of alone | by diff --git HEAD --markdown alone" in told
    assert "### new\n\nNew.\n" in told
    last = step(text, "lock", "every profile was locked")["run"]
    assert str(run(root, last, tmp_path).returncode) == locked
    git(root, "reset", "--quiet", "--hard", base)
    git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "origin"))
    git(root, "remote", "add", "origin", str(tmp_path / "origin"))
    program(tmp_path, "gh", 'printf "%s\\n" "$*" >> "$HOME/gh"')
    words = {"GH_TOKEN": "x", "BASE": "main", "BRANCH": "envbuild/relock"}
    script = step(text, "propose", "propose")["run"]
    done = run(root, script, tmp_path, words)
    assert done.returncode == 0, done.stderr
    pushed = git(tmp_path / "origin", "diff", "--name-only", base, "envbuild/relock").split()
    assert pushed == ["lockfiles/alone/envbuild.lock.json", "lockfiles/new/envbuild.lock.json"]
    assert "pr create --base main --head envbuild/relock" in (tmp_path / "gh").read_text()


def test_relock_proposes_nothing_where_nothing_moved(write: Write, tmp_path: Path) -> None:
    text = write("github")[".github/workflows/envbuild-relock.yml"]
    commit(write.root, "workflows")
    for name in ("lock and render", "what moved"):
        done = run(write.root, step(text, "lock", name)["run"], tmp_path)
        assert done.returncode == 0, done.stderr
    assert output(tmp_path, "moved") == "false"


# --- GitLab --------------------------------------------------------------------------------------


def job(text: str, name: str) -> str:
    """The script of a job, as GitLab joins it."""
    lines = yaml.safe_load(text)[name]["script"]
    flat = [one for line in lines for one in (line if isinstance(line, list) else [line])]
    return "\n".join(flat)


def test_gitlab_checks_what_github_checks(write: Write, tmp_path: Path) -> None:
    text = write("gitlab")[".gitlab-ci.yml"]
    done = run(write.root, job(text, "check"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    edit(write.root / "Dockerfiles/alone/Dockerfile", "FROM", "from")
    done = run(write.root, job(text, "check"), tmp_path)
    assert (done.returncode, "Dockerfiles are not as rendered" in done.stderr) == (1, True)


def test_gitlab_builds_what_a_request_changes(write: Write, tmp_path: Path) -> None:
    root = write.root
    text = write("gitlab")[".gitlab-ci.yml"]
    base = commit(root, "pipeline")
    with (root / "envs/parent.yaml").open("a") as file:
        file.write("# more\n")
    commit(root, "topic")
    real = f'if [ "$1" = ci ]; then exec {BIN}/envbuild "$@"; fi'
    says = 'echo "$*" >> "$HOME/called"; [ "$1 $2" != "build child" ]'
    program(tmp_path, "envbuild", f"{real}\n{says}")
    (root / ".envbuild").mkdir(exist_ok=True)
    words = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    done = run(root, job(text, "request amd64"), tmp_path, words)
    assert done.returncode == 1, done.stderr  # child could not be built
    assert (tmp_path / "called").read_text().splitlines() == [
        "build child --variant linux-amd64-cpu",
        "build parent --variant linux-amd64-cpu",
        "smoke parent --variant linux-amd64-cpu --strict --junit junit/parent.linux-amd64-cpu.xml",
    ]
    parts = []
    for node in ("1", "2"):
        (tmp_path / "called").write_text("")
        more = {"CI_NODE_INDEX": node, "CI_NODE_TOTAL": "2"}
        run(root, job(text, "request amd64"), tmp_path, words | more)
        calls = (tmp_path / "called").read_text().splitlines()
        parts.append([line.split()[1] for line in calls if line.startswith("build")])
    assert parts == [["child"], ["parent"]]


def test_gitlab_proposes_a_relock_by_one_commit(write: Write, tmp_path: Path) -> None:
    text = write("gitlab")[".gitlab-ci.yml"]
    root, origin = write.root, tmp_path / "origin.git"
    commit(root, "pipeline")
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    git(origin, "config", "receive.advertisePushOptions", "true")
    hook = origin / "hooks/post-receive"
    hook.write_text('#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ | sort > "$GIT_DIR/options"\n')
    hook.chmod(0o755)
    program(tmp_path, "envbuild", RELOCK)
    words = {
        "CI_PROJECT_URL": str(tmp_path / "origin"),
        "CI_DEFAULT_BRANCH": "main",
        "CI_SERVER_HOST": "gitlab.example.com",
        "ENVBUILD_TOKEN": "x",
        "LOCKED": "1",
    }
    done = run(root, job(text, "relock"), tmp_path, words)
    assert done.returncode == 1, done.stderr  # some profile kept its lock, and the rest is proposed
    message = git(origin, "log", "-1", "--format=%B", "envbuild/relock")
    assert message.startswith("Locks made anew\n\nLocks made anew by `envbuild lock --upgrade`.")
    assert "\n### alone\n" in message
    options = (origin / "options").read_text()
    assert "merge_request.create" in options
    assert "merge_request.target=main" in options
