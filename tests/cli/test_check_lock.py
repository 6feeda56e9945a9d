"""Which lock a check looks at: one that is true to its profile."""

from __future__ import annotations

from envbuild.cli import common, judging
from envbuild.workspace import Workspace
from tests.cli import samples


def _lock(root):
    workspace = Workspace(root=str(root))
    found = workspace.profiles()
    return judging.fresh_lock(workspace, found, common.chosen(found, ["one"])["one"])


def test_only_a_fresh_lock_counts(tmp_path):
    samples.profile(tmp_path, "one")
    assert _lock(tmp_path) is None
    assert samples.envbuild(tmp_path, "lock", "--offline").exit == 0
    lock = _lock(tmp_path)
    assert lock is not None
    assert lock.profile == "one"
    samples.profile(tmp_path, "one", more="apt: [git]\n")
    assert _lock(tmp_path) is None
    samples.profile(tmp_path, "one")
    assert _lock(tmp_path) == lock
    (tmp_path / "lockfiles" / "one" / "envbuild.lock.json").write_text("{")
    assert _lock(tmp_path) is None
