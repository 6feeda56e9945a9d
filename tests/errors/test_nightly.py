"""What ``envbuild nightly`` refuses, word for word."""

from __future__ import annotations

import pytest

from tests.support.workspace import Folder


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path / "ws")
    made.profile("one", "alpha")
    return made


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("nobody",), "nobody"),
        (("--shard", "3/2"), "error: --shard '3/2' is no part\n  hint: --shard 2/3: the second of three\n"),
        (("--time-budget", "soon"), "error: --time-budget 'soon' is no time\n  hint: --time-budget 1h30m\n"),
        (("--disk-budget", "much"), "error: --disk-budget 'much' is no size\n  hint: --disk-budget 60GB\n"),
        (("--night", "a/b"), "error: --night 'a/b' is no name\n  hint: letters, digits, '.', '-' and '_'\n"),
        (("--only", "bake"), "'bake' is not one of 'check', 'lock', 'audit', 'render', 'build', 'smoke'"),
        (("--only", "lock", "--from", "build"), "--only does not go with --from"),
        (("--offline", "--online"), "--offline does not go with --online"),
        (("--offline", "--push"), "--offline does not go with --push"),
        (("--dry-run", "--restart"), "--dry-run does not go with --restart"),
        (("--online", "--network", "none"), "--online does not go with --network none"),
        (("--tag", "Robot:1"), "--tag Robot:1 would be that of 2 images"),
        (("--tag", "{profile}:{variant} x"), "is no name of an image"),
        (("--push",), "--push needs a name with a registry in it"),
        (("--variant", "linux-amd64-cu999"), "no profile has a variant 'linux-amd64-cu999'"),
        (("--mirror", "x"), "x"),
        (("--history", "git:"), "git: names no branch"),
        (("-j", "0"), "0 is not in the range"),
        (("--from", "smoke"), "--from smoke: no earlier night has what stands before it for one"),
    ],
)  # fmt: skip
def test_it_is_refused(folder, argv, said):
    done = folder.run("nightly", *argv)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert not (folder.root / ".envbuild/history").exists()
    assert not (folder.root / ".envbuild/nightly/running").exists()


def test_a_workspace_without_profiles_has_the_shipped_ones(tmp_path):
    empty = Folder(tmp_path / "empty")
    done = empty.run("nightly", "--dry-run", "--only", "check")
    assert done.returncode == 0, done.stderr
    assert "run  check isaaclab" in done.stdout
