"""A history as a branch: in every kind of repository, and without a trace in the work tree."""

from __future__ import annotations

import subprocess

import pytest

from envbuild.errors import InputError, ToolError
from envbuild.history.opening import opened
from envbuild.tools import proc
from tests.history.histories import NOBODY, git, history, repository
from tests.support.nights import night, with_log

pytestmark = pytest.mark.git


def branch(root, name="nightly"):
    return opened(f"git:{name}", str(root), NOBODY, proc.run)


def commit(root, path="file", text="text"):
    (root / path).write_text(text)
    git(root, "add", path)
    git(root, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "x")


def test_work_tree_index_and_head_stay_as_they_are(tmp_path):
    root = repository(tmp_path / "r")
    commit(root)
    (root / "file").write_text("changed")
    (root / "staged").write_text("")
    git(root, "add", "staged")
    before = git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")
    found, logs = with_log("text")
    branch(root).add(found, logs)
    branch(root).add(night(1), {})
    branch(root).prune(1)
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert git(root, "log", "--format=%s by %an", "nightly").splitlines() == [
        "Prune 1 parts of 1 nights by envbuild",
        f"Night {night(1).id} by envbuild",
        f"Night {found.id} by envbuild",
    ]
    assert git(root, "ls-tree", "-r", "--name-only", "nightly").split() == [
        f"nights/{night(1).id}.json"
    ]
    assert git(root, "fsck", "--strict", "--no-dangling").strip() == ""


def test_a_bare_repository(tmp_path):
    root = repository(tmp_path / "bare.git", "--bare")
    branch(root).add(night(0), {})
    assert branch(root).nights().nights == (night(0),)


def test_a_workspace_below_the_top_of_its_repository(tmp_path):
    root = repository(tmp_path / "r")
    (root / "deep/er").mkdir(parents=True)
    branch(root / "deep/er").add(night(0), {})
    assert branch(root).nights().nights == (night(0),)


def test_a_shallow_clone_goes_on_and_its_branch_can_be_pushed(tmp_path):
    root = repository(tmp_path / "r")
    for day in range(4):
        branch(root).add(night(day), {})
    url = f"file://{root}"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=nightly", "--bare", url, "clone")
    clone = tmp_path / "clone"
    git(clone, "symbolic-ref", "HEAD", "refs/heads/main")
    found, logs = with_log("text", 4)
    branch(clone).add(found, logs)
    assert [one.name for one in branch(clone).nights().nights][-1] == "night-4"
    git(clone, "push", "--quiet", str(root), "nightly")
    assert len(branch(root).nights().nights) == 5


def test_what_was_fetched_is_merged_so_that_it_can_be_pushed(tmp_path):
    hub = repository(tmp_path / "hub.git", "--bare")
    machines = [repository(tmp_path / name) for name in ("a", "b")]
    for number, root in enumerate(machines):
        git(root, "remote", "add", "origin", str(hub))
        found, logs = with_log(f"log {number}", number, machine=root.name)
        branch(root).add(found, logs)
    first, second = machines
    git(first, "push", "--quiet", "origin", "nightly")
    argv = ("git", "-C", str(second), "push", "--quiet", "origin", "nightly")
    assert subprocess.run(argv, env=NOBODY, capture_output=True, check=False).returncode == 1
    git(second, "fetch", "--quiet", "origin")
    fetched = branch(second, "origin/nightly")
    assert len(fetched.nights().nights) == 1
    done = branch(second).merge(fetched)
    assert (len(done.nights), done.blobs) == (1, 1)
    git(second, "push", "--quiet", "origin", "nightly")
    assert len(branch(hub).nights().nights) == 2
    before = git(second, "rev-parse", "nightly")
    branch(second).merge(fetched)
    assert git(second, "rev-parse", "nightly") == before


def test_a_new_branch_begins_at_what_was_fetched(tmp_path):
    hub, root = repository(tmp_path / "hub"), repository(tmp_path / "r")
    branch(hub).add(night(0), {})
    git(root, "remote", "add", "origin", str(hub))
    git(root, "fetch", "--quiet", "origin")
    with pytest.raises(InputError, match="a branch that was fetched: it is only read"):
        branch(root, "origin/nightly").add(night(1), {})
    branch(root).merge(branch(root, "origin/nightly"))
    branch(root).add(night(1), {})
    git(root, "push", "--quiet", "origin", "nightly")
    assert len(branch(hub).nights().nights) == 2


def test_a_branch_with_something_else_is_left_alone(tmp_path):
    root = repository(tmp_path / "r")
    commit(root)
    git(root, "branch", "other")
    for act in (
        branch(root, "other").nights,
        lambda: branch(root, "other").add(night(0), {}),
        lambda: branch(root, "other").prune(1),
    ):
        with pytest.raises(InputError, match="git:other is no history"):
            act()
    with pytest.raises(InputError, match="git:main is checked out"):
        branch(root, "main").add(night(0), {})
    assert git(root, "rev-parse", "other") == git(root, "rev-parse", "main")


def test_where_there_is_no_repository(tmp_path):
    for act in (branch(tmp_path).nights, lambda: branch(tmp_path).add(night(0), {})):
        with pytest.raises(InputError, match="this is no git repository") as raised:
            act()
        assert raised.value.hint == "git init, or name a folder"


@pytest.mark.parametrize("name", ["a..b", "-x", "x.lock", "a b", "a\nb", "@{1}", "/x", ":x"])
def test_what_is_no_name_of_a_branch(tmp_path, name):
    root = repository(tmp_path / "r")
    with pytest.raises(InputError, match="is no name of a branch"):
        branch(root, name).nights()
    with pytest.raises(InputError, match="is no name of a branch"):
        branch(root, name).add(night(0), {})
    with pytest.raises(InputError, match="git: names no branch"):
        branch(root, "")


def test_without_git(tmp_path):
    missing = opened("git:nightly", str(tmp_path), {"PATH": str(tmp_path)}, _no_git)
    with pytest.raises(ToolError, match="git is needed for a history in a branch"):
        missing.nights()


def _no_git(command, sinks=None):
    return proc.Outcome(
        command=command, code=127, stdout="", stderr="git: not found", seconds=0.0, missing=True
    )


def test_a_file_that_was_edited_by_a_commit_is_named(tmp_path):
    root = repository(tmp_path / "r")
    branch(root).add(night(0), {})
    branch(root).add(night(1), {})
    git(root, "checkout", "--quiet", "nightly")
    commit(root, f"nights/{night(0).id}.json", "{}\n")
    commit(root, "nights/readme.md", "mine")
    git(root, "checkout", "--quiet", "--orphan", "main")
    kept = branch(root).nights()
    assert [one.name for one in kept.nights] == ["night-1"]
    assert kept.broken == (
        f"nights/{night(0).id}.json: it was edited, or is no night: its seal does not fit",
        "nights/readme.md: its name is no id of a night",
    )


def test_a_feed_that_is_cut_off_changes_nothing(tmp_path):
    """The adding process was killed while it told git what to write."""
    root = repository(tmp_path / "r")
    found, logs = with_log("text" * 1000)
    branch(root).add(night(1), {})
    before = git(root, "rev-parse", "nightly")

    def cut(command, sinks=None):
        if "fast-import" in command.argv:
            import msgspec

            half = command.stdin[: len(command.stdin) // 2]
            for stdin in (half, command.stdin.removesuffix("done\n")):
                outcome = proc.run(msgspec.structs.replace(command, stdin=stdin), sinks)
                assert outcome.code
            return outcome
        return proc.run(command, sinks)

    with pytest.raises(ToolError, match="git failed at the branch of the history"):
        opened("git:nightly", str(root), NOBODY, cut).add(found, logs)
    assert git(root, "rev-parse", "nightly") == before
    assert history("git", root).nights().nights == (night(1),)
